/** Sends made one after the other, in order, while what comes next is being made ready; no more than so many at a time. */
export class OrderedSends<T> {
  readonly #underWay: Promise<void>[] = [];
  #last: Promise<void> = Promise.resolve();
  #failure: { readonly error: unknown } | undefined;

  constructor(
    readonly send: (ready: T) => Promise<void>,
    readonly maxUnderWay: number,
  ) {}

  /**
   * Sends what `making` gives once all before it are sent; waits while too many are under way. Nothing is sent behind
   * one that failed. @throws what one before it failed by
   */
  async add(making: Promise<T>): Promise<void> {
    const before = this.#last;
    const sent = (async () => {
      // Waited for together: what fails early fails in its turn, and is never unhandled.
      const [ready] = await Promise.all([making, before]);
      await this.send(ready);
    })();
    sent.catch((error: unknown) => (this.#failure ??= { error }));
    this.#last = sent;
    this.#underWay.push(sent);
    if (this.#underWay.length >= this.maxUnderWay) await this.#underWay.shift();
    if (this.#failure) throw this.#failure.error;
  }

  /** Waits until all are sent. @throws what one of them failed by */
  async end(): Promise<void> {
    await this.#last;
  }
}
