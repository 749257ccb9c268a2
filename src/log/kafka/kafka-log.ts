import type { Kafka } from 'kafkajs';
import type { EventFormat } from '../../kafka/event-message.js';
import { asKafkaError, kafkaError } from '../../kafka/errors.js';
import { BlinkstreamError, messageOf, type ChangeEvent, type Checkpoint } from '../../records/index.js';
import type { InputPartition, OpenLane } from '../../sources/kafka/lane.js';
import type { BlobStore, ChangeLog, Commit, Cursor, EventFilter, LogEntry, ReadFrom, Retention } from '../index.js';
import { logClosed } from '../errors.js';
import { keyOf } from '../keys.js';
import { OwnedTables } from '../lmdb-owned.js';
import type { LmdbReading } from '../lmdb-reading.js';
import { expired } from '../lmdb-retention.js';
import { removeBefore } from '../lmdb-writes.js';
import { logIdentity } from './identity.js';
import { KafkaLane, type LaneOptions } from './lane.js';
import { LogIndex } from './log-index.js';
import { ensureTopics, logTopics, type LogTopics } from './topics.js';

export interface KafkaLogOptions {
  readonly kafka: Kafka;
  /** Its topics are `PREFIX.events`, `PREFIX.contradicted`, `PREFIX.state` and `PREFIX.dead-letters`. */
  readonly prefix: string;
  /** Folder of this instance's index, on a local disk. It can be made anew from the topics. */
  readonly indexPath: string;
  /** Of its topics, where they are made; default 8. */
  readonly partitions?: number;
  /** Brokers that hold each message, where topics are made; default: what the cluster does. */
  readonly replicationFactor?: number;
  readonly retention?: Retention;
  /** How events are written; both are read. Default `json`. */
  readonly format?: EventFormat;
  /** How long an instance may take to hand over what another takes over, before it is fenced; default 3,000 ms. */
  readonly graceMs?: number;
  /** Told of what goes on all the same. */
  readonly problem?: (error: BlinkstreamError) => void;
}

export interface KafkaLog extends ChangeLog {
  readonly topics: LogTopics;
  /** For what is read from Kafka: steps and the offset of their input in one transaction. */
  readonly lanes: OpenLane<KafkaLane>;
}

/**
 * The log in Kafka: events in a topic that anybody may read, checkpoints in a compacted one, and with each step the offset
 * of what was read, in one transaction. Each instance keeps an index of all of it, so that it can serve every subscriber
 * and go on with every pipeline. What is committed under a key is written by one instance at a time: another that takes
 * it over fences this one.
 *
 * `commit` resolves when this instance's index has the step, so that what it reads next includes it; other instances have
 * it a moment later.
 *
 * Retention: `maxAgeMs` is given to the topics when they are made, so that Kafka itself keeps it; `prune` keeps it to the
 * event. Pictures go with the last event or checkpoint that names them.
 * @throws BlinkstreamError of `kafkaError`; `LOG_TOPIC_WRONG` (user); as of opening the tables, `LOG_IN_USE` among them
 */
export async function openKafkaLog(options: KafkaLogOptions): Promise<KafkaLog> {
  const { kafka, prefix, indexPath, partitions = 8, replicationFactor = -1, retention = {} } = options;
  const problem = options.problem ?? (() => undefined);
  const topics = logTopics(prefix);
  const count = await ensureTopics(kafka, topics, { partitions, replicationFactor, retention });
  const identity = await logIdentity(kafka, { state: topics.state, partitions: count, problem });
  const store = await OwnedTables.open(indexPath, { noSync: true });
  try {
    const index = await LogIndex.open({ kafka, topics, store, identity, problem }, new AbortController().signal);
    return new LogInKafka({ ...options, retention, problem }, topics, index, identity.partitions, store);
  } catch (error) {
    await store.close();
    throw error;
  }
}

type Settings = KafkaLogOptions & Required<Pick<KafkaLogOptions, 'retention' | 'problem'>>;

class LogInKafka implements KafkaLog {
  readonly epoch: string;
  readonly blobs: BlobStore;
  readonly #reading: LmdbReading;
  /** Of this instance: by what they are opened for. */
  readonly #lanes = new Set<KafkaLane>();
  /** For pipelines whose input is not in Kafka, by their keys. */
  readonly #ownLanes = new Map<string, Promise<KafkaLane>>();
  readonly #closing = new AbortController();

  constructor(
    readonly settings: Settings,
    readonly topics: LogTopics,
    readonly index: LogIndex,
    readonly partitions: number,
    readonly store: OwnedTables,
  ) {
    this.#reading = index.reading;
    this.epoch = index.reading.codec.epoch;
    this.blobs = index.reading.blobs;
  }

  readonly lanes: OpenLane<KafkaLane> = (input, signal) => {
    const { group, topic, partition } = input;
    return this.#open(`input/${group}/${topic}/${partition}`, partition % this.partitions, signal, input);
  };

  async commit(step: Commit): Promise<{ readonly appended: number }> {
    const lane = await this.#ownLane(step.key);
    return lane.commit(step);
  }

