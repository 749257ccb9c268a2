import { randomUUID } from 'node:crypto';
import type { Kafka } from 'kafkajs';
import { GroupConsumer, type ConsumerHandler, type FetchedBatch } from '../../../kafka/consumer.js';
import { BlinkstreamError, messageOf } from '../../../records/index.js';
import type { Fed, SourceFeed } from '../../feed.js';
import type { KafkaFeedLimits } from '../feed.js';
import { tooManyCameras } from '../cameras.js';
import type { ClaimStore, FrameMessage, PoisonMessage } from '../message.js';
import { TopicOffsets } from '../topic-offsets.js';
import { ReplayCamera, type ReplayCameraHost } from './camera.js';
import { inTwoPartitions, ReplayPartition, type ReplayPartitionHost } from './partition.js';
import type { Stretch } from './stretch.js';

export interface KafkaReplayOptions<L> {
  readonly client: Kafka;
  readonly topic: string;
  /** Whose rights are used: the replay's own group is named after it. */
  readonly group: string;
  readonly stretch: Stretch;
  /** Those that are looked at; empty: all. */
  readonly cameras: readonly string[];
  /** What the pipelines commit to. */
  readonly committer: L;
  readonly blobs?: ClaimStore;
  readonly limits?: KafkaFeedLimits;
  readonly listener?: KafkaReplayListener;
}

export interface KafkaReplayListener {
  /** A frame of the stretch, done in an earlier run or not. */
  frame?(camera: string, eventTimeMs: number): void;
  /** Something failed that is tried again. */
  problem?(error: BlinkstreamError): void;
  /** A message that is no frame: the live service has its dead letter, and a replay writes no other. */
  passedOver?(where: string, error: BlinkstreamError): void;
}

/**
 * A stretch of a Kafka topic, looked at once more: each camera in it is a source that ends. Reads in a group of its own
 * and commits no offset, so that whoever reads the topic for good notices nothing of it.
 *
 * Reads from the first message of the stretch whatever is done already: the pipelines know that by their checkpoints.
 *
 * `sources` ends when all of its sources have. It throws the error by which the first pipeline failed, `SOURCE_EXPIRED` and
 * `CAMERA_IN_TWO_PARTITIONS` (user), and what `kafkaError` says of errors that another attempt would not heal.
 */
export const kafkaReplay = <L>(options: KafkaReplayOptions<L>): SourceFeed<L> => ({
  name: options.topic,
  sources: (signal) => new Replay(options).sources(signal),
});

class Replay<L> implements ConsumerHandler, ReplayPartitionHost {
  readonly #options: KafkaReplayOptions<L>;
  readonly #offsets: TopicOffsets;
  readonly #stop = new AbortController();
  readonly #cameras = new Map<string, { readonly camera: ReplayCamera; readonly partition: number }>();
  readonly #partitions = new Map<number, ReplayPartition>();
  readonly #offered: Fed<L>[] = [];
  /** Pipelines that go on. */
  #running = 0;
  #isRead = false;
  #consumer: GroupConsumer | undefined;
  #failure: { readonly error: unknown } | undefined;
  #wake: (() => void) | undefined;

  constructor(options: KafkaReplayOptions<L>) {
    const { client: kafka, topic, group } = options;
    this.#options = options;
    this.#offsets = new TopicOffsets({ kafka, topic, group });
  }

  async *sources(signal: AbortSignal): AsyncGenerator<Fed<L>, void, undefined> {
    const stopped = (): void => {
      this.#stop.abort(signal.reason);
      this.#wake?.();
    };
    signal.addEventListener('abort', stopped, { once: true });
    if (signal.aborted) stopped();
    try {
      if (!signal.aborted) this.#begin();
      while (!signal.aborted && this.#failure === undefined) {
        const fed = this.#offered.shift();
        if (fed !== undefined) yield fed;
        else if (this.#isRead && this.#running === 0) break;
        else await new Promise<void>((resolve) => (this.#wake = resolve));
      }
    } finally {
      signal.removeEventListener('abort', stopped);
      this.#stop.abort(new Error('the replay is over'));
      await this.#consumer?.stop();
      await this.#offsets.close();
    }
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  joined(assignment: Readonly<Record<string, readonly number[]>>): void {
    for (const partition of assignment[this.#options.topic] ?? []) {
      const ours = this.#partitions.get(partition);
      if (ours === undefined) this.pause(partition);
      else ours.joined();
    }
  }

  fetched(batch: FetchedBatch): void {
    this.#partitions.get(batch.partition)?.fetched(batch);
  }

  skipped({ partition, first, next }: Parameters<ConsumerHandler['skipped']>[0]): void {
    this.#partitions.get(partition)?.skipped(first, next);
  }

  crashed(error: BlinkstreamError): void {
    this.problem(error);
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

  give(frame: FrameMessage, partition: ReplayCameraHost): number {
    const camera = this.#camera(frame.camera, partition);
    this.#options.listener?.frame?.(frame.camera, frame.eventTimeMs);
    return camera.push(frame);
  }

  problem(error: unknown): void {
    this.#options.listener?.problem?.(
      error instanceof BlinkstreamError
        ? error
        : new BlinkstreamError(messageOf(error), {
            code: 'INTERNAL',
            class: 'internal',
            stage: 'source',
            cause: error,
          }),
    );
  }

  passedOver({ message, error }: PoisonMessage, partition: number): void {
    this.#options.listener?.passedOver?.(`${this.#options.topic}/${partition}/${message.offset}`, error);
  }

  #camera(name: string, host: ReplayCameraHost): ReplayCamera {
    const { topic, committer, limits } = this.#options;
    const known = this.#cameras.get(name);
    if (known !== undefined) {
      if (known.partition !== host.partition) throw inTwoPartitions(name, topic);
      return known.camera;
    }
    const most = limits?.maxCameras ?? 1_000;
    if (this.#cameras.size >= most) throw tooManyCameras(most);
    const camera = new ReplayCamera(name, host);
    this.#cameras.set(name, { camera, partition: host.partition });
    this.#running += 1;
    this.#offered.push({
      source: camera,
      committer,
      // Nobody else can take it over but by its log.
      lost: new AbortController().signal,
      ended: (error) => this.#ended(camera, error),
    });
    this.#wake?.();
    return camera;
  }

  #begin(): void {
    const { client: kafka, topic, group, stretch, cameras, blobs, limits = {} } = this.#options;
    const read = stretch.partitions.map((part) => {
      const partition = new ReplayPartition(
        {
          ...{ part, stretch, limits },
          offsets: this.#offsets,
          cameras: new Set(cameras),
          claims: blobs,
          partitionBytes: limits.partitionBytes ?? 32 * 2 ** 20,
          signal: this.#stop.signal,
        },
        this,
      );
      this.#partitions.set(part.partition, partition);
      return partition.done.then(() => this.#endCamerasOf(part.partition));
    });
    this.#consumer = new GroupConsumer(
      { kafka, topics: [topic], group: `${group}.replay-${randomUUID()}`, sessionTimeoutMs: 10_000 },
      this,
    );
    Promise.all(read).then(
      () => {
        this.#isRead = true;
        this.#wake?.();
      },
      (error: unknown) => {
        if (!this.#stop.signal.aborted) this.failed(error);
      },
    );
  }

  #endCamerasOf(partition: number): void {
    for (const { camera, partition: its } of this.#cameras.values()) if (its === partition) camera.end();
  }

  #ended(camera: ReplayCamera, error: unknown): void {
    this.#running -= 1;
    camera.over();
    if (error !== undefined) this.failed(error);
    this.#wake?.();
  }
}
