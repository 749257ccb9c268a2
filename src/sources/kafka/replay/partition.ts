import type { FetchedBatch } from '../../../kafka/consumer.js';
import { BlinkstreamError } from '../../../records/index.js';
import { persist } from '../../../records/persist.js';
import { Flow } from '../flow.js';
import { Intake, type Taken } from '../intake.js';
import {
  originOf,
  readMessage,
  type ClaimStore,
  type FrameMessage,
  type MessageLimits,
  type PoisonMessage,
  type RawMessage,
} from '../message.js';
import type { TopicOffsets } from '../topic-offsets.js';
import type { ReplayCameraHost } from './camera.js';
import { expiredBefore, type PartitionStretch, type Stretch } from './stretch.js';

export interface ReplayPartitionOptions {
  readonly offsets: Pick<TopicOffsets, 'topic' | 'watermarksNow'>;
  readonly stretch: Pick<Stretch, 'fromMs' | 'toMs'>;
  readonly part: PartitionStretch;
  /** Empty: all. */
  readonly cameras: ReadonlySet<string>;
  readonly claims: ClaimStore | undefined;
  readonly limits: MessageLimits;
  readonly partitionBytes: number;
  readonly signal: AbortSignal;
}

/** What a partition asks of its feed, and tells it. */
export interface ReplayPartitionHost {
  pause(partition: number): void;
  resume(partition: number): void;
  seek(partition: number, offset: bigint): void;
  /** Gives a frame to its camera. @returns bytes that wait now @throws BlinkstreamError where it cannot have one */
  give(frame: FrameMessage, partition: ReplayCameraHost): number;
  /** It was tried, and is tried again. */
  problem(error: unknown): void;
  passedOver(poison: PoisonMessage, partition: number): void;
}

/**
 * The reading of a stretch is over once this much message time has passed since its end, and since the last frame of the
 * stretch: frames that come later than that after they were taken are not met.
 */
export const maxLateMs = 3_600_000;

/**
 * One partition from the first message of a stretch to its last. Where the end is a time, it reads on beyond it while
 * frames of the stretch may come still. That depends on the messages alone, from the first on: read again, the same is met.
 * What is not of the stretch is not fetched from the blob store, and not decoded.
 */
export class ReplayPartition implements ReplayCameraHost {
  readonly topic: string;
  readonly partition: number;
  /** Resolves when every frame of it was given to its camera. */
  readonly done: Promise<void>;
  readonly #options: ReplayPartitionOptions;
  readonly #host: ReplayPartitionHost;
  readonly #intake: Intake;
  readonly #failure: Promise<never>;
  #fail!: (error: unknown) => void;
  readonly #flow: Flow;
  #isOver = false;
  #allowedFrom: bigint | undefined;
  /** Time of the message with the last frame of the stretch, or of the first message. */
  #lastWantedMs: number | undefined;

