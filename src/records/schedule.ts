import { BlinkstreamError } from './errors.js';
import { localTimeIn, ownTimeZone } from './local-time.js';

const dayNames = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'];
const DAY_MINUTES = 24 * 60;
const WEEK_MINUTES = 7 * DAY_MINUTES;
const MINUTE_MS = 60_000;
/** Clocks are set forward and back at quarters of an hour of UTC, whatever the place. */
const QUARTER_MS = 15 * MINUTE_MS;
/** In so much time every hour of a week comes by, also in a week in which clocks are set. */
const ROUND_MS = 8 * DAY_MINUTES * MINUTE_MS;

/** One part of a schedule: days, and hours of each. */
interface Part {
  /** First and last day, 0 is Monday; the first may come after the last. */
  readonly days: readonly [number, number];
  /** Minutes since midnight, from and up to; up to the next day where the end is not after the beginning. */
  readonly hours?: readonly [number, number];
}

/** Hours of the week, by the clocks of a place. */
export class Schedule {
  readonly timeZone: string;
  readonly #parts: readonly Part[];
  /** Whether each minute of the week, from Monday 00:00, is in it. */
  readonly #minutes: readonly boolean[];
  readonly #localAt: ReturnType<typeof localTimeIn>;

  private constructor(parts: readonly Part[], timeZone: string) {
    this.timeZone = timeZone;
    this.#parts = parts;
    this.#localAt = localTimeIn(timeZone);
    const minutes = new Array<boolean>(WEEK_MINUTES).fill(false);
    for (const { days, hours = [0, DAY_MINUTES] } of parts) {
      const lengthMinutes = hours[1] > hours[0] ? hours[1] - hours[0] : hours[1] + DAY_MINUTES - hours[0];
      for (const day of daysOf(days)) {
        const from = day * DAY_MINUTES + hours[0];
        for (let i = 0; i < lengthMinutes; i++) minutes[(from + i) % WEEK_MINUTES] = true;
      }
    }
    this.#minutes = minutes;
  }

  /**
   * Reads `Mo-Fr 18:00-07:00, Sa-Su`: parts with commas between, each days, hours or both. Hours that end before they
   * begin go on into the next day; days without hours are whole, hours without days hold for every day.
   * @param timeZone as IANA names it; default: that of this machine
   * @throws BlinkstreamError `SCHEDULE_INVALID`, `TIME_ZONE_UNKNOWN` (user)
   */
  static parse(text: string, timeZone = ownTimeZone()): Schedule {
    requireTimeZone(timeZone);
    return new Schedule(new ScheduleText(text).parts(), timeZone);
  }

  /** `Mo–Fr 18:00–07:00, Sa–Su all day (Europe/Berlin)`: how it was understood. */
  get words(): string {
    const day = (index: number) => dayNames[index].slice(0, 2);
    const parts = this.#parts.map(({ days: [first, last], hours }) => {
      const all = (last + 1) % 7 === first;
      const days = all ? 'every day' : first === last ? day(first) : `${day(first)}–${day(last)}`;
      return `${days} ${hours ? hours.map(minuteWord).join('–') : 'all day'}`;
    });
    return `${parts.join(', ')} (${this.timeZone})`;
  }

  /** Whether any of the time from `fromMs` to `toMs` is in it, both included; ms since the epoch. */
  touches(fromMs: number, toMs: number): boolean {
    const endMs = Math.min(toMs, fromMs + ROUND_MS);
    for (let quarterMs = Math.floor(fromMs / QUARTER_MS) * QUARTER_MS; quarterMs <= endMs; quarterMs += QUARTER_MS) {
      const { weekday, hour, minute } = this.#localAt(quarterMs);
      const first = weekday * DAY_MINUTES + hour * 60 + minute;
      const begin = Math.floor((Math.max(fromMs, quarterMs) - quarterMs) / MINUTE_MS);
      const end = Math.floor((Math.min(endMs, quarterMs + QUARTER_MS - 1) - quarterMs) / MINUTE_MS);
      for (let i = begin; i <= end; i++) if (this.#minutes[(first + i) % WEEK_MINUTES]) return true;
    }
    return false;
  }
}

