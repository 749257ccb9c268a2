export interface FlowOptions {
  /** At this many bytes that wait, the partition is not fetched until half of them are left. */
  readonly partitionBytes: number;
  /** Bytes that were fetched and not given to any camera yet. */
  readonly fetchedBytes: () => number;
  readonly pause: () => void;
  readonly resume: () => void;
}

/** When a partition is fetched: while there is room for its messages, and nothing else holds it up. */
export class Flow {
  readonly #options: FlowOptions;
  /** Bytes that were given to cameras and wait there. */
  #givenBytes = 0;
  #isFull = false;
  #isHeld = false;
  #isEnded = false;
  #room: (() => void) | undefined;

  constructor(options: FlowOptions) {
    this.#options = options;
  }

  get waitingBytes(): number {
    return this.#options.fetchedBytes() + this.#givenBytes;
  }

  get isHeld(): boolean {
    return this.#isHeld;
  }

  /** Nothing is fetched until `free`. */
  hold(): void {
    this.#isHeld = true;
    this.#options.pause();
  }

  /** `restore` is to follow. */
  free(): void {
    this.#isHeld = false;
  }

  /** To be called when the group was joined: a pause outlives a rebalance, wanted or not, and a seek does not. */
  restore(): void {
    if (this.#isEnded || this.#isHeld || this.#isFull) this.#options.pause();
    else this.#options.resume();
  }

  /** So many bytes wait at a camera now. */
  give(bytes: number): void {
    this.#givenBytes += bytes;
  }

  /** They wait no longer. */
  given(bytes: number): void {
    this.#givenBytes -= bytes;
    this.#room?.();
    this.balance();
  }

  /** To be called after each change of what waits. */
  balance(): void {
    // The partition may have been assigned anew meanwhile.
    if (this.#isEnded) return;
    const { partitionBytes, pause, resume } = this.#options;
    if (!this.#isFull && this.waitingBytes >= partitionBytes) {
      this.#isFull = true;
      pause();
    } else if (this.#isFull && this.waitingBytes <= partitionBytes / 2) {
      this.#isFull = false;
      if (!this.#isHeld) resume();
    }
  }

  /** What a claim check names is not counted before it was fetched. */
  async untilRoom(): Promise<void> {
    while (this.#givenBytes > this.#options.partitionBytes && !this.#isEnded) {
      await new Promise<void>((resolve) => (this.#room = resolve));
    }
  }

  end(): void {
    this.#isEnded = true;
    this.#room?.();
  }
}
