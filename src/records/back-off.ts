const FIRST_MS = 500;
const LONGEST_MS = 30_000;
/** A connection that has given pictures for so long was sound: the next trouble is another one. */
const SOUND_MS = 10_000;

/** Pauses before one tries again: each twice as long as the last, less up to a half at random so that many do not come at once. */
export class BackOff {
  #nextMs = FIRST_MS;
  readonly #random: () => number;

  constructor(random: () => number = Math.random) {
    this.#random = random;
  }

  /** @param soundMs for how long the last attempt was sound */
  pauseMs(soundMs: number): number {
    if (soundMs >= SOUND_MS) this.#nextMs = FIRST_MS;
    const pauseMs = this.#nextMs * (1 - this.#random() / 2);
    this.#nextMs = Math.min(LONGEST_MS, 2 * this.#nextMs);
    return pauseMs;
  }
}
