import { localTimeIn, ownTimeZone, type FramePoint, type LocalTime } from '../../records/index.js';
import { clock, wallClock } from './words.js';

const days = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const two = (value: number): string => String(value).padStart(2, '0');

/** `Wed 3 Jun` */
export const dayWord = ({ weekday, day, month }: LocalTime): string => `${days[weekday]} ${day} ${months[month - 1]}`;

/** `18:03`, and where seconds matter `18:03:20`. */
export const timeWord = ({ hour, minute, second }: LocalTime, withSeconds: boolean): string =>
  `${two(hour)}:${two(minute)}${withSeconds ? `:${two(second)}` : ''}`;

/** Names moments of a source: by date and time of day where it knows them, else by what has passed since its first frame. */
export class Moments {
  readonly timeZone: string;
  /** Local time at so many ms after the first frame; absent where the source does not know the wall clock. */
  readonly localAt: ((elapsedMs: number) => LocalTime) | undefined;
  /** Dates are told with every moment, because there are several. */
  readonly #isLong: boolean;

  /** @param points any moments of the source; they agree on when it began */
  constructor(points: readonly FramePoint[], durationMs: number, timeZone = ownTimeZone()) {
    this.timeZone = timeZone;
    const known = points.find((point) => wallClock(point) !== undefined);
    const local = known && localTimeIn(timeZone);
    this.localAt = local && ((elapsedMs) => local(known.timeMs - known.elapsedMs + elapsedMs));
    this.#isLong = this.localAt !== undefined && dayWord(this.localAt(0)) !== dayWord(this.localAt(durationMs));
  }

  /** `00:04.2`, `18:03:20` or, where there are several days, `Wed 3 Jun, 18:03:20`. */
  word(elapsedMs: number): string {
    const local = this.localAt?.(elapsedMs);
    if (local === undefined) return clock(elapsedMs);
    return `${this.#isLong ? `${dayWord(local)}, ` : ''}${timeWord(local, true)}`;
  }

  /** From when to when, with year and time zone; undefined where the source does not know. */
  spanWord(durationMs: number): string | undefined {
    const [from, to] = [this.localAt?.(0), this.localAt?.(durationMs)];
    if (from === undefined || to === undefined) return undefined;
    const until = `${this.#isLong ? `${dayWord(to)}${to.year === from.year ? '' : ` ${to.year}`}, ` : ''}${timeWord(to, false)}`;
    return `${dayWord(from)} ${from.year}, ${timeWord(from, false)} – ${until} (${this.timeZone})`;
  }
}
