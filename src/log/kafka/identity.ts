import { randomBytes, randomUUID } from 'node:crypto';
import kafkajs, { type Kafka, type KafkaMessage } from 'kafkajs';
import { z } from 'zod';
import { GroupConsumer, type ConsumerHandler } from '../../kafka/consumer.js';
import { asKafkaError, kafkaError } from '../../kafka/errors.js';
import { BlinkstreamError } from '../../records/index.js';
import { persist } from '../../records/persist.js';
import type { LogIdentity } from '../lmdb-tables.js';
import { TransactionalProducer } from './transactions.js';

/** The first message of the state's first partition, written before any other. */
const identityKey = JSON.stringify(['identity', '', '', 0]);
const identitySchema = z.object({ epoch: z.string(), secret: z.string(), partitions: z.number() });
const SESSION_MS = 10_000;
const attemptsMs = 60_000;

export interface IdentityOptions {
  /** The topic that it stands in. */
  readonly state: string;
  readonly partitions: number;
  /** Told of what is tried again. */
  readonly problem: (error: BlinkstreamError) => void;
}

/**
 * What makes a log's cursors its own, the same for all instances, so that a subscriber may go on at another one. The
 * first instance writes it.
 * @throws BlinkstreamError of `kafkaError`; `LOG_TOPIC_WRONG` (user) where the topic holds something else
 */
export async function logIdentity(kafka: Kafka, { state, partitions, problem }: IdentityOptions): Promise<LogIdentity> {
  const late = AbortSignal.timeout(attemptsMs);
  let last: BlinkstreamError | undefined;
  const failed = (error: BlinkstreamError): void => {
    last = error;
    // Another instance that begins at the same time fences this one, or is fenced.
    if (error.code !== 'KAFKA_FENCED') problem(error);
  };
  try {
    return await persist(() => readOrWrite(kafka, state, partitions), { signal: late, failed });
  } catch (error) {
    throw late.aborted && last !== undefined ? last : error;
  }
}

async function readOrWrite(kafka: Kafka, state: string, partitions: number): Promise<LogIdentity> {
  const known = await readIdentity(kafka, state);
  if (known !== undefined) return known;
  // From here on nobody else can write one: what another instance had begun is over, one way or the other.
  const producer = await TransactionalProducer.open(kafka, `${state}-identity`);
  try {
    const written = await readIdentity(kafka, state);
    if (written !== undefined) return written;
    const identity = { epoch: randomUUID(), secret: randomBytes(32), partitions };
    const value = JSON.stringify({ ...identity, secret: identity.secret.toString('hex') });
    await producer.transact(async (transaction) => {
      await transaction
        .send({ topic: state, messages: [{ key: identityKey, value, partition: 0 }] })
        .catch(asKafkaError({ topic: state, operation: 'WRITE' }));
    });
    return identity;
  } finally {
    await producer.close();
  }
}

async function readIdentity(kafka: Kafka, state: string): Promise<LogIdentity | undefined> {
  const end = await endOf(kafka, state);
  const message = end === 0n ? undefined : await new FirstMessage(kafka, state, end).found;
  if (message === undefined) return undefined;
  const parsed = message.key?.toString() === identityKey ? identityOf(message) : undefined;
  if (parsed !== undefined) return parsed;
  throw new BlinkstreamError(`topic ${state} holds something that is no log of Blinkstream`, {
    code: 'LOG_TOPIC_WRONG',
    class: 'user',
    stage: 'log',
    hint: 'give the log another prefix',
  });
}

function identityOf({ value }: KafkaMessage): LogIdentity | undefined {
  const parsed = identitySchema.safeParse(JSON.parse(value?.toString() ?? 'null'));
  return parsed.data && { ...parsed.data, secret: Buffer.from(parsed.data.secret, 'hex') };
}

async function endOf(kafka: Kafka, topic: string): Promise<bigint> {
  const admin = kafka.admin();
  try {
    await admin.connect();
    const first = (await admin.fetchTopicOffsets(topic)).find(({ partition }) => partition === 0);
    // Taken for empty it would be given a second identity.
    if (first === undefined) throw new kafkajs.KafkaJSError(`the first partition of ${topic} is not served`);
    return BigInt(first.high);
  } catch (error) {
    throw kafkaError(error, { topic, operation: 'DESCRIBE' });
  } finally {
    await admin.disconnect();
  }
}

/** Reads the first committed message of a topic's first partition; undefined where there is none below `end`. */
class FirstMessage implements ConsumerHandler {
  readonly found: Promise<KafkaMessage | undefined>;
  readonly #topic: string;
  readonly #end: bigint;
  readonly #consumer: GroupConsumer;
  #settle: { resolve: (message: KafkaMessage | undefined) => void; reject: (error: unknown) => void } | undefined;

  constructor(kafka: Kafka, topic: string, end: bigint) {
    this.#topic = topic;
    this.#end = end;
    const first = new Promise<KafkaMessage | undefined>((resolve, reject) => (this.#settle = { resolve, reject }));
    const group = `${topic}-identity-${randomUUID()}`;
    this.#consumer = new GroupConsumer({ kafka, topics: [topic], group, sessionTimeoutMs: SESSION_MS }, this);
    this.found = first.finally(() => this.#consumer.stop());
  }

  joined(assignment: Readonly<Record<string, readonly number[]>>): void {
    for (const partition of assignment[this.#topic] ?? []) {
      if (partition === 0) this.#consumer.seek(this.#topic, 0, 0n);
      else this.#consumer.pause(this.#topic, partition);
    }
  }

  fetched({ partition, messages: [first] }: Parameters<ConsumerHandler['fetched']>[0]): void {
    if (partition === 0) this.#settle?.resolve(first);
  }

  skipped({ partition, next }: Parameters<ConsumerHandler['skipped']>[0]): void {
    if (partition === 0 && next >= this.#end) this.#settle?.resolve(undefined);
  }

  crashed(error: BlinkstreamError): void {
    this.#settle?.reject(error);
  }

  failed(error: BlinkstreamError): void {
    this.#settle?.reject(error);
  }
}
