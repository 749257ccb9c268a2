import { formatKafkaOffset, parseKafkaOffset, type KafkaOffset } from '../../kafka/position.js';
import type { Frame, Position, Tick } from '../../records/index.js';
import { leaseOf } from '../budget.js';
import { isCovered } from './coverage.js';
import type { FrameMessage } from './message.js';

/** Numbers and times of one camera's frames, from the first or from where it goes on. */
export class CameraClock {
  #firstMs: number | undefined;
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
    this.#firstMs = position.firstMs;
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

  /** The next frame, out of a message of `topic/partition`. @param release called when its lease is over */
  frame(
    { message, eventTimeMs, picture, width, height }: FrameMessage,
    { topic, partition }: { readonly topic: string; readonly partition: number },
    release: () => void,
  ): Frame {
    this.#firstMs ??= eventTimeMs;
    this.#latestMs = Math.max(this.#latestMs ?? eventTimeMs, eventTimeMs);
    this.#latestAt = performance.now();
    const index = this.#index++;
    const firstMs = this.#firstMs;
    const { offset } = message;
    return {
      ref: {
        source: this.#source,
        index,
        eventTimeMs,
        elapsedMs: eventTimeMs - firstMs,
        position: { index, offset: formatKafkaOffset({ topic, partition, offset, firstMs, timeMs: eventTimeMs }) },
        width,
        height,
      },
      lease: leaseOf({ form: 'encoded', encoded: picture }, picture.bytes.byteLength, () => {
        message.release();
        release();
      }),
    };
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
      elapsedMs: this.#toldMs - (this.#firstMs ?? this.#toldMs),
    };
  }
}
