import { formatKafkaOffset, parseKafkaOffset, type KafkaOffset } from '../../kafka/position.js';
import type { Frame, Position, Tick } from '../../records/index.js';
import { leaseOf, type ByteBudget } from '../budget.js';
import type { ReadOptions, Source, SourceReport } from '../index.js';
import { coveredTo, isCovered, type CoveredTo } from './coverage.js';
import type { FrameMessage } from './message.js';

/** What a partition hands to one of its cameras, in the order of its messages. */
export type CameraItem =
  | FrameMessage
  /** Messages below `before` were gone before they were read. */
  | { readonly type: 'expired'; readonly before: bigint; readonly reason: string };

/** What a camera asks of the partition that it is in. */
export interface CameraHost {
  readonly topic: string;
  readonly partition: number;
  /** Quiet for this long, it tells that time passes; ms. */
  readonly idleMs: number;
  /** Bytes that are no longer waiting here. */
  given(bytes: number): void;
  /** It goes on from there: what is before needs no reading any more. */
  cover(camera: string, to: CoveredTo): void;
  /** Whether there is a message that no checkpoint covers. */
  isOpen(camera: string): boolean;
  /** Whether everything that the broker has was taken in. */
  isCaughtUp(): Promise<boolean>;
}

/** How often a quiet camera tells that time has passed. */
const TICK_EVERY_MS = 1_000;

/**
 * One camera of a partition, as a source. `index` counts its frames, from the position on where it goes on from one, so
 * that the numbers are the same after any crash.
 *
 * Ticks: when nothing came for `idleMs` although everything was read, and while there is something that no checkpoint
 * covers, it tells that event time has passed: as much as time has passed since the last frame, less `idleMs`, which is
 * how long a frame may be on its way without coming late.
 */
export class Camera implements Source {
  readonly name: string;
  readonly #host: CameraHost;
  readonly #items: CameraItem[] = [];
  readonly #suspension = new AbortController();
  #wake: (() => void) | undefined;

  constructor(name: string, host: CameraHost) {
    this.name = name;
    this.#host = host;
  }

  /** Bytes of frames that wait here. */
  get waitingBytes(): number {
    return this.#items.reduce((sum, item) => sum + (item.type === 'frame' ? item.picture.bytes.byteLength : 0), 0);
  }