/** @throws BlinkstreamError `TIME_ZONE_UNKNOWN` (user) */
export function requireTimeZone(timeZone: string): void {
  try {
    localTimeIn(timeZone);
  } catch (cause) {
    throw new BlinkstreamError(`there is no time zone ${JSON.stringify(timeZone)}`, {
      code: 'TIME_ZONE_UNKNOWN',
      class: 'user',
      stage: 'source',
      hint: 'name it as IANA does, such as Europe/Berlin',
      cause,
      exitCode: 2,
    });
  }
}

function daysOf([first, last]: Part['days']): number[] {
  return Array.from({ length: ((last - first + 7) % 7) + 1 }, (_, i) => (first + i) % 7);
}

const minuteWord = (minute: number): string =>
  [Math.floor(minute / 60), minute % 60].map((value) => String(value).padStart(2, '0')).join(':');

/** Reads a schedule from left to right. */
class ScheduleText {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  parts(): Part[] {
    const parts = [this.#part()];
    while (this.#take(/\s*,\s*/y) !== undefined) parts.push(this.#part());
    this.#take(/\s+/y);
    if (this.#at < this.#text.length) throw this.#expected('a comma and another part, or nothing more, is expected');
    return parts;
  }

  #part(): Part {
    this.#take(/\s+/y);
    const first = this.#day();
    const dash = first === undefined ? undefined : this.#take(/\s*[-–]\s*/y);
    const last = dash === undefined ? first : this.#day();
    if (dash !== undefined && last === undefined) throw this.#expected('a day is expected, such as Fr');
    this.#take(/\s+/y);
    const hours = this.#hours();
    if (first === undefined && hours === undefined) {
      throw this.#expected('a day or a time is expected, such as Mo-Fr or 18:00-07:00');
    }
    return { days: [first ?? 0, last ?? 6], ...(hours && { hours }) };
  }

  #day(): number | undefined {
    const word = this.#take(/[a-z]+/iy);
    if (word === undefined) return undefined;
    const name = word.toLowerCase();
    const day = dayNames.findIndex((known) => name.length >= 2 && known.toLowerCase().startsWith(name));
    if (day >= 0) return day;
    this.#at -= word.length;
    throw this.#expected('a day is expected: Mo, Tu, We, Th, Fr, Sa or Su');
  }

  #hours(): [number, number] | undefined {
    if (!/\d/.test(this.#text[this.#at] ?? '')) return undefined;
    const from = this.#time(DAY_MINUTES - 1);
    if (this.#take(/\s*[-–]\s*/y) === undefined)
      throw this.#expected('a dash and the end are expected, such as -07:00');
    const endsAt = this.#at;
    const to = this.#time(DAY_MINUTES);
    if (from !== to) return [from, to];
    this.#at = endsAt;
    throw this.#expected('the end is expected at another time than the beginning; leave out hours for whole days');
  }

  #time(most: number): number {
    const beginsAt = this.#at;
    const [, hour, minute] = /^(\d{1,2}):(\d{2})$/.exec(this.#take(/\d{1,2}:\d{2}(?!\d)/y) ?? '') ?? [];
    const time = Number(hour) * 60 + Number(minute);
    if (time <= most && Number(minute) < 60) return time;
    this.#at = beginsAt;
    throw this.#expected(`a time from 00:00 to ${minuteWord(most)} is expected`);
  }

  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const [taken] = pattern.exec(this.#text) ?? [];
    this.#at += taken?.length ?? 0;
    return taken;
  }

  #expected(what: string): BlinkstreamError {
    const rest = this.#text.slice(this.#at, this.#at + 12);
    const place = rest === '' ? 'at its end' : `at character ${this.#at + 1}, ${JSON.stringify(rest)}`;
    return new BlinkstreamError(`schedule ${JSON.stringify(this.#text)}: ${place}: ${what}`, {
      code: 'SCHEDULE_INVALID',
      class: 'user',
      stage: 'source',
      hint: 'write days and hours such as "Mo-Fr 18:00-07:00, Sa-Su"',
      exitCode: 2,
    });
  }
}
