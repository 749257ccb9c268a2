import { BlinkstreamError } from '../records/index.js';
import { ByteBudget } from '../sources/budget.js';
import { keepGoing, keyOf, notStarted, type KeepingOptions, type Pipeline, type PipelineStatus } from './pipeline.js';

export interface ServiceOptions extends Pick<KeepingOptions, 'log' | 'workers' | 'dismissals'> {
  /** Bytes of frames in flight, all pipelines together. */
  readonly budgetBytes: number;
  /** As of `RunOptions`. */
  readonly keyframesMaxAgeMs?: number | undefined;
  /** Pipelines at a time; each has this part of the budget, however many there are. */
  readonly maxPipelines: number;
  /** Stops the reading of all; what was read is worked on and committed. */
  readonly drain: AbortSignal;
  /** Stops all at once; the next start goes on from the last checkpoints. */
  readonly signal: AbortSignal;
  readonly listener?: KeepingOptions['listener'];
  /** Longest pause before another attempt, ms; default 60,000. */
  readonly maxPauseMs?: number;
}

/** A pipeline of a service. */
export interface Supervised {
  readonly pipeline: Pipeline<never>;
  /** As it is now. */
  readonly status: PipelineStatus;
  /** How it ended. */
  readonly ended: Promise<PipelineStatus>;
  /**
   * Stops the reading; what was read is worked on and committed. The checkpoint stays, so that it goes on from there
   * when it is added again, which may be once this has resolved.
   */
  remove(): Promise<PipelineStatus>;
}

/**
 * Keeps pipelines going that come and go. They share log and workers and nothing else: one that stalls or breaks neither
 * delays nor ends another.
 *
 * What an error means is its class's: `external` and `resource` are tried again after pauses that double up to
 * `maxPauseMs` and begin anew once something was committed; `user`, `data` and `internal` end that pipeline alone, whose
 * checkpoint stays where it was.
 *
 * Each pipeline has the same share of the budget from its first frame to its last, whatever the others do. What one does
 * not use is lent to nobody: it could not be had back from a pipeline that stalls. A share that a removed pipeline still
 * holds is waited for.
 */
export class Service {
  readonly #options: ServiceOptions;
  readonly #shareBytes: number;
  readonly #shares: ByteBudget;
  /** By key; those that were removed or lost are forgotten once they are done. */
  readonly #pipelines = new Map<string, Supervised>();
  /** Nothing of them goes on, whatever their state says. */
  readonly #settled = new WeakSet<Supervised>();
  /** How many that are to stay have not ended. */
  #going = 0;
  /** What the service stays up for. */
  readonly #pending = new Set<Promise<unknown>>();
  /** Rejects with what the first of it failed by. */
  readonly #failure: Promise<never>;
  #fail!: (error: unknown) => void;
  #isOver = false;

  constructor(options: ServiceOptions) {
    this.#options = options;
    this.#shareBytes = Math.floor(options.budgetBytes / options.maxPipelines);
    this.#shares = new ByteBudget(this.#shareBytes * options.maxPipelines);
    this.#failure = new Promise((_, reject) => (this.#fail = reject));
    // It is for `ended` to throw, which may be asked later, or never.
    this.#failure.catch(() => undefined);
  }

