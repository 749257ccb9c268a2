import type { FrameRef, Position, Tick } from '../../records/index.js';
import { pauseFor } from '../../records/pause.js';
import { EventTime, type Clock } from './event-time.js';
import { liveOffset, livePosition } from './live-position.js';

/** A tick is given this often while there is no picture to give. */
const TICK_MS = 1_000;

/** The time of a live source, and whether there is a signal: makes its ticks, and the references of its frames. */
export class Signal {
  readonly #source: string;
  readonly #time: EventTime;
  #firstMs: number | undefined;
  /** Event time of what was given last, and of the last fresh picture. */
  #givenMs = Number.NEGATIVE_INFINITY;
  #freshMs: number;
  #index: number;
  #gap: { readonly sinceMs: number; reason: string } | undefined;

  /** @param from the last picture of a run before this one */
  constructor(source: string, clock: Clock, from?: Position) {
    const before = from && livePosition(from);
    this.#source = source;
    this.#time = new EventTime(clock, before?.eventTimeMs);
    this.#firstMs = before?.firstMs;
    this.#freshMs = before?.eventTimeMs ?? clock.wallMs();
    this.#index = from === undefined ? 0 : from.index + 1;
  }

  /** Pictures given, those of runs before included. */
  get pictures(): number {
    return this.#index;
  }

  now(): number {
    return this.#time.next();
  }

  /** There is no fresh picture, for this reason; since the last one unless told otherwise. */
  lose(reason: string, sinceMs = this.#freshMs): void {
    if (this.#gap === undefined) this.#gap = { sinceMs, reason };
    else this.#gap.reason = reason;
  }

  get isLost(): boolean {
    return this.#gap !== undefined;
  }

  /** Time passes. */
  tick(eventTimeMs = this.now()): Tick {
    this.#givenMs = eventTimeMs;
    return this.#tickAt(eventTimeMs, false);
  }

  /** A tick, where none was given for a while. */
  *tickIfDue(eventTimeMs: number): Generator<Tick, void, undefined> {
    if (eventTimeMs - this.#givenMs >= TICK_MS) yield this.tick(eventTimeMs);
  }

  /** Pictures are back, if they were gone: the tick that says so. */
  *back(): Generator<Tick, void, undefined> {
    if (this.#gap === undefined) return;
    const tick = this.#tickAt(this.now(), true);
    this.#gap = undefined;
    yield tick;
  }

  /** The reference of a fresh picture that comes now. */
  picture(width: number, height: number): FrameRef {
    const eventTimeMs = this.now();
    this.#firstMs ??= eventTimeMs;
    this.#givenMs = eventTimeMs;
    this.#freshMs = eventTimeMs;
    const index = this.#index++;
    const offset = liveOffset({ eventTimeMs, firstMs: this.#firstMs });
    const elapsedMs = eventTimeMs - this.#firstMs;
    return { source: this.#source, index, eventTimeMs, elapsedMs, position: { index, offset }, width, height };
  }

  /** What is waited for, and a tick every second until it is there. */
  async *until<T>(awaited: Promise<T>): AsyncGenerator<Tick, T, undefined> {
    // Whoever stops listening in between has stopped what it comes from as well.
    awaited.catch(() => undefined);
    const settled = awaited.then((value) => ({ value }));
    for (;;) {
      const first = new AbortController();
      const tired = pauseFor(TICK_MS, first.signal);
      const winner = await Promise.race([settled, tired]).finally(() => first.abort());
      if (winner !== undefined) return winner.value;
      yield this.tick();
    }
  }

  #tickAt(eventTimeMs: number, over: boolean): Tick {
    this.#firstMs ??= eventTimeMs;
    const elapsedMs = eventTimeMs - this.#firstMs;
    const gap = this.#gap && { ...this.#gap, over };
    return { type: 'tick', source: this.#source, eventTimeMs, elapsedMs, ...(gap && { gap }) };
  }
}
