import { randomUUID } from 'node:crypto';
import type { Kafka } from 'kafkajs';
import { GroupConsumer, type ConsumerHandler, type FetchedBatch } from '../../kafka/consumer.js';
import { kafkaError } from '../../kafka/errors.js';
import { BlinkstreamError, messageOf } from '../../records/index.js';
import { pauseFor } from '../../records/pause.js';
import { logClosed } from '../errors.js';
import { keyOf } from '../keys.js';
import { LmdbReading } from '../lmdb-reading.js';
import type { LogIdentity } from '../lmdb-tables.js';
import type { OwnedTables } from '../lmdb-owned.js';
import { Ingest } from './ingest.js';
import type { LaneState } from './lane-state.js';
import type { LogTopics } from './topics.js';

export interface LogIndexOptions {
  readonly kafka: Kafka;
  readonly topics: LogTopics;
  /** Of this instance alone; what is in it is kept up, or made anew where it is of another log. */
  readonly store: OwnedTables;
  readonly identity: LogIdentity;
  /** Told of what goes on all the same: a lost connection, a message of somebody else. */
  readonly problem: (error: BlinkstreamError) => void;
}

/** How long catching up may take before what is there has to do; a transaction that hangs is given up by then. */
const CATCH_UP_MS = 30_000;
const SESSION_MS = 10_000;

/**
 * What one instance knows of the log: its topics, read to their end and kept in tables, so that any subscriber can be
 * served and any lane be gone on with. It holds nothing that is not in Kafka: lost, it is read anew.
 *
 * Reads what is committed only. Kafka's consumers need a group; this one has one of its own that it alone is in.
 */
export class LogIndex implements ConsumerHandler {
  readonly reading: LmdbReading;
  readonly #options: LogIndexOptions;
  readonly #ingest: Ingest;
  readonly #consumer: GroupConsumer;
  /** Where each partition of each topic is read on. */
  readonly #next = new Map<string, number>();
  #failure: BlinkstreamError | undefined;

