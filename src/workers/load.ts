import type { FrameSequence } from '../records/index.js';

/** What becomes of the workers, for logs. A `worker` is told by its name. */
export interface WorkerListener {
  /** A worker that served is gone, for a reason as a person reads it; another is started in its place. */
  gone?(worker: string, why: string): void;
  /** A sequence goes to a worker a second time. */
  retry?(sequence: Pick<FrameSequence, 'source' | 'first' | 'last'>, why: string): void;
}

/** How busy the workers are. */
export interface WorkerLoad {
  /** Sequences that wait for a place at a worker. */
  readonly waiting: number;
  /** Sequences that a worker has. */
  readonly inFlight: number;
  /** As `WorkerPool.capacity`. */
  readonly capacity: number;
  /** Workers that serve, and those that do not for now. */
  readonly up: number;
  readonly down: number;
  /** Sequences that were given to a worker a second time, since the start. */
  readonly retries: number;
  /** Workers that were lost and replaced, since the start. */
  readonly replaced: number;
}
