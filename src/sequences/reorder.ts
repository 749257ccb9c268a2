import { isTick, type FrameRef, type Tick } from '../records/index.js';

/** What tells the order of frames: event time, and among equal times the index. */
export type EventOrder = Pick<FrameRef, 'eventTimeMs' | 'index'>;

/** Whether `a` comes after `b` in event-time order. */
export const isAfter = (a: EventOrder, b: EventOrder): boolean =>
  a.eventTimeMs > b.eventTimeMs || (a.eventTimeMs === b.eventTimeMs && a.index > b.index);

/** Where an item stands: a tick after the frames of its time. */
export const orderOf = (item: { readonly ref: FrameRef } | Tick): EventOrder =>
  isTick(item) ? { eventTimeMs: item.eventTimeMs, index: Number.POSITIVE_INFINITY } : item.ref;

/** What a reorder buffer made of one input. */
export interface Reordered<T> {
  /** In event-time order. */
  readonly ready: readonly T[];
  /** Came after the watermark had passed it. */
  readonly late: readonly T[];
}

/**
 * A bounded reorder buffer by event time: a frame waits until the watermark (the latest event time seen less
 * `allowedLatenessMs`) has reached it. Inside the bound, order of arrival changes nothing that comes out; what comes
 * later than the watermark is late, and so is what a frame that was let through should have followed. Frames of equal
 * time keep the order of their index. Ticks move the watermark on as frames do, and wait for it in their own place; a gap
 * in the signal moves it up to itself.
 */
export class ReorderBuffer<T extends { readonly ref: FrameRef } | Tick> {
  #waiting: T[] = [];
  #latestMs = Number.NEGATIVE_INFINITY;
  #passed: EventOrder | undefined;
  readonly #allowedLatenessMs: number;

  constructor(allowedLatenessMs: number) {
    this.#allowedLatenessMs = allowedLatenessMs;
  }

  get watermarkMs(): number {
    return this.#latestMs - this.#allowedLatenessMs;
  }

  get waiting(): readonly T[] {
    return this.#waiting;
  }

  push(item: T): Reordered<T> {
    const order = orderOf(item);
    const timeMs = order.eventTimeMs;
    const overtaken = this.#passed !== undefined && !isAfter(order, this.#passed);
    if (timeMs < this.watermarkMs || overtaken) return { ready: [], late: [item] };
    // Nothing is waited for while there is no signal.
    const isGap = isTick(item) && item.gap !== undefined;
    this.#latestMs = Math.max(this.#latestMs, isGap ? timeMs + this.#allowedLatenessMs : timeMs);
    // Frames nearly always come in order, so the place is near the end.
    let at = this.#waiting.length;
    while (at > 0 && isAfter(orderOf(this.#waiting[at - 1]), order)) at--;
    this.#waiting.splice(at, 0, item);
    return { ready: this.#upTo(this.watermarkMs), late: [] };
  }

  /** The source has ended: nothing is waited for any more. */
  end(): Reordered<T> {
    return { ready: this.#upTo(Number.POSITIVE_INFINITY), late: [] };
  }

  #upTo(watermarkMs: number): T[] {
    let n = 0;
    while (n < this.#waiting.length && orderOf(this.#waiting[n]).eventTimeMs <= watermarkMs) n++;
    const ready = this.#waiting.splice(0, n);
    const last = ready.at(-1);
    if (last !== undefined) this.#passed = orderOf(last);
    return ready;
  }
}