  private constructor(options: LogIndexOptions) {
    const { kafka, topics, store, identity } = options;
    const { tables } = store;
    this.#options = options;
    this.reading = new LmdbReading(tables, identity, true);
    this.#ingest = new Ingest(tables, (problem) =>
      options.problem(new BlinkstreamError(problem, { code: 'LOG_MESSAGE', class: 'data', stage: 'log' })),
    );
    for (let partition = 0; partition < identity.partitions; partition++) {
      this.#next.set(placeOf(topics.events, partition), tables.extent('events', partition).next);
      this.#next.set(placeOf(topics.contradicted, partition), tables.extent('contradicted', partition).next);
      this.#next.set(placeOf(topics.state, partition), tables.extent('checkpoints', partition).next);
    }
    const { events, contradicted, state } = topics;
    const group = `${state}-index-${randomUUID()}`;
    this.#consumer = new GroupConsumer(
      { kafka, topics: [events, contradicted, state], group, sessionTimeoutMs: SESSION_MS },
      this,
    );
  }

  /**
   * Opens the index and catches up with the log.
   * @throws BlinkstreamError of `kafkaError`; see `OwnedTables.write`; the signal's reason
   */
  static async open(options: LogIndexOptions, signal: AbortSignal): Promise<LogIndex> {
    const { store, identity } = options;
    const ends = await endsOf(options);
    const { tables } = store;
    const isOurs = tables.identity?.epoch === identity.epoch && !isAhead(options, ends);
    if (!isOurs) {
      store.write(() => {
        tables.clear();
        tables.setIdentity(identity);
      });
    }
    const index = new LogIndex(options);
    try {
      await index.#caughtUp(ends, signal);
      return index;
    } catch (error) {
      await index.close();
      throw error;
    }
  }

  lane(lane: string): LaneState {
    return this.reading.tables.lanes.get(keyOf(lane)) ?? {};
  }

  /** Pictures of the lane that its topic holds, in how many pieces. */
  blobsOfLane(lane: string): ReadonlyMap<string, number> {
    return new Map([...this.reading.tables.laneBlobs.getValues(keyOf(lane))]);
  }

  /** Waits until `holds`. @throws what ended the index; the signal's reason */
  until(holds: () => boolean, signal: AbortSignal): Promise<void> {
    return this.reading.until(() => {
      if (this.#failure !== undefined) throw this.#failure;
      return holds();
    }, signal);
  }

  async close(): Promise<void> {
    this.reading.end(logClosed());
    await this.#consumer.stop();
    await this.#options.store.close();
  }

  joined(assignment: Readonly<Record<string, readonly number[]>>): void {
    for (const [topic, partitions] of Object.entries(assignment)) {
      for (const partition of partitions) {
        const next = this.#next.get(placeOf(topic, partition));
        if (next === undefined) this.failed(partitionsChanged(topic));
        else this.#consumer.seek(topic, partition, BigInt(next));
      }
    }
  }

  fetched({ topic, partition, from, next, messages }: FetchedBatch): void {
    const place = placeOf(topic, partition);
    const expected = this.#next.get(place);
    if (expected === undefined || this.#failure !== undefined || Number(next) <= expected) return;
    // Kafka begins at its start again where what was asked for is beyond its end.
    if (Number(from) < expected && messages.every(({ offset }) => Number(offset) < expected)) return;
    const batch = {
      partition,
      messages: messages.filter(({ offset }) => Number(offset) >= expected),
      next: Number(next),
    };
    try {
      this.#options.store.write(() => {
        if (topic === this.#options.topics.events) this.#ingest.events(batch);
        else if (topic === this.#options.topics.contradicted) this.#ingest.contradicted(batch);
        else this.#ingest.state(batch);
      });
    } catch (error) {
      this.failed(error);
      return;
    }
    this.#next.set(place, Number(next));
    this.reading.grew();
  }

  skipped({ topic, partition, first, next }: Parameters<ConsumerHandler['skipped']>[0]): void {
    this.fetched({ topic, partition, from: first, next, messages: [] });
  }

  crashed(error: BlinkstreamError): void {
    this.#options.problem(error);
  }

  failed(error: unknown): void {
    this.#failure ??=
      error instanceof BlinkstreamError
        ? error
        : new BlinkstreamError(`the index of the log cannot go on: ${messageOf(error)}`, {
            code: 'LOG_INDEX_FAILED',
            class: 'internal',
            stage: 'log',
            cause: error,
          });
    this.reading.grew();
    this.reading.end(this.#failure);
  }

  async #caughtUp(ends: ReadonlyMap<string, number>, signal: AbortSignal): Promise<void> {
    const enough = new AbortController();
    const isThere = (): boolean => [...ends].every(([place, end]) => (this.#next.get(place) ?? 0) >= end);
    const late = pauseFor(CATCH_UP_MS, AbortSignal.any([signal, enough.signal]));
    try {
      await Promise.race([
        this.until(isThere, AbortSignal.any([signal, enough.signal])).catch(ignoreOnly(enough)),
        late,
      ]);
    } finally {
      enough.abort();
    }
    signal.throwIfAborted();
  }
}

const ignoreOnly =
  (aborted: AbortController) =>
  (error: unknown): void => {
    if (!aborted.signal.aborted) throw error;
  };

const placeOf = (topic: string, partition: number): string => `${topic}/${partition}`;

/** Of each partition of the three topics the offset of the next message. */
async function endsOf({ kafka, topics }: LogIndexOptions): Promise<ReadonlyMap<string, number>> {
  const admin = kafka.admin();
  const ends = new Map<string, number>();
  try {
    await admin.connect();
    for (const topic of [topics.events, topics.contradicted, topics.state]) {
      for (const { partition, high } of await admin.fetchTopicOffsets(topic)) {
        ends.set(placeOf(topic, partition), Number(high));
      }
    }
    return ends;
  } catch (error) {
    throw kafkaError(error, { topic: topics.state, operation: 'DESCRIBE' });
  } finally {
    await admin.disconnect();
  }
}

/** Whether the tables know of more than Kafka holds: it was restored from a backup, or the topic was made anew. */
function isAhead({ store: { tables }, topics, identity }: LogIndexOptions, ends: ReadonlyMap<string, number>): boolean {
  const lists = [
    [topics.events, 'events'],
    [topics.contradicted, 'contradicted'],
    [topics.state, 'checkpoints'],
  ] as const;
  return lists.some(([topic, list]) =>
    Array.from({ length: identity.partitions }, (_, partition) => partition).some(
      (partition) => tables.extent(list, partition).next > (ends.get(placeOf(topic, partition)) ?? 0),
    ),
  );
}

const partitionsChanged = (topic: string): BlinkstreamError =>
  new BlinkstreamError(`topic ${topic} has more partitions than when its log was made`, {
    code: 'LOG_TOPIC_WRONG',
    class: 'user',
    stage: 'log',
    hint: 'begin a log with another prefix: cursors are of a fixed number of partitions',
  });