  /** Pipelines as they are now, in the order in which they were added; those that have ended or failed too. */
  get statuses(): readonly PipelineStatus[] {
    return [...this.#pipelines.values()].map(({ status }) => status);
  }

  /**
   * Begins a pipeline. One of the same key that has ended or failed, or waits to be brought again, makes room for it.
   * @throws BlinkstreamError `PIPELINE_EXISTS` (internal) while one of the same key goes on or is being removed;
   * `SERVICE_FULL` (resource) where `maxPipelines` go on; `SERVICE_OVER` (internal) once `ended` has resolved
   */
  add(pipeline: Pipeline<never>): Supervised {
    const key = keyOf(pipeline);
    this.#refuseWhereImpossible(key);
    const { drain, signal, maxPauseMs = 60_000, listener = {}, log, workers, dismissals } = this.#options;
    const removal = new AbortController();
    let status = notStarted(pipeline);
    let isGoing = true;
    this.#going += 1;
    const goesNoMore = (): void => {
      if (isGoing) this.#going -= 1;
      isGoing = false;
    };
    const keeping: KeepingOptions = {
      log,
      workers,
      ...(dismissals && { dismissals }),
      budgetBytes: this.#shareBytes,
      keyframesMaxAgeMs: this.#options.keyframesMaxAgeMs,
      drain: AbortSignal.any([drain, removal.signal]),
      signal,
      maxPauseMs,
      listener,
      own: listener.pipeline?.(status) ?? {},
      onStatus: (now) => {
        status = now;
        if (isOver(now)) goesNoMore();
      },
    };
    const ended = this.#withShare(pipeline, keeping).finally(() => {
      goesNoMore();
      this.#settled.add(supervised);
      if (status.state === 'suspended' && !drain.aborted && !signal.aborted) this.#pipelines.delete(key);
    });
    const supervised: Supervised = {
      pipeline,
      get status() {
        return status;
      },
      ended,
      remove: () => {
        goesNoMore();
        removal.abort(new Error(`${key} is removed`));
        return ended.finally(() => {
          if (this.#pipelines.get(key) === supervised) this.#pipelines.delete(key);
        });
      },
    };
    this.#pipelines.delete(key);
    this.#pipelines.set(key, supervised);
    this.during(ended);
    return supervised;
  }

  /** Stays up until this is settled, although no pipeline may go on: what it does may bring others. */
  during(work: Promise<unknown>): void {
    this.#pending.add(work);
    work.then(
      () => this.#pending.delete(work),
      (error: unknown) => this.#fail(error),
    );
  }

  /**
   * Resolves when every pipeline has ended or failed, or the service is drained, and nothing is left of what `during` was
   * told; then no more may be added.
   * @returns how each of them ended, but for those that were removed or lost
   * @throws what anything of it failed by, at once; the pipelines go on until they are stopped
   */
  async ended(): Promise<readonly PipelineStatus[]> {
    while (this.#pending.size > 0) await Promise.race([Promise.all(this.#pending), this.#failure]);
    this.#isOver = true;
    return this.statuses;
  }

  /** Waits until the share of one that was removed is free, where it must. */
  async #withShare(pipeline: Pipeline<never>, keeping: KeepingOptions): Promise<PipelineStatus> {
    const stop = [keeping.drain, keeping.signal, ...(pipeline.lost ? [pipeline.lost] : [])];
    try {
      await this.#shares.take(this.#shareBytes, AbortSignal.any(stop));
    } catch {
      // Only an abort throws here, which `keepGoing` sees at once.
      return keepGoing(pipeline, keeping);
    }
    try {
      return await keepGoing(pipeline, keeping);
    } finally {
      this.#shares.give(this.#shareBytes);
    }
  }

  #refuseWhereImpossible(key: string): void {
    if (this.#isOver) throw serviceError('SERVICE_OVER', 'internal', `${key} comes after the end of the service`);
    const before = this.#pipelines.get(key);
    if (before !== undefined && !isOver(before.status) && !this.#settled.has(before)) {
      throw serviceError('PIPELINE_EXISTS', 'internal', `there is a pipeline ${key} already`);
    }
    const { maxPipelines } = this.#options;
    if (this.#going < maxPipelines) return;
    const message = `${key} would be one more than the ${maxPipelines} sources that are read at a time at most`;
    throw serviceError('SERVICE_FULL', 'resource', message, 'raise limits.maxSources, and limits.budgetMiB with it');
  }
}

const isOver = ({ state }: PipelineStatus): boolean => state === 'ended' || state === 'failed';

const serviceError = (code: string, class_: 'internal' | 'resource', message: string, hint?: string) =>
  new BlinkstreamError(message, { code, class: class_, stage: 'topology', ...(hint !== undefined && { hint }) });
