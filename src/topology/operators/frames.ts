import { Observable } from 'rxjs';
import { isTick, type Position, type SourceItem } from '../../records/index.js';
import { killPoint } from '../../records/kill-points.js';
import type { Source, SourceReport } from '../../sources/index.js';
import { pipelineContext } from '../context.js';

/**
 * Frames of the pipeline's source, on demand: the next is read when the one before was handed on and the budget of
 * bytes in flight has room. After a restart it begins at the checkpoint's position. When the pipeline is drained, it
 * completes with a report that says `suspended`, so that what is on its way comes to its end in order.
 *
 * The frame's lease is released when the emission returns; an operator that keeps the frame retains it.
 *
 * A live source gives ticks between its frames: time that passes without one, and gaps in its signal. Let them through
 * (`filter((item) => isTick(item) || …)`): windows close by them, and without them a gap is not told.
 */
export function frames(source: Source): Observable<SourceItem> {
  const { budget, signal, drain, restored, listener } = pipelineContext('frames');
  /** A failure of the source itself stays one, also while it is drained. */
  const isDrained = (error: unknown): boolean =>
    drain.aborted &&
    !signal.aborted &&
    (error === drain.reason || (error instanceof Error && error.name === 'AbortError'));
  return new Observable<SourceItem>((subscriber) => {
    const stop = new AbortController();
    const from = restored?.positions[source.name];
    let framesRead = from?.index ?? 0;
    let readTo: Position | undefined;
    const end = (report: SourceReport): void => {
      listener.ended?.(report);
      subscriber.complete();
    };
    const pump = async (): Promise<void> => {
      const reading = source.read({
        ...(from && { from }),
        budget,
        signal: AbortSignal.any([signal, drain, stop.signal]),
      });
      for (;;) {
        const next = await reading.next();
        if (next.done === true) return end(next.value);
        if (isTick(next.value)) {
          subscriber.next(readTo === undefined ? next.value : { ...next.value, readTo });
          continue;
        }
        killPoint('decode');
        const { ref, lease } = next.value;
        framesRead = ref.index + 1;
        readTo = ref.position;
        try {
          listener.frame?.(ref);
          subscriber.next(next.value);
        } finally {
          lease.release();
        }
      }
    };
    pump().catch((error: unknown) => {
      if (isDrained(error)) end({ framesRead, complete: false, suspended: true, unreadable: [] });
      else subscriber.error(error);
    });
    return () => stop.abort();
  });
}