  constructor(options: ReplayPartitionOptions, host: ReplayPartitionHost) {
    const { part, offsets, signal } = options;
    this.topic = offsets.topic;
    this.partition = part.partition;
    this.#options = options;
    this.#host = host;
    this.#intake = new Intake(part.first, (message) => this.#read(message));
    this.#flow = new Flow({
      partitionBytes: options.partitionBytes,
      fetchedBytes: () => this.#intake.bytes,
      pause: () => host.pause(part.partition),
      resume: () => host.resume(part.partition),
    });
    this.#failure = new Promise((_, reject) => (this.#fail = reject));
    this.#failure.catch(() => undefined);
    const stopped = (): void => {
      this.#fail(signal.reason);
      this.#intake.end();
      this.#flow.end();
    };
    signal.addEventListener('abort', stopped, { once: true });
    this.done = Promise.race([this.#pump(), this.#failure]).finally(() => {
      signal.removeEventListener('abort', stopped);
      this.#close();
    });
  }

  /** To be called when the group was joined: the consumer does not know where it stood. */
  joined(): void {
    if (!this.#isOver) this.#host.seek(this.partition, this.#intake.next);
    this.#flow.restore();
  }

  fetched(batch: FetchedBatch): void {
    if (this.#isOver || this.#flow.isHeld) return;
    const { next } = this.#intake;
    if (batch.from !== next && batch.from !== this.#allowedFrom) {
      this.#doubt(batch.from).catch(this.#fail);
      return;
    }
    this.#allowedFrom = undefined;
    this.#intake.take(batch);
    this.#flow.balance();
  }

  skipped(first: bigint, next: bigint): void {
    if (this.#intake.next === first && !this.#flow.isHeld) this.#intake.pass(next);
  }

  given(bytes: number): void {
    this.#flow.given(bytes);
  }

  async #pump(): Promise<void> {
    const { part } = this.#options;
    if (part.first >= part.end) return;
    const items = this.#intake.items();
    for (;;) {
      await this.#flow.untilRoom();
      const { done, value } = await items.next();
      if (done === true || this.#isOver) return;
      this.#deliver(value);
      if (this.#isOver) return;
      this.#flow.balance();
    }
  }

  #deliver(taken: Taken): void {
    const { part } = this.#options;
    switch (taken.type) {
      case 'frame':
        this.#flow.give(this.#host.give(taken, this));
        break;
      case 'poison':
        this.#host.passedOver(taken, this.partition);
        taken.message.release();
        break;
      default:
        break;
    }
    const last = 'message' in taken ? taken.message.offset + 1n : taken.type === 'passed' ? taken.next : taken.before;
    if (last >= part.end) this.#close();
  }

  /** Called in the order of the messages, each once. */
  async #read(message: RawMessage): Promise<Taken | undefined> {
    const taken = await this.#wanted(message);
    if (taken?.type === 'passed') message.release();
    return taken;
  }

  async #wanted(message: RawMessage): Promise<Taken | undefined> {
    const { part, cameras, claims, limits, signal } = this.#options;
    const passed: Taken = { type: 'passed', next: message.offset + 1n };
    if (message.offset >= part.end) return passed;
    if (this.#isPast(message)) return { type: 'passed', next: part.end };
    const origin = originOf(message);
    if (origin !== undefined) {
      if (!this.#wants(origin)) return passed;
      this.#lastWantedMs = message.timestampMs;
    }
    try {
      const read = await persist(() => readMessage(message, { limits, claims }), {
        signal,
        failed: (error) => this.#host.problem(error),
      });
      const isOther = read.type === 'poison' && read.camera !== undefined && !isAmong(cameras, read.camera);
      return isOther ? passed : read;
    } catch (error) {
      this.#fail(error);
      return undefined;
    }
  }

  #wants({ camera, eventTimeMs }: { readonly camera: string; readonly eventTimeMs: number }): boolean {
    const { cameras, stretch } = this.#options;
    const { fromMs = Number.NEGATIVE_INFINITY, toMs = Number.POSITIVE_INFINITY } = stretch;
    return eventTimeMs >= fromMs && eventTimeMs < toMs && isAmong(cameras, camera);
  }

  #isPast({ timestampMs }: RawMessage): boolean {
    const { toMs } = this.#options.stretch;
    this.#lastWantedMs ??= timestampMs;
    return toMs !== undefined && timestampMs >= Math.max(toMs, this.#lastWantedMs) + maxLateMs;
  }

  /** See `Tenure`: what expired, a gap that nobody wrote into, or a batch from before a rebalance. */
  async #doubt(from: bigint): Promise<void> {
    const { offsets, signal } = this.#options;
    this.#flow.hold();
    const { low } = await persist(() => offsets.watermarksNow(this.partition), {
      signal,
      failed: (error) => this.#host.problem(error),
    });
    if (low > this.#intake.next) throw expiredBefore(low, this);
    if (from > this.#intake.next) this.#allowedFrom = from;
    this.#flow.free();
    this.joined();
  }

  #close(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#flow.end();
    this.#intake.end();
    this.#host.pause(this.partition);
  }
}

const isAmong = (cameras: ReadonlySet<string>, camera: string): boolean => cameras.size === 0 || cameras.has(camera);

export const inTwoPartitions = (camera: string, topic: string): BlinkstreamError =>
  new BlinkstreamError(`frames of ${camera} are in two partitions of ${topic}`, {
    code: 'CAMERA_IN_TWO_PARTITIONS',
    class: 'user',
    stage: 'source',
    hint: 'partitions were added since: look at one partition at a time, --from PARTITION/OFFSET',
  });
