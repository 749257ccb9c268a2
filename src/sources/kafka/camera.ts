import type { Frame, Position, Tick } from '../../records/index.js';
import type { ReadOptions, Source, SourceReport } from '../index.js';
import { CameraClock } from './camera-clock.js';
import { coveredTo, type CoveredTo } from './coverage.js';
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

function drop(item: CameraItem): void {
  if (item.type === 'frame') item.message.release();
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
    if (this.#isSuspended) return drop(item);
    this.#items.push(item);
    this.#wake?.();
  }

  /** No more is given: what waits is left to whoever reads the partition next. */
  suspend(): void {
    this.#suspension.abort();
    const bytes = this.waitingBytes;
    for (const item of this.#items.splice(0)) drop(item);
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
        drop(item);
      } else {
        const bytes = item.picture.bytes.byteLength;
        // From here on the pipeline's budget counts them.
        const credit = budget.take(bytes, stop);
        const isIn = await credit.then(
          () => true,
          () => false,
        );
        host.given(bytes);
        if (!isIn) drop(item);
        signal.throwIfAborted();
        if (!isIn) break;
        yield clock.frame(item, host, () => budget.give(bytes));
      }
    }
    return { framesRead: clock.framesRead, complete: false, suspended: true, unreadable: [] };
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
