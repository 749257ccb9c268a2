/** A moment as clocks and calendars of a time zone show it. */
export interface LocalTime {
  readonly year: number;
  /** 1–12 */
  readonly month: number;
  readonly day: number;
  /** 0 is Monday. */
  readonly weekday: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  /** With what is left of a ms. */
  readonly millisecond: number;
  /** How far these clocks are ahead of UTC then, ms. */
  readonly aheadMs: number;
}

/** The zone that this machine is set to, as IANA names it. */
export const ownTimeZone = (): string => new Intl.DateTimeFormat().resolvedOptions().timeZone;

/**
 * Reads the clocks of an IANA time zone at moments given in ms since the epoch; summer time is what `Intl` knows of it.
 * @throws RangeError for a zone that there is not
 */
export function localTimeIn(timeZone: string): (timeMs: number) => LocalTime {
  const numbers = new Intl.DateTimeFormat('en-US', {
    timeZone,
    calendar: 'gregory',
    numberingSystem: 'latn',
    hourCycle: 'h23',
    ...{ year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric' },
  });
  return (timeMs) => {
    const parts = new Map(numbers.formatToParts(timeMs).map(({ type, value }) => [type, Number(value)]));
    const part = (type: Intl.DateTimeFormatPartTypes): number => parts.get(type) ?? 0;
    const [year, month, day] = [part('year'), part('month'), part('day')];
    const [hour, minute, second] = [part('hour'), part('minute'), part('second')];
    const shownMs = Date.UTC(year, month - 1, day, hour, minute, second);
    const wholeMs = Math.floor(timeMs / 1_000) * 1_000;
    const weekday = (new Date(shownMs).getUTCDay() + 6) % 7;
    const rest = { millisecond: timeMs - wholeMs, aheadMs: shownMs - wholeMs };
    return { year, month, day, weekday, hour, minute, second, ...rest };
  };
}
