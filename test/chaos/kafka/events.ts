import type { Admin, Kafka } from 'kafkajs';
import { readCommitted } from '../../support/kafka/committed.js';

/** Events as text, by camera, in order. */
export type EventsByCamera = ReadonlyMap<string, readonly string[]>;

export function byCamera(events: readonly string[]): EventsByCamera {
  const all = new Map<string, string[]>();
  for (const event of events) {
    const { source } = JSON.parse(event) as { source: string };
    const list = all.get(source) ?? [];
    list.push(event);
    all.set(source, list);
  }
  return all;
}

/** What is in the log of that prefix, as a read-committed consumer sees it. */
export async function committedEvents(client: Kafka, prefix: string): Promise<EventsByCamera> {
  const messages = await readCommitted(client, `${prefix}.events`);
  return byCamera(messages.map(({ value }) => value?.toString() ?? ''));
}

/** What was put aside in the log of that prefix instead of being told: of each its code, where it came from, and what was wrong. */
export async function deadLetters(client: Kafka, prefix: string): Promise<string[]> {
  const messages = await readCommitted(client, `${prefix}.dead-letters`);
  const text = (header: unknown): string => (Buffer.isBuffer(header) ? header.toString() : '?');
  return messages.map(({ headers }) =>
    ['code', 'where', 'problem'].map((name) => text(headers?.[`blinkstream-${name}`])).join(' '),
  );
}

/** Whether all that was sent to the topic is covered by a checkpoint of `groupId`. */
export async function isCovered(admin: Admin, topic: string, groupId: string): Promise<boolean> {
  const ends = new Map((await admin.fetchTopicOffsets(topic)).map(({ partition, high }) => [partition, high]));
  const [{ partitions }] = await admin.fetchOffsets({ groupId, topics: [topic] });
  return partitions.length > 0 && partitions.every(({ partition, offset }) => ends.get(partition) === offset);
}
