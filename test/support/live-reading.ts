import { isTick, type FrameRef, type Position, type Tick } from '../../src/records/index.js';
import { ByteBudget } from '../../src/sources/budget.js';
import type { Source } from '../../src/sources/index.js';

/** What a live source gives, read on from one expectation to the next. */
export class LiveReading {
  readonly frames: FrameRef[] = [];
  readonly ticks: Tick[] = [];
  /** Both, by their event times. */
  readonly timesMs: number[] = [];
  readonly budget = new ByteBudget(8 << 20);
  readonly #stop = new AbortController();
  readonly #reading: ReturnType<Source['read']>;

  constructor(source: Source, from?: Position) {
    this.#reading = source.read({ budget: this.budget, signal: this.#stop.signal, ...(from && { from }) });
  }

  /** The gaps as the ticks tell them, one entry where a gap or its reason begins, and one where it is over. */
  get gaps(): string[] {
    const told = this.ticks.flatMap(({ gap }) => (gap ? [`${gap.over ? 'over' : 'lost'}: ${gap.reason}`] : []));
    return told.filter((one, i) => one !== told[i - 1]);
  }

  /** Reads until so many frames more have come. */
  async frame(count = 1): Promise<FrameRef> {
    for (const wanted = this.frames.length + count; this.frames.length < wanted;) await this.#next();
    return this.frames[this.frames.length - 1];
  }

  /** Reads until a tick comes for which that holds. */
  async tick(holds: (tick: Tick) => boolean): Promise<Tick> {
    for (let read = this.ticks.length; ; read = this.ticks.length) {
      await this.#next();
      const found = this.ticks.slice(read).find(holds);
      if (found !== undefined) return found;
    }
  }

  async stop(): Promise<void> {
    this.#stop.abort(new Error('stopped by the test'));
    await this.#reading.return(undefined as never);
  }

  async #next(): Promise<void> {
    const step = await this.#reading.next();
    if (step.done === true) throw new Error('a live source does not end');
    if (isTick(step.value)) {
      this.ticks.push(step.value);
      this.timesMs.push(step.value.eventTimeMs);
      return;
    }
    this.frames.push(step.value.ref);
    this.timesMs.push(step.value.ref.eventTimeMs);
    step.value.lease.release();
  }
}
