import { BlinkstreamError, type FrameSequence, messageOf, type Reasoned } from '../records/index.js';
import { pauseFor } from '../records/pause.js';
import type { Ask } from './client.js';
import type { Life } from './lives.js';
import type { WorkerListener } from './load.js';
import { NoAnswer } from './status.js';

/** Starts without success, one after the other, after which a worker counts as down; it is tried again all the same. */
const toleratedFailures = 3;
const firstBackOffMs = 100;
const longestBackOffMs = 30_000;
/** A worker that ended idle and younger than this did not really start. */
const youngMs = 10_000;

interface Current extends Life {
  inFlight: number;
}

/** A place at a worker, for one sequence. */
export interface Seat {
  readonly worker: SupervisedWorker;
  /**
   * Asks the worker and leaves the place once the worker is free of the sequence, or gone.
   * @throws BlinkstreamError as the worker told it
   * @throws NoAnswer when it is known what was wrong
   * @throws the signal's reason on abort, at once
   */
  ask(sequence: FrameSequence, ask: Ask): Promise<Reasoned>;
  /** Leaves it unused. */
  leave(): void;
}

/** Keeps one worker alive: starts it, and starts it again when it is gone, with growing pauses where that fails. */
export class SupervisedWorker {
  #life: Current | undefined;
  #problem: BlinkstreamError | undefined;
  #replaced = 0;
  readonly #closing = new AbortController();
  readonly #background = new Set<Promise<unknown>>();
  readonly #loop: Promise<void>;

  /**
   * @param name as errors tell it
   * @param onChange called whenever it may take a sequence that it could not take before, or is down
   */
  constructor(
    readonly name: string,
    private readonly start: (signal: AbortSignal) => Promise<Life>,
    private readonly onChange: () => void,
    private readonly listener: WorkerListener = {},
  ) {
    this.#loop = this.#keepAlive();
  }

  /** Why it is down; undefined where it serves, or may soon. */
  get problem(): BlinkstreamError | undefined {
    return this.#problem;
  }

  get life(): Life | undefined {
    return this.#life;
  }

  /** Sequences that it has. */
  get inFlight(): number {
    return this.#life?.inFlight ?? 0;
  }

  /** How often it served and was gone, other than by `close`. */
  get replaced(): number {
    return this.#replaced;
  }

  /** Sequences that it can take now. */
  get free(): number {
    return this.#life === undefined ? 0 : this.#life.capacity - this.#life.inFlight;
  }

  /** Takes one of its free places; undefined where it has none. */
  seat(): Seat | undefined {
    const life = this.#life;
    if (life === undefined || life.inFlight === life.capacity) return undefined;
    life.inFlight += 1;
    const leave = (): void => {
      life.inFlight -= 1;
      this.onChange();
    };
    return { worker: this, leave, ask: (sequence, ask) => this.#ask(life, leave, sequence, ask) };
  }

  async #ask(life: Life, leave: () => void, sequence: FrameSequence, ask: Ask): Promise<Reasoned> {
    try {
      const reasoned = await life.client.reason(sequence, ask);
      leave();
      return reasoned;
    } catch (error) {
      if (error instanceof NoAnswer) {
        const { why, isFromOutside } = await life.recover(error.kind).finally(leave);
        throw new NoAnswer(error.kind, why, error, isFromOutside);
      }
      if (ask.signal.aborted) this.#inBackground(life.recover('cancelled').finally(leave));
      else leave();
      throw error;
    }
  }

  /** Ends it and does not start it again. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#life?.end();
    await this.#loop;
    await Promise.all(this.#background);
  }

  #inBackground(work: Promise<unknown>): void {
    this.#background.add(work);
    void work.finally(() => this.#background.delete(work));
  }

  async #keepAlive(): Promise<void> {
    const { signal } = this.#closing;
    for (let failures = 0; !signal.aborted;) {
      try {
        await this.#live(signal);
        failures = 0;
      } catch (error) {
        failures += 1;
        this.#failed(error, failures);
      }
      if (failures > 0 && !signal.aborted) {
        const pauseMs = Math.min(longestBackOffMs, firstBackOffMs * 2 ** (failures - 1));
        await pauseFor(pauseMs, signal); // Aborted: the loop ends.
      }
    }
  }

  /** One life; throws where it was none worth the name, so that the next does not follow at once. */
  async #live(signal: AbortSignal): Promise<void> {
    const life = { ...(await this.start(signal)), inFlight: 0 };
    const bornMs = performance.now();
    if (signal.aborted) await life.end();
    this.#life = life;
    this.#problem = undefined;
    this.onChange();
    const why = await life.gone;
    this.#life = undefined;
    if (!signal.aborted) {
      this.#replaced += 1;
      this.listener.gone?.(this.name, why);
    }
    // A worker that dies of a sequence is no bad worker: the sequence has its retry, the next one a new worker.
    if (life.inFlight > 0 || performance.now() - bornMs > youngMs || signal.aborted) return;
    throw new Error(`it ${why}`);
  }

  #failed(error: unknown, failures: number): void {
    const told = error instanceof BlinkstreamError ? error : undefined;
    // What is wrong with the installation does not get better by trying.
    const hopeless = told !== undefined && told.class !== 'external' && told.class !== 'resource';
    if (!hopeless && failures < toleratedFailures) return;
    this.#problem =
      told ??
      new BlinkstreamError(`${this.name} does not stay up (${failures} attempts): ${messageOf(error)}`, {
        code: 'WORKER_DOWN',
        class: 'external',
        stage: 'worker',
        hint: 'Run blinkstream doctor; see that the worker runs and can be reached.',
        cause: error,
      });
    this.onChange();
  }
}
