import type { Kafka } from 'kafkajs';
import { GroupConsumer, type ConsumerHandler, type FetchedBatch } from '../../kafka/consumer.js';
import { BlinkstreamError, messageOf, type DeadLetter } from '../../records/index.js';
import type { Fed, SourceFeed } from '../feed.js';
import { stickyAssigner } from './assigner.js';
import type { Lane, OpenLane } from './lane.js';
import type { ClaimStore, MessageLimits } from './message.js';
import { Tenure, type TenureHost, type TenureOptions } from './tenure.js';
import { TopicOffsets } from './topic-offsets.js';

export interface KafkaFeedOptions<L extends Lane> {
  readonly client: Kafka;
  readonly topic: string;
  /** Instances of one group share the partitions. */
  readonly group: string;
  /** Opens what the pipelines of a partition commit to. */
  readonly lanes: OpenLane<L>;
  /** Where pictures are that were too large for a message. */
  readonly blobs?: ClaimStore;
  readonly limits?: KafkaFeedLimits;
  /**
   * What becomes of messages that expired before they were read: `gap` (default) tells a gap in the signal of each camera
   * and goes on behind them; `refuse` ends the feed.
   */
  readonly expired?: 'gap' | 'refuse';
  /** A camera of which nothing comes for so long, although everything was read, is told that time passes; default 5,000 ms. */
  readonly idleMs?: number;
  /** An instance that was not heard of for so long has lost its partitions; default 10,000 ms. */
  readonly sessionTimeoutMs?: number;
  /** How long what is under way may take when a partition is handed over; default 10,000 ms. */
  readonly handOverMs?: number;
  readonly listener?: KafkaFeedListener;
}

export interface KafkaFeedLimits extends MessageLimits {
  /** Bytes of messages that wait, a partition; one fetch of at most 4 MiB may come on top. Default 32 MiB. */
  readonly partitionBytes?: number;
  /** Cameras, a partition; default 1,000. */
  readonly maxCameras?: number;
}

/** What a feed tells, for logs and metrics. */
export interface KafkaFeedListener {
  /** The partitions that are this instance's from now on. */
  assigned?(partitions: readonly number[]): void;
  /** The consumer ended, and is started again. */
  crashed?(error: BlinkstreamError, retryInMs: number): void;
  /** Something failed that is tried again, or that can be done without. */
  problem?(error: BlinkstreamError): void;
  /** They are durable. */
  deadLetters?(letters: readonly DeadLetter[]): void;
  /** Messages of the partition from `from`, where that is known, to before `before` were gone before they were read. */
  expired?(partition: number, from: bigint | undefined, before: bigint): void;
}

/** How far a partition is. */
export interface PartitionProgress {
  readonly partition: number;
  /** Messages that are there and not covered by a checkpoint yet. */
  readonly lag: bigint;
  /** Bytes of messages that were fetched and wait. */
  readonly waitingBytes: number;
}

export interface KafkaFeed<L> extends SourceFeed<L> {
  /** Of the partitions that are open here. @throws BlinkstreamError (external) where the broker does not answer */
  progress(): Promise<readonly PartitionProgress[]>;
}

/**
 * The cameras of a Kafka topic: a message is a frame, its key the camera, headers as the Kafka binding of CloudEvents has
 * them. Each camera becomes a source of its own when its first frame comes; the partitions are shared with the other
 * instances of the group.
 *
 * Promises: every message reaches its camera or the dead letters, in the order of its partition, and again after a crash
 * unless a checkpoint covers it. Nothing is committed for a partition that is another instance's: lanes are fenced, and
 * a partition that changes hands is drained first. Heartbeats go on however long the pipelines take, because the
 * consumer never waits for them.
 *
 * `sources` throws BlinkstreamError class `user`: `SOURCE_EXPIRED`, `SOURCE_CHANGED`, and what `kafkaError` says of errors
 * that another attempt would not heal, such as a topic that is not there or may not be read.
 */
export function kafkaFeed<L extends Lane>(options: KafkaFeedOptions<L>): KafkaFeed<L> {
  let feed: Feed<L> | undefined;
  return {
    name: options.topic,
    async *sources(signal) {
      if (feed !== undefined) throw new RangeError(`the sources of ${options.topic} are asked for a second time`);
      feed = new Feed(options);
      yield* feed.sources(signal);
    },
    progress: () => feed?.progress() ?? Promise.resolve([]),
  };
}

class Feed<L extends Lane> implements ConsumerHandler, TenureHost<L> {
  readonly #options: KafkaFeedOptions<L>;
  readonly #tenureOptions: TenureOptions<L>;
  readonly #offsets: TopicOffsets;
  readonly #sessionTimeoutMs: number;
  readonly #tenures = new Map<number, Tenure<L>>();
  /** By partition when this instance has let go of it. */
  readonly #letGo = new Map<number, Promise<void>>();
  #assigned = new Set<number>();
  readonly #offered: Fed<L>[] = [];
  #consumer: GroupConsumer | undefined;
  #isClosing = false;
  #failure: { readonly error: unknown } | undefined;
  #wake: (() => void) | undefined;

