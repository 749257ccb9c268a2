import type { Kafka } from 'kafkajs';
import { kafkaError } from '../kafka/errors.js';
import { deadLetterMessage } from '../kafka/dead-letter-message.js';
import type { DeadLetter } from '../records/index.js';

/**
 * Sends dead letters to a topic, which is made where it is not there. They are durable when it resolves; after a crash
 * before that some may be sent again, with the same `blinkstream-where`.
 * @throws BlinkstreamError of `kafkaError`
 */
export function deadLetterTopic(kafka: Kafka, topic: string): (letters: readonly DeadLetter[]) => Promise<void> {
  let made: Promise<void> | undefined;
  return async (letters) => {
    try {
      made ??= make(kafka, topic);
      await made;
      const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 });
      try {
        await producer.connect();
        await producer.send({ topic, acks: -1, messages: letters.map(deadLetterMessage) });
      } finally {
        await producer.disconnect();
      }
    } catch (error) {
      made = undefined;
      throw kafkaError(error, { topic, operation: 'WRITE' });
    }
  };
}

async function make(kafka: Kafka, topic: string): Promise<void> {
  const admin = kafka.admin();
  try {
    await admin.connect();
    if (!(await admin.listTopics()).includes(topic)) await admin.createTopics({ topics: [{ topic }] });
  } finally {
    await admin.disconnect();
  }
}
