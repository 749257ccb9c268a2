import { Observable } from 'rxjs';
import type { Frame } from '../../records/index.js';
import { killPoint } from '../../records/kill-points.js';
import type { Source } from '../../sources/index.js';
import { pipelineContext } from '../context.js';

/**
 * Frames of the pipeline's source, on demand: the next is read when the one before was handed on and the budget of
 * bytes in flight has room. After a restart it begins at the checkpoint's position.
 *
 * The frame's lease is released when the emission returns; an operator that keeps the frame retains it.
 */
export function frames(source: Source): Observable<Frame> {
  const { budget, signal, restored, listener } = pipelineContext('frames');
  return new Observable<Frame>((subscriber) => {
    const stop = new AbortController();
    const from = restored?.positions[source.name];
    const pump = async (): Promise<void> => {
      const reading = source.read({ ...(from && { from }), budget, signal: AbortSignal.any([signal, stop.signal]) });
      for (;;) {
        const next = await reading.next();
        if (next.done === true) {
          listener.ended?.(next.value);
          subscriber.complete();
          return;
        }
        killPoint('decode');
        const { ref, lease } = next.value;
        try {
          listener.frame?.(ref);
          subscriber.next(next.value);
        } finally {
          lease.release();
        }
      }
    };
    pump().catch((error: unknown) => subscriber.error(error));
    return () => stop.abort();
  });
}
