import { BlinkstreamError } from '../records/index.js';
import type { Life } from './lives.js';
import type { WorkerListener, WorkerLoad } from './load.js';
import { type Seat, SupervisedWorker } from './supervisor.js';

export interface WorkerStart {
  /** As errors tell it. */
  readonly name: string;
  readonly start: (signal: AbortSignal) => Promise<Life>;
}

/** Somebody who waits for a place. */
interface Waiting {
  /** Taken only where there is no other worker. */
  readonly avoid: SupervisedWorker | undefined;
  readonly take: (seat: Seat) => void;
  readonly refuse: (error: Error) => void;
}

/** The workers, and the line of those who wait for a free place at one: first come, first served. */
export class WorkerLine {
  readonly workers: readonly SupervisedWorker[];
  readonly #waiting: Waiting[] = [];
  /** Those whose being down was told. */
  readonly #down = new Set<SupervisedWorker>();
  #hasStarted = false;
  #closed = false;

  /** @param onDown told why a worker is down, each time that one goes down, once `started` has resolved */
  constructor(
    starts: readonly WorkerStart[],
    private readonly onDown: (problem: BlinkstreamError) => void = () => undefined,
    listener: WorkerListener = {},
  ) {
    const changed = (): void => {
      this.#tellDown();
      this.#serve();
    };
    this.workers = starts.map(({ name, start }) => new SupervisedWorker(name, start, changed, listener));
  }

  load(): Omit<WorkerLoad, 'retries'> {
    const sum = (count: (worker: SupervisedWorker) => number): number =>
      this.workers.reduce((total, worker) => total + count(worker), 0);
    const up = sum(({ life }) => (life === undefined ? 0 : 1));
    return {
      waiting: this.#waiting.length,
      inFlight: sum(({ inFlight }) => inFlight),
      capacity: this.capacity,
      up,
      down: this.workers.length - up,
      replaced: sum(({ replaced }) => replaced),
    };
  }

  /** Places at the workers that are not down, at least 1. */
  get capacity(): number {
    const up = this.workers.filter(({ problem }) => problem === undefined);
    return up.reduce((sum, { life }) => sum + (life?.capacity ?? 1), 0) || 1;
  }

  /** Resolves when the first worker serves. @throws BlinkstreamError why the first is down, when all are */
  async started(): Promise<void> {
    const seat = await this.seat(new AbortController().signal).catch((error: unknown) => {
      throw this.workers.find(({ problem }) => problem !== undefined)?.problem ?? error;
    });
    seat.leave();
    this.#hasStarted = true;
    this.#tellDown();
  }

  /**
   * A free place, as soon as there is one. Who has failed before (`avoid`) waits at the head of the line, because what
   * came later waits for it at the outlet.
   * @throws BlinkstreamError `WORKERS_DOWN` (external), `WORKER_POOL_CLOSED` (internal)
   * @throws the signal's reason on abort
   */
  async seat(signal: AbortSignal, avoid?: SupervisedWorker): Promise<Seat> {
    signal.throwIfAborted();
    if (this.#closed) throw closed();
    let onAbort: (() => void) | undefined;
    try {
      return await new Promise<Seat>((take, refuse) => {
        const entry: Waiting = { avoid, take, refuse };
        onAbort = () => {
          const at = this.#waiting.indexOf(entry);
          if (at < 0) return;
          this.#waiting.splice(at, 1);
          refuse(signal.reason instanceof Error ? signal.reason : new Error('aborted'));
        };
        signal.addEventListener('abort', onAbort, { once: true });
        if (avoid === undefined) this.#waiting.push(entry);
        else this.#waiting.unshift(entry);
        this.#serve();
      });
    } finally {
      if (onAbort !== undefined) signal.removeEventListener('abort', onAbort);
    }
  }

  /** Ends the workers; who waits is refused. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#refuseAll(closed());
    await Promise.all(this.workers.map((worker) => worker.close()));
  }

  #tellDown(): void {
    // Until then, an error of `started` tells it.
    if (!this.#hasStarted) return;
    for (const worker of this.workers) {
      if (worker.problem === undefined) this.#down.delete(worker);
      else if (!this.#down.has(worker)) {
        this.#down.add(worker);
        this.onDown(worker.problem);
      }
    }
  }

  #serve(): void {
    const usable = this.workers.filter(({ problem }) => problem === undefined);
    if (usable.length === 0) this.#refuseAll(down(this.workers));
    // From the start each time: whoever takes a place may leave one, or come to wait, before `take` returns.
    for (let next = this.#next(usable); next !== undefined; next = this.#next(usable)) {
      const { at, seat } = next;
      const [entry] = this.#waiting.splice(at, 1);
      entry.take(seat);
    }
  }

  /** The first in the line for whom there is a place. */
  #next(usable: readonly SupervisedWorker[]): { readonly at: number; readonly seat: Seat } | undefined {
    for (const [at, { avoid }] of this.#waiting.entries()) {
      const others = usable.filter((worker) => worker !== avoid);
      const [freest] = (others.length > 0 ? others : [...usable]).sort((a, b) => b.free - a.free);
      const seat = freest?.seat();
      if (seat !== undefined) return { at, seat };
    }
    return undefined;
  }

  #refuseAll(error: BlinkstreamError): void {
    for (const { refuse } of this.#waiting.splice(0)) refuse(error);
  }
}

const closed = (): BlinkstreamError =>
  new BlinkstreamError('the workers are closed', {
    code: 'WORKER_POOL_CLOSED',
    class: 'internal',
    stage: 'worker',
    hint: 'Close the workers after the last sequence.',
  });

const down = (workers: readonly SupervisedWorker[]): BlinkstreamError =>
  new BlinkstreamError(`no worker is up: ${[...new Set(workers.map(({ problem }) => problem?.message))].join('; ')}`, {
    code: 'WORKERS_DOWN',
    class: 'external',
    stage: 'worker',
    hint: 'Run blinkstream doctor; the workers are tried again all the while.',
    cause: workers[0].problem,
  });
