/** Where time comes from. */
export interface Clock {
  /** Since the epoch, ms. */
  wallMs(): number;
  /** Since any moment, ms; never set. */
  monotonicMs(): number;
}

export const systemClock: Clock = { wallMs: () => Date.now(), monotonicMs: () => performance.now() };

/** Of the time that passes while a clock that was set back is waited for, this share is counted. */
const SLEW = 0.5;

/**
 * Event time of what arrives now: the wall clock, but never at a standstill and never backwards. Where the clock was set
 * back, time goes on at half its speed until the clock has caught up.
 */
export class EventTime {
  #lastMs: number;
  #lastMonotonicMs: number;
  readonly #clock: Clock;

  /** @param afterMs everything from here on is later */
  constructor(clock: Clock, afterMs = Number.NEGATIVE_INFINITY) {
    this.#clock = clock;
    this.#lastMs = afterMs;
    this.#lastMonotonicMs = clock.monotonicMs();
  }

  /** Later than the last by a ms at least. */
  next(): number {
    const monotonicMs = this.#clock.monotonicMs();
    const passedMs = monotonicMs - this.#lastMonotonicMs;
    this.#lastMonotonicMs = monotonicMs;
    this.#lastMs = Math.max(this.#clock.wallMs(), this.#lastMs + Math.max(1, Math.floor(SLEW * passedMs)));
    return this.#lastMs;
  }
}