  /** Takes over the lane of that key first: from then on nobody else changes it. */
  async checkpoint(key: string): Promise<Checkpoint | undefined> {
    const before = await this.#ownLanes.get(key);
    if (before?.lost.aborted === true) this.#ownLanes.delete(key);
    const lane = await this.#ownLane(key);
    return lane.checkpoint(key);
  }

  read(from: ReadFrom): AsyncIterable<LogEntry> {
    return this.#reading.read(from);
  }

  earliest(filter?: EventFilter): Promise<Cursor> {
    return this.#reading.earliest(filter);
  }

  change(changeId: string): Promise<readonly ChangeEvent[]> {
    return this.#reading.change(changeId);
  }

  changes(options: Parameters<ChangeLog['changes']>[0]): Promise<readonly ChangeEvent[]> {
    return this.#reading.changes(options);
  }

  contradicted(options: Parameters<ChangeLog['contradicted']>[0]): Promise<readonly ChangeEvent[]> {
    return this.#reading.contradicted(options);
  }

  /** That the index goes on and Kafka answers: what an instance may write is seen with each step of it. */
  async probe(): Promise<void> {
    void this.#reading.tables;
    await this.#expire(this.topics.state, new Map());
  }

  async prune(nowMs: number): Promise<{ readonly removedEvents: number; readonly removedBlobs: number }> {
    const { events, contradicted } = this.topics;
    const removed = await this.#pruneList('events', events, nowMs);
    await this.#pruneList('contradicted', contradicted, nowMs);
    for (const lane of this.#lanes) await lane.forgetBlobs();
    return { removedEvents: removed.removed, removedBlobs: removed.removedBlobs };
  }

  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort(new Error('the log is closed'));
    const released = await Promise.allSettled([...this.#lanes].map((lane) => lane.release()));
    for (const outcome of released) {
      if (outcome.status === 'rejected') this.settings.problem(asProblem(outcome.reason));
    }
    await this.index.close();
  }

  #ownLane(key: string): Promise<KafkaLane> {
    const known = this.#closing.signal.aborted ? undefined : this.#ownLanes.get(key);
    if (known !== undefined) return known;
    const partition = keyOf(key).readUInt32BE() % this.partitions;
    const opened = this.#open(`key/${key}`, partition, this.#closing.signal);
    this.#ownLanes.set(key, opened);
    // One that was lost stays: what it was opened for is another instance's now, until somebody begins with it anew.
    opened.catch(() => {
      if (this.#ownLanes.get(key) === opened) this.#ownLanes.delete(key);
    });
    return opened;
  }

  async #open(name: string, partition: number, signal: AbortSignal, input?: InputPartition): Promise<KafkaLane> {
    if (this.#closing.signal.aborted) throw logClosed();
    const { kafka, format = 'json', graceMs = 3_000, problem } = this.settings;
    const options: LaneOptions = {
      ...{ kafka, format, graceMs, problem },
      ...{ topics: this.topics, index: this.index, blobs: this.blobs },
      lane: name,
      partition,
      ...(input !== undefined && { input }),
    };
    const lane = await KafkaLane.open(options, AbortSignal.any([signal, this.#closing.signal]));
    this.#lanes.add(lane);
    lane.ended.addEventListener('abort', () => this.#lanes.delete(lane), { once: true });
    return lane;
  }

  /** What Kafka has let expire goes, and what retention does not keep. */
  async #pruneList(
    list: 'events' | 'contradicted',
    topic: string,
    nowMs: number,
  ): Promise<{ removed: number; removedBlobs: number }> {
    const { tables } = this.#reading;
    const { firsts } = expired(tables, list, this.partitions, this.settings.retention, nowMs);
    const lows = await this.#expire(topic, firsts);
    let removed = 0;
    let removedBlobs = 0;
    for (const [partition, low] of lows) {
      if (low <= tables.extent(list, partition).first) continue;
      const gone = this.store.write(() => removeBefore(tables, list, partition, low));
      removed += gone.removed;
      removedBlobs += gone.removedBlobs;
    }
    return { removed, removedBlobs };
  }

  /** Lets messages expire, and says of each partition where it begins now. */
  async #expire(topic: string, firsts: ReadonlyMap<number, number>): Promise<ReadonlyMap<number, number>> {
    const admin = this.settings.kafka.admin();
    try {
      await admin.connect();
      const lows = new Map<number, number>();
      for (const { partition, low } of await admin.fetchTopicOffsets(topic)) lows.set(partition, Number(low));
      const partitions = [...firsts].filter(([partition, first]) => first > (lows.get(partition) ?? 0));
      if (partitions.length > 0) {
        await admin
          .deleteTopicRecords({
            topic,
            partitions: partitions.map(([partition, first]) => ({ partition, offset: String(first) })),
          })
          .catch(asKafkaError({ topic, operation: 'DELETE' }));
      }
      for (const [partition, first] of partitions) lows.set(partition, first);
      return lows;
    } catch (error) {
      throw kafkaError(error, { topic, operation: 'DESCRIBE' });
    } finally {
      await admin.disconnect();
    }
  }
}

const asProblem = (error: unknown): BlinkstreamError =>
  error instanceof BlinkstreamError
    ? error
    : new BlinkstreamError(messageOf(error), { code: 'INTERNAL', class: 'internal', stage: 'log', cause: error });