  get #isSuspended(): boolean {
    return this.#suspension.signal.aborted;
  }

  push(item: CameraItem): void {
    if (this.#isSuspended) return;
    this.#items.push(item);
    this.#wake?.();
  }

  /** No more is given: what waits is left to whoever reads the partition next. */
  suspend(): void {
    this.#suspension.abort();
    const bytes = this.waitingBytes;
    this.#items.length = 0;
    if (bytes > 0) this.#host.given(bytes);
    this.#wake?.();
  }

  committed(position: Position): void {
    this.#host.cover(this.name, coveredTo(position));
  }

  async *read({ from, budget, signal }: ReadOptions): AsyncGenerator<Frame | Tick, SourceReport, undefined> {
    const host = this.#host;
    const stop = AbortSignal.any([signal, this.#suspension.signal]);
    if (from !== undefined) this.committed(from);
    const clock = new CameraClock(this.name, from);
    for (;;) {
      const item = await this.#next(signal, clock);
      if (item === undefined) break;
      if (item.type === 'tick') {
        yield item;
      } else if (item.type === 'expired') {
        const tick = clock.expired(item.before, item.reason);
        if (tick !== undefined) yield tick;
      } else if (clock.isDone(item.message.offset)) {
        host.given(item.picture.bytes.byteLength);
      } else {
        const bytes = item.picture.bytes.byteLength;
        // From here on the pipeline's budget counts them.
        const credit = budget.take(bytes, stop);
        const isIn = await credit.then(
          () => true,
          () => false,
        );
        host.given(bytes);
        signal.throwIfAborted();
        if (!isIn) break;
        yield this.#frame(item, clock, budget);
      }
    }
    return { framesRead: clock.framesRead, complete: false, suspended: true, unreadable: [] };
  }

  #frame(
    { message: { offset }, eventTimeMs, picture, width, height }: FrameMessage,
    clock: CameraClock,
    budget: ByteBudget,
  ): Frame {
    const { topic, partition } = this.#host;
    const bytes = picture.bytes.byteLength;
    const index = clock.frame(eventTimeMs);
    const firstMs = clock.firstMs ?? eventTimeMs;
    return {
      ref: {
        source: this.name,
        index,
        eventTimeMs,
        elapsedMs: eventTimeMs - firstMs,
        position: { index, offset: formatKafkaOffset({ topic, partition, offset, firstMs, timeMs: eventTimeMs }) },
        width,
        height,
      },
      lease: leaseOf({ form: 'encoded', encoded: picture }, bytes, () => budget.give(bytes)),
    };
  }

  /** The next item, or a tick after a while without one; undefined where the camera is to be handed over. */
  async #next(signal: AbortSignal, clock: CameraClock): Promise<CameraItem | Tick | undefined> {
    let waitMs = this.#host.idleMs;
    for (;;) {
      signal.throwIfAborted();
      if (this.#isSuspended) return undefined;
      const item = this.#items.shift();
      if (item !== undefined) return item;
      if (await this.#woken(waitMs, signal)) continue;
      waitMs = Math.min(TICK_EVERY_MS, this.#host.idleMs);
      // Asked last, because the broker has to be asked.
      if (!this.#host.isOpen(this.name) || !(await this.#host.isCaughtUp())) continue;
      if (this.#items.length > 0 || this.#isSuspended) continue;
      const tick = clock.idle(this.#host.idleMs);
      if (tick !== undefined) return tick;
    }
  }

  /** True when something came, false after `waitMs`. @throws the signal's reason */
  #woken(waitMs: number, signal: AbortSignal): Promise<boolean> {
    return new Promise((resolve, reject) => {
      const end = (settle: () => void) => () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', aborted);
        this.#wake = undefined;
        settle();
      };
      const aborted = end(() => reject(signal.reason instanceof Error ? signal.reason : new Error('aborted')));
      const timer = setTimeout(
        end(() => resolve(false)),
        waitMs,
      );
      this.#wake = end(() => resolve(true));
      signal.addEventListener('abort', aborted, { once: true });
    });
  }
}

/** Numbers and times of one camera's frames, from the first or from where it goes on. */
class CameraClock {
  firstMs: number | undefined;
  readonly #source: string;
  readonly #from: { readonly index: number; readonly position: KafkaOffset; readonly after: boolean } | undefined;
  /** Number of the next message. */
  #index = 0;
  #latestMs: number | undefined;
  #latestAt = 0;
  #toldMs = Number.NEGATIVE_INFINITY;

  constructor(source: string, from: Position | undefined) {
    this.#source = source;
    if (from === undefined) return;
    const position = parseKafkaOffset(from.offset);
    this.#from = { index: from.index, position, after: from.after === true };
    this.#index = from.index;
    this.firstMs = position.firstMs;
    this.#latestMs = position.timeMs;
  }

  get framesRead(): number {
    return this.#index;
  }

  /** Whether the checkpoint covers the message already. */
  isDone(offset: bigint): boolean {
    const from = this.#from;
    if (from === undefined) return false;
    if (isCovered(offset, { offset: from.position.offset, after: from.after })) return true;
    // The message at `from` itself may have expired.
    if (this.#index === from.index && offset > from.position.offset) this.#index = from.index + 1;
    return false;
  }

  /** Number of the frame that comes next. */
  frame(eventTimeMs: number): number {
    this.firstMs ??= eventTimeMs;
    this.#latestMs = Math.max(this.#latestMs ?? eventTimeMs, eventTimeMs);
    this.#latestAt = performance.now();
    return this.#index++;
  }

  idle(idleMs: number): Tick | undefined {
    // Before its first frame in this run there is no telling how long it has been quiet.
    if (this.#latestMs === undefined || this.#latestAt === 0) return undefined;
    const passedMs = performance.now() - this.#latestAt - idleMs;
    return passedMs > 0 ? this.#tick(this.#latestMs + passedMs) : undefined;
  }

  /** Frames may be gone for good: the gap begins with the last one that is known, and ends with the next one. */
  expired(before: bigint, reason: string): Tick | undefined {
    const from = this.#from;
    const isFirst = this.#latestAt === 0;
    if (from !== undefined && isFirst && before <= from.position.offset + (from.after ? 1n : 0n)) return undefined;
    if (this.#latestMs === undefined) return undefined;
    // Between two frames, whose times are whole: after the one before it, and no reason to take the next for late.
    return { ...this.#tick(this.#latestMs + 0.5), gap: { sinceMs: this.#latestMs, reason, over: false } };
  }

  #tick(eventTimeMs: number): Tick {
    this.#toldMs = Math.max(this.#toldMs, eventTimeMs);
    return {
      type: 'tick',
      source: this.#source,
      eventTimeMs: this.#toldMs,
      elapsedMs: this.#toldMs - (this.firstMs ?? this.#toldMs),
    };
  }
}
