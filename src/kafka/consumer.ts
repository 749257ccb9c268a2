import kafkajs, { type Batch, type Consumer, type EachBatchPayload, type Kafka, type PartitionAssigner } from 'kafkajs';
import { BackOff } from '../records/back-off.js';
import { BlinkstreamError } from '../records/index.js';
import { kafkaError } from './errors.js';

export interface ConsumerOptions {
  readonly kafka: Kafka;
  readonly topics: readonly string[];
  readonly group: string;
  /** How the group shares the partitions; default: dealt in turn. */
  readonly assigner?: PartitionAssigner;
  /** A member that was not heard of for this long has lost its partitions, ms. */
  readonly sessionTimeoutMs: number;
}

/** A batch as it was fetched; its messages are slices of the fetch, which they pin: see `Borrowed`. */
export interface FetchedBatch {
  readonly topic: string;
  readonly partition: number;
  /** The offset that was asked for. */
  readonly from: bigint;
  /** The offset to ask for next. */
  readonly next: bigint;
  readonly messages: Batch['messages'];
}

/** What the consumer tells. No handler may throw or wait: kafkajs would take it for a failure of its own. */
export interface ConsumerHandler {
  /** These partitions, by topic, are this member's, and no others, until it is told anew. */
  joined(assignment: Readonly<Record<string, readonly number[]>>): void;
  fetched(batch: FetchedBatch): void;
  /** From `first` to before `next` there is nothing but what Kafka itself writes, or what was taken back. */
  skipped(skipped: Pick<FetchedBatch, 'topic' | 'partition' | 'next'> & { readonly first: bigint }): void;
  /** It ended, and is started again. */
  crashed(error: BlinkstreamError, retryInMs: number): void;
  /** It ended, and starting it again would not help. */
  failed(error: BlinkstreamError): void;
}

/** Fetches are answered after this long where nothing has come; also how soon a resumed partition is asked for again. */
const FETCH_WAIT_MS = 100;
/** What one fetch may bring: several pictures of each partition. */
export const fetchLimits = { maxBytesPerPartition: 4 * 2 ** 20, maxBytes: 16 * 2 ** 20 } as const;
/** A healthy consumer fetches or beats many times in this. */
const SILENT_MS = 90_000;
/** An ending that takes longer is left to itself. */
const END_MS = 10_000;

/** The times of a consumer that go with a session time-out. */
export const consumerTiming = (sessionTimeoutMs: number) => ({
  sessionTimeout: sessionTimeoutMs,
  // Members rejoin as soon as a heartbeat tells them to; one that does not is waited for this long.
  rebalanceTimeout: 2 * sessionTimeoutMs,
  heartbeatInterval: Math.min(1_000, sessionTimeoutMs / 5),
  maxWaitTimeInMs: Math.min(FETCH_WAIT_MS, sessionTimeoutMs / 5),
});

/**
 * A kafkajs consumer that is kept alive: one that an error ended which may pass is followed by a new one after a pause
 * that grows. Never commits an offset. Positions and pauses do not outlast a rebalance or a consumer: whoever is told
 * `joined` sets both anew for all its partitions.
 */
export class GroupConsumer {
  readonly #options: ConsumerOptions;
  readonly #handler: ConsumerHandler;
  readonly #backOff = new BackOff();
  readonly #watch: NodeJS.Timeout;
  #consumer: Consumer | undefined;
  #retry: NodeJS.Timeout | undefined;
  #startedAt = 0;
  #lastSignAt = 0;

  constructor(options: ConsumerOptions, handler: ConsumerHandler) {
    this.#options = options;
    this.#handler = handler;
    this.#watch = setInterval(() => this.#lookAfter(), SILENT_MS / 10);
    this.#start();
  }

  /** None of these does anything while there is no member of the group. */
  pause(topic: string, partition: number): void {
    this.#ask((consumer) => consumer.pause([{ topic, partitions: [partition] }]));
  }

  resume(topic: string, partition: number): void {
    this.#ask((consumer) => consumer.resume([{ topic, partitions: [partition] }]));
  }

  seek(topic: string, partition: number, offset: bigint): void {
    this.#ask((consumer) => consumer.seek({ topic, partition, offset: String(offset) }));
  }

  /** Does nothing either while there is no member. @throws BlinkstreamError of `kafkaError` */
  async commit(topic: string, partition: number, offset: bigint): Promise<void> {
    const { group } = this.#options;
    try {
      await this.#consumer?.commitOffsets([{ topic, partition, offset: String(offset) }]);
    } catch (error) {
      throw kafkaError(error, { topic, operation: 'READ', group });
    }
  }

