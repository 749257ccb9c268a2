import { BackOff } from '../../records/back-off.js';
import { BlinkstreamError } from '../../records/index.js';
import { pauseFor } from '../../records/pause.js';
import { createWorkerPool, type WorkerPool, type WorkerPoolOptions } from '../../workers/pool.js';

/**
 * Workers that are killed while they start, by a machine out of memory say, are started again: a service is to stay up.
 * @throws what else keeps every worker from starting, as `createWorkerPool`; after the signal's abort also that they were
 *   killed
 */
export async function startWorkers({
  signal,
  ...options
}: WorkerPoolOptions & { readonly signal: AbortSignal }): Promise<WorkerPool> {
  for (const backOff = new BackOff(); ;) {
    try {
      return await createWorkerPool(options);
    } catch (error) {
      const isKilled = error instanceof BlinkstreamError && error.code === 'WORKER_KILLED';
      if (!isKilled || signal.aborted) throw error;
      options.onDown?.(error);
      await pauseFor(backOff.pauseMs(0), signal); // Asked to end: one last try.
    }
  }
}