  constructor(options: KafkaFeedOptions<L>) {
    const { client, topic, group, limits = {}, sessionTimeoutMs = 10_000 } = options;
    this.#options = options;
    this.#sessionTimeoutMs = sessionTimeoutMs;
    this.#offsets = new TopicOffsets({ kafka: client, topic, group });
    this.#tenureOptions = {
      topic,
      group,
      openLane: options.lanes,
      offsets: this.#offsets,
      claims: options.blobs,
      limits,
      partitionBytes: limits.partitionBytes ?? 32 * 2 ** 20,
      maxCameras: limits.maxCameras ?? 1_000,
      idleMs: options.idleMs ?? 5_000,
      handOverMs: options.handOverMs ?? 10_000,
      expired: options.expired ?? 'gap',
    };
  }

  async *sources(signal: AbortSignal): AsyncGenerator<Fed<L>, void, undefined> {
    const { client: kafka, topic, group } = this.#options;
    const wake = (): void => this.#wake?.();
    signal.addEventListener('abort', wake, { once: true });
    try {
      if (!signal.aborted) {
        const assigner = stickyAssigner(() => this.#owned());
        const sessionTimeoutMs = this.#sessionTimeoutMs;
        this.#consumer = new GroupConsumer({ kafka, topics: [topic], group, assigner, sessionTimeoutMs }, this);
      }
      while (!signal.aborted && this.#failure === undefined) {
        const fed = this.#offered.shift();
        if (fed !== undefined) yield fed;
        else await new Promise<void>((resolve) => (this.#wake = resolve));
      }
    } finally {
      signal.removeEventListener('abort', wake);
      await this.#close();
    }
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  async progress(): Promise<readonly PartitionProgress[]> {
    const all: PartitionProgress[] = [];
    for (const [partition, { progress }] of this.#tenures) {
      if (progress === undefined) continue;
      const { high } = await this.#offsets.watermarks(partition);
      const lag = high > progress.safe ? high - progress.safe : 0n;
      all.push({ partition, lag, waitingBytes: progress.waitingBytes });
    }
    return all;
  }

  /** What this instance reads now, by partition with the time at which it began, ms since the epoch. */
  #owned(): ReadonlyMap<number, number> {
    return new Map([...this.#tenures].map(([partition, { sinceMs }]) => [partition, sinceMs]));
  }

  joined(assignment: Readonly<Record<string, readonly number[]>>): void {
    const partitions = assignment[this.#options.topic] ?? [];
    this.#assigned = new Set(partitions);
    if (this.#isClosing) return;
    for (const partition of this.#tenures.keys()) if (!this.#assigned.has(partition)) this.#release(partition);
    for (const partition of partitions) {
      const tenure = this.#tenures.get(partition);
      if (tenure !== undefined) tenure.rejoined();
      else this.#take(partition);
    }
    this.#options.listener?.assigned?.(partitions);
  }

  fetched(batch: FetchedBatch): void {
    this.#tenures.get(batch.partition)?.fetched(batch);
  }

  skipped({ partition, first, next }: Parameters<ConsumerHandler['skipped']>[0]): void {
    this.#tenures.get(partition)?.skipped(first, next);
  }

  crashed(error: BlinkstreamError, retryInMs: number): void {
    this.#options.listener?.crashed?.(error, retryInMs);
  }

  failed(error: unknown): void {
    this.#failure ??= { error };
    this.#wake?.();
  }

  pause(partition: number): void {
    this.#consumer?.pause(this.#options.topic, partition);
  }

  resume(partition: number): void {
    this.#consumer?.resume(this.#options.topic, partition);
  }

  seek(partition: number, offset: bigint): void {
    this.#consumer?.seek(this.#options.topic, partition, offset);
  }

  async commit(partition: number, offset: bigint): Promise<void> {
    if (this.#assigned.has(partition)) await this.#consumer?.commit(this.#options.topic, partition, offset);
  }

  offer(fed: Fed<L>): void {
    this.#offered.push(fed);
    this.#wake?.();
  }

  /**
   * Where the group still says that the partition is ours, it is taken once more: after a session time-out, by when an
   * instance that was shut out of the group knows it.
   */
  superseded(partition: number): void {
    this.#release(partition);
    const again = setTimeout(() => {
      if (!this.#isClosing && this.#assigned.has(partition) && !this.#tenures.has(partition)) this.#take(partition);
    }, this.#sessionTimeoutMs);
    again.unref();
  }

  problem(error: unknown): void {
    const problem =
      error instanceof BlinkstreamError
        ? error
        : new BlinkstreamError(messageOf(error), {
            code: 'INTERNAL',
            class: 'internal',
            stage: 'source',
            cause: error,
          });
    this.#options.listener?.problem?.(problem);
  }

  deadLetters(letters: readonly DeadLetter[]): void {
    this.#options.listener?.deadLetters?.(letters);
  }

  expired(partition: number, from: bigint | undefined, before: bigint): void {
    this.#options.listener?.expired?.(partition, from, before);
  }

  #take(partition: number): void {
    const before = this.#letGo.get(partition) ?? Promise.resolve();
    this.#tenures.set(partition, new Tenure(partition, this.#tenureOptions, this, before));
  }

  #release(partition: number): void {
    const tenure = this.#tenures.get(partition);
    if (tenure === undefined) return;
    this.#tenures.delete(partition);
    this.#letGo.set(partition, tenure.done);
    tenure.stop();
  }

  /** Hands everything over while the group still counts this instance in, and only then leaves it. */
  async #close(): Promise<void> {
    this.#isClosing = true;
    // Nobody will run these.
    for (const fed of this.#offered.splice(0)) fed.ended();
    for (const partition of [...this.#tenures.keys()]) this.#release(partition);
    await Promise.all(this.#letGo.values());
    await this.#consumer?.stop();
    await this.#offsets.close();
  }
}