  /** Leaves the group. */
  async stop(): Promise<void> {
    clearInterval(this.#watch);
    clearTimeout(this.#retry);
    const consumer = this.#consumer;
    this.#consumer = undefined;
    if (consumer !== undefined) await ending(consumer);
  }

  #start(): void {
    const { kafka, topics, group, assigner, sessionTimeoutMs } = this.#options;
    const consumer = kafka.consumer({
      groupId: group,
      ...consumerTiming(sessionTimeoutMs),
      ...fetchLimits,
      partitionAssigners: [...(assigner ? [assigner] : []), kafkajs.PartitionAssigners.roundRobin],
      // Its own restarts come after the same pause for ever.
      retry: { restartOnFailure: () => Promise.resolve(false) },
    });
    this.#consumer = consumer;
    this.#startedAt = this.#lastSignAt = performance.now();
    this.#listen(consumer);
    const run = async (): Promise<void> => {
      await consumer.connect();
      await consumer.subscribe({ topics: [...topics], fromBeginning: true });
      await consumer.run({ autoCommit: false, eachBatch: (payload) => this.#batch(consumer, payload) });
    };
    run().catch((error: unknown) => this.#ended(consumer, error));
  }

  #listen(consumer: Consumer): void {
    const { events } = consumer;
    const sign = (): void => {
      this.#lastSignAt = performance.now();
    };
    for (const name of [events.HEARTBEAT, events.FETCH, events.REBALANCING] as const) consumer.on(name, sign);
    consumer.on(events.GROUP_JOIN, ({ payload: { memberAssignment } }) => {
      sign();
      if (consumer === this.#consumer) this.#handler.joined(memberAssignment);
    });
    // Told before each batch, also before one in which nothing is left for us, of which nothing else is told.
    consumer.on(events.START_BATCH_PROCESS, ({ payload }) => {
      sign();
      const { topic, partition, batchSize, firstOffset, lastOffset } = payload;
      if (batchSize > 0 || firstOffset === null || consumer !== this.#consumer) return;
      this.#handler.skipped({ topic, partition, first: BigInt(firstOffset), next: BigInt(lastOffset) + 1n });
    });
    consumer.on(events.CRASH, ({ payload: { error } }) => this.#ended(consumer, error));
    consumer.on(events.DISCONNECT, () => {
      // A crash tells its error right after; what ends for no reason is followed by nothing.
      setTimeout(() => this.#ended(consumer, silent('stopped without saying why')), 1_000).unref();
    });
  }

  #batch(consumer: Consumer, { batch }: EachBatchPayload): Promise<void> {
    if (consumer !== this.#consumer) return Promise.resolve();
    // kafkajs does not declare what was asked for, but it is what tells a jump of its own from a gap in the log.
    const { fetchedOffset } = batch as Batch & { readonly fetchedOffset: string };
    this.#handler.fetched({
      topic: batch.topic,
      partition: batch.partition,
      from: BigInt(fetchedOffset),
      next: BigInt(batch.lastOffset()) + 1n,
      messages: batch.messages,
    });
    return Promise.resolve();
  }

  #ended(consumer: Consumer, thrown: unknown): void {
    if (consumer !== this.#consumer) return;
    this.#consumer = undefined;
    void ending(consumer);
    const { topics, group } = this.#options;
    const error =
      thrown instanceof BlinkstreamError
        ? thrown
        : kafkaError(thrown, { topic: topics.join(', '), operation: 'READ', group });
    if (error.class !== 'external' && error.class !== 'resource') {
      this.#handler.failed(error);
      return;
    }
    const retryInMs = this.#backOff.pauseMs(performance.now() - this.#startedAt);
    this.#retry = setTimeout(() => this.#start(), retryInMs);
    this.#handler.crashed(error, retryInMs);
  }

  #lookAfter(): void {
    const silentMs = performance.now() - this.#lastSignAt;
    if (this.#consumer === undefined || silentMs < SILENT_MS) return;
    this.#ended(this.#consumer, silent(`gave no sign for ${Math.round(silentMs / 1_000)} s`));
  }

  #ask(order: (consumer: Consumer) => void): void {
    if (this.#consumer === undefined) return;
    try {
      order(this.#consumer);
    } catch (error) {
      // It is between two memberships; `joined` will set all of this anew.
      if (!(error instanceof kafkajs.KafkaJSNonRetriableError)) throw error;
    }
  }
}

/** Disconnects without waiting for ever, and without a word: a consumer that failed may fail at that too. */
async function ending(consumer: Consumer): Promise<void> {
  const timeout = new Promise<void>((resolve) => setTimeout(resolve, END_MS).unref());
  await Promise.race([consumer.disconnect().catch(() => undefined), timeout]);
}

const silent = (what: string): BlinkstreamError =>
  new BlinkstreamError(`the Kafka consumer ${what}`, {
    code: 'KAFKA_CONSUMER_ENDED',
    class: 'external',
    stage: 'source',
  });
