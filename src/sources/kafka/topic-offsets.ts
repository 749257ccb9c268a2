import type { Admin, Kafka } from 'kafkajs';
import { kafkaError } from '../../kafka/errors.js';

/** What the broker holds of a partition: from `low` to before `high`. */
export interface Watermarks {
  readonly low: bigint;
  readonly high: bigint;
}

/** Many cameras may ask at a time, and each answer holds for all partitions. */
const FRESH_MS = 250;

/**
 * Offsets of one topic and group, as the broker knows them.
 * All of its questions throw BlinkstreamError of `kafkaError`.
 */
export class TopicOffsets {
  readonly #kafka: Kafka;
  readonly topic: string;
  readonly #group: string;
  #admin: Promise<Admin> | undefined;
  #asked: { readonly at: number; readonly answer: Promise<ReadonlyMap<number, Watermarks>> } | undefined;

  constructor({ kafka, topic, group }: { readonly kafka: Kafka; readonly topic: string; readonly group: string }) {
    this.#kafka = kafka;
    this.topic = topic;
    this.#group = group;
  }

  /** No older than a quarter of a second. */
  async watermarks(partition: number): Promise<Watermarks> {
    const isFresh = this.#asked !== undefined && performance.now() - this.#asked.at <= FRESH_MS;
    return isFresh ? this.#answered(partition) : this.watermarksNow(partition);
  }

  /** As they are from now on: for who has seen something that contradicts those of a moment ago. */
  watermarksNow(partition: number): Promise<Watermarks> {
    this.#asked = { at: performance.now(), answer: this.#askWatermarks() };
    return this.#answered(partition);
  }

  async #answered(partition: number): Promise<Watermarks> {
    return (await this.#asked?.answer)?.get(partition) ?? { low: 0n, high: 0n };
  }

  /** Of every partition. */
  all(): Promise<ReadonlyMap<number, Watermarks>> {
    return this.#askWatermarks();
  }

  /** Of every partition the first message that is of `timeMs` or later by its own time; its end where there is none. */
  async at(timeMs: number): Promise<ReadonlyMap<number, bigint>> {
    // Kafka knows whole milliseconds; negative ones mean something else to it.
    const time = Math.max(0, Math.floor(timeMs));
    const all = await this.#ask((admin) => admin.fetchTopicOffsetsByTimestamp(this.topic, time));
    return new Map(all.map(({ partition, offset }) => [partition, BigInt(offset)]));
  }

  /** As it was committed: negative where it is none. */
  async committed(partition: number): Promise<bigint> {
    const topics = [this.topic];
    const [found] = await this.#ask((admin) => admin.fetchOffsets({ groupId: this.#group, topics }));
    const offset = found?.partitions.find((one) => one.partition === partition)?.offset;
    return BigInt(offset ?? -1);
  }

  async close(): Promise<void> {
    const admin = this.#admin;
    this.#admin = undefined;
    await (await admin)?.disconnect();
  }

  async #askWatermarks(): Promise<ReadonlyMap<number, Watermarks>> {
    const all = await this.#ask((admin) => admin.fetchTopicOffsets(this.topic));
    return new Map(all.map(({ partition, low, high }) => [partition, { low: BigInt(low), high: BigInt(high) }]));
  }

  async #ask<T>(question: (admin: Admin) => Promise<T>): Promise<T> {
    try {
      return await question(await (this.#admin ??= this.#connect()));
    } catch (error) {
      throw kafkaError(error, { topic: this.topic, operation: 'DESCRIBE', group: this.#group });
    }
  }

  async #connect(): Promise<Admin> {
    const admin = this.#kafka.admin();
    try {
      await admin.connect();
    } catch (error) {
      // The next question tries again.
      this.#admin = undefined;
      throw error;
    }
    return admin;
  }
}
