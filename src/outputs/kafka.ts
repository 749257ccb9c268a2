import { setTimeout as pause } from 'node:timers/promises';
import type { Kafka, Producer } from 'kafkajs';
import { kafkaClient, type KafkaOptions } from '../kafka/client.js';
import { kafkaError } from '../kafka/errors.js';
import { encodeEventMessage, type EventFormat, type EventMessage } from '../kafka/event-message.js';
import { openProducer } from '../kafka/producer.js';
import type { ChangeLog, Cursor } from '../log/index.js';
import { BlinkstreamError } from '../records/index.js';
import { killPoint } from '../records/kill-points.js';
import { BackOff } from '../records/back-off.js';
import { KeptCursor } from './kept-cursor.js';

export interface KafkaOutputOptions {
  readonly kafka: KafkaOptions;
  /** It is there: none is made. */
  readonly topic: string;
  readonly format: EventFormat;
  readonly log: ChangeLog;
  /** Keeps how far was sent; its folder is made. One topic and one log for each such file, and one writer at a time. */
  readonly cursorFile: string;
  /** Return at the log's end instead of waiting for more. */
  readonly untilEnd?: boolean;
  /** Kafka cannot be reached for now, and is tried again. */
  readonly onProblem?: (error: BlinkstreamError, retryInMs: number) => void;
  /** Ends the output after what is being sent; call again to go on. */
  readonly signal: AbortSignal;
}

/** Sent, and acknowledged, in one go: what a crash at the worst moment sends a second time. */
const MAX_BATCH_EVENTS = 64;
/** Well below what topics take by default, which is 1 MiB. */
const MAX_BATCH_BYTES = 256 * 1024;
/** What is under way when the output is told to end may take this long. */
const GRACE_MS = 5_000;

/**
 * Sends every event of the log to a topic, as `encodeEventMessage` writes it, and follows the log. Events of a source keep
 * their order: they have one key, and a batch is sent when the one before it is acknowledged by all replicas in sync.
 *
 * At least once: the cursor is written behind each batch. A process that is killed between the two sends that batch
 * again, `MAX_BATCH_EVENTS` at most; a reader tells by `ce_id`. A request that is only repeated, because a connection
 * broke, brings none twice. While Kafka cannot be reached nothing is lost and nothing waits in memory.
 *
 * @returns the events sent by this call
 * @throws BlinkstreamError of class `user` where somebody has to put it right: `KAFKA_TOPIC_UNKNOWN`,
 *   `KAFKA_FORBIDDEN`, `KAFKA_CREDENTIAL_REFUSED`, `KAFKA_UNTRUSTED`, those of `kafkaClient`, `OUTPUT_DAMAGED`,
 *   `OUTPUT_MISMATCH` where the log cannot go on from what was sent, `OUTPUT_FAILED`; `KAFKA_MESSAGE_TOO_LARGE` (data) for
 *   an event that is larger than the topic takes; `OUTPUT_FULL` (resource)
 */
export async function kafkaOutput(options: KafkaOutputOptions): Promise<{ readonly events: number }> {
  const { topic, onProblem, signal } = options;
  const client = kafkaClient(options.kafka);
  const backOff = new BackOff();
  let events = 0;
  while (!signal.aborted) {
    const beganMs = performance.now();
    try {
      await withProducer(client, options, (producer) =>
        sendOn(producer, options, (sent) => {
          events += sent;
        }),
      );
      break;
    } catch (thrown) {
      if (thrown instanceof GraceOver) break;
      const error = kafkaError(thrown, { topic, operation: 'WRITE' });
      if (error.class !== 'external') throw error;
      if (signal.aborted) break;
      const retryInMs = backOff.pauseMs(performance.now() - beganMs);
      onProblem?.(error, retryInMs);
      await pause(retryInMs, undefined, { signal }).catch(() => undefined);
    }
  }
  return { events };
}

/** A producer for one attempt. */
async function withProducer(
  client: Kafka,
  { topic, signal }: KafkaOutputOptions,
  work: (producer: Producer) => Promise<void>,
): Promise<void> {
  const producer = await within(signal, openProducer(client, topic));
  try {
    await work(producer);
  } finally {
    // What was sent is acknowledged already: how the connection ends changes nothing.
    await within(signal, producer.disconnect()).catch(() => undefined);
  }
}

async function sendOn(
  producer: Producer,
  { topic, format, log, cursorFile, untilEnd = false, signal }: KafkaOutputOptions,
  onSent: (events: number) => void,
): Promise<void> {
  const kept = new KeptCursor(cursorFile);
  const cursor = await kept.read();
  let batch: EventMessage[] = [];
  let batchBytes = 0;
  let last: Cursor | undefined;
  const entries = log.read({ ...(cursor && { cursor }), start: 'earliest', untilEnd, signal });
  for await (const entry of refusalsTold(entries, topic, cursorFile)) {
    if (entry.type === 'event') {
      const message = encodeEventMessage(entry.event, format);
      batch.push(message);
      batchBytes += message.value.byteLength;
      last = entry.cursor;
      if (batch.length < MAX_BATCH_EVENTS && batchBytes < MAX_BATCH_BYTES) continue;
    }
    if (last === undefined) continue;
    await within(signal, producer.send({ topic, acks: -1, messages: batch }));
    killPoint('publish');
    await kept.write(last);
    onSent(batch.length);
    [batch, batchBytes, last] = [[], 0, undefined];
  }
}

/** Where the log does not go on from the cursor that was kept, the error says which file that is. */
async function* refusalsTold<T>(entries: AsyncIterable<T>, topic: string, file: string): AsyncGenerator<T> {
  try {
    yield* entries;
  } catch (cause) {
    const isRefused =
      cause instanceof BlinkstreamError && (cause.code === 'CURSOR_EXPIRED' || cause.code === 'CURSOR_INVALID');
    if (!isRefused) throw cause;
    throw new BlinkstreamError(`events cannot be sent on to topic ${topic}: ${cause.message}`, {
      code: 'OUTPUT_MISMATCH',
      class: 'user',
      stage: 'output',
      hint: `remove ${file} to send all that the log still holds, in part a second time; what was pruned is gone`,
      cause,
    });
  }
}

class GraceOver extends Error {}

/** The result of `work`; where the signal has aborted and it takes longer than a grace, it is left to itself. */
async function within<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  const done = new AbortController();
  const over = new Promise<never>((_, reject) => {
    const begin = (): void => {
      const timer = setTimeout(() => reject(new GraceOver()), GRACE_MS);
      done.signal.addEventListener('abort', () => clearTimeout(timer), { once: true });
    };
    if (signal.aborted) begin();
    else signal.addEventListener('abort', begin, { once: true, signal: done.signal });
  });
  try {
    return await Promise.race([work, over]);
  } finally {
    done.abort();
  }
}
