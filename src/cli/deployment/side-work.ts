import type { ChangeLog } from '../../log/index.js';
import { pruneFailed, type TellNote } from '../../operation/notes.js';
import { mayPass } from '../../records/index.js';
import { pauseFor } from '../../records/pause.js';

/** What goes on beside the pipelines: where it fails, they stop, because nobody would see what they make. */
export class SideWork {
  readonly #ending = new AbortController();
  readonly #work: Promise<void>[] = [];
  #failure: { readonly error: unknown } | undefined;

  /** @param stop aborted where any of it fails */
  constructor(readonly stop: AbortController) {}

  begin(work: (signal: AbortSignal) => Promise<void>): void {
    const failed = (error: unknown): void => {
      this.#failure ??= { error };
      this.stop.abort(error);
    };
    this.#work.push(work(this.#ending.signal).catch(failed));
  }

  /** @throws what any of it failed by, once */
  async end(): Promise<void> {
    this.#ending.abort();
    await Promise.all(this.#work);
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure) throw failure.error;
  }
}

/** Applies the log's retention again and again, until the signal aborts. What fails and may pass can wait until the next. */
export async function keepPruned(
  log: Pick<ChangeLog, 'prune'>,
  { everyMs, tell }: { readonly everyMs: number; readonly tell: TellNote },
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    try {
      await log.prune(Date.now());
    } catch (error) {
      if (!mayPass(error)) throw error;
      tell(pruneFailed(error));
    }
    await pauseFor(everyMs, signal);
  }
}

/** Aborts `deadlineMs` after `asked` did; holds no process that ends before. */
export function afterDeadline(asked: AbortSignal, deadlineMs: number, over: AbortSignal): AbortSignal {
  const late = new AbortController();
  const begin = (): void => {
    const timer = setTimeout(() => late.abort(new Error('the time to end was up')), deadlineMs);
    timer.unref();
    over.addEventListener('abort', () => clearTimeout(timer), { once: true });
  };
  if (asked.aborted) begin();
  else asked.addEventListener('abort', begin, { once: true });
  return late.signal;
}
