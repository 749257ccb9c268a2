/** What is under way when an output is told to end may take this long. */
const GRACE_MS = 5_000;
/** To end a connection, which changes nothing any more. */
const CLOSING_MS = 2_000;

/** It took longer than is waited for. */
export class GraceOver extends Error {}

/** The time that an output is given once it was told to end. */
export class Grace {
  readonly #over = new AbortController();
  readonly #ended = new AbortController();

  /** @param asked aborts when the output is told to end */
  constructor(asked: AbortSignal) {
    const begin = (): void => {
      const timer = setTimeout(() => this.#over.abort(new GraceOver()), GRACE_MS);
      this.#ended.signal.addEventListener('abort', () => clearTimeout(timer), { once: true });
    };
    if (asked.aborted) begin();
    else asked.addEventListener('abort', begin, { once: true, signal: this.#ended.signal });
  }

  /** Aborts when it is over. */
  get over(): AbortSignal {
    return this.#over.signal;
  }

  /** The result of `work`; what goes on when the time is over is left to itself. @throws GraceOver */
  within<T>(work: Promise<T>): Promise<T> {
    return unless(this.over, work);
  }

  /** The same with a time of its own, told to end or not. @throws GraceOver */
  async closing(work: Promise<void>): Promise<void> {
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(new GraceOver()), CLOSING_MS);
    try {
      await unless(late.signal, work);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Nothing is waited for any more. */
  end(): void {
    this.#ended.abort();
  }
}

async function unless<T>(over: AbortSignal, work: Promise<T>): Promise<T> {
  const done = new AbortController();
  const rejected = new Promise<never>((_, reject) => {
    const refuse = (): void => reject(over.reason as GraceOver);
    if (over.aborted) refuse();
    else over.addEventListener('abort', refuse, { once: true, signal: done.signal });
  });
  try {
    return await Promise.race([work, rejected]);
  } finally {
    done.abort();
  }
}
