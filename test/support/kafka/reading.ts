/** What a topic holds, as a plain consumer reads it. Needs nothing of vitest. */
import type { KafkaMessage } from 'kafkajs';
import type { KafkaNames } from './names.js';

export interface ReadMessage {
  readonly partition: number;
  readonly key: string | undefined;
  readonly value: Buffer;
  /** As text, the last of each name. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Everything that is in the topic now, partition after partition. */
export async function readTopic(kafka: KafkaNames, topic: string): Promise<ReadMessage[]> {
  const offsets = await kafka.admin((admin) => admin.fetchTopicOffsets(topic));
  const waiting = new Map(
    offsets.filter(({ high, low }) => high !== low).map(({ partition, high }) => [partition, high]),
  );
  const found: ReadMessage[] = [];
  if (waiting.size === 0) return found;
  const consumer = kafka.client().consumer({ groupId: kafka.group() });
  await consumer.connect();
  try {
    await consumer.subscribe({ topic, fromBeginning: true });
    await new Promise<void>((resolve, reject) => {
      const take = (partition: number, message: KafkaMessage): void => {
        found.push(readable(partition, message));
        if (BigInt(message.offset) + 1n >= BigInt(waiting.get(partition) ?? 0)) waiting.delete(partition);
        if (waiting.size === 0) resolve();
      };
      consumer
        .run({ eachMessage: ({ partition, message }) => Promise.resolve(take(partition, message)) })
        .catch(reject);
    });
  } finally {
    await consumer.disconnect();
  }
  return found.sort((a, b) => a.partition - b.partition);
}

function readable(partition: number, { key, value, headers }: KafkaMessage): ReadMessage {
  const text = Object.entries(headers ?? {}).map(([name, given]) => {
    const last = Array.isArray(given) ? given.at(-1) : given;
    return [name, last?.toString() ?? ''];
  });
  return {
    partition,
    key: key?.toString(),
    // A copy: kafkajs gives slices of what it fetched.
    value: Buffer.from(value ?? []),
    headers: Object.fromEntries(text) as Record<string, string>,
  };
}
