/** Frames in Kafka, as cameras would send them. Needs nothing of vitest. */
import { createHash } from 'node:crypto';
import type { Admin, Kafka, Message, Producer } from 'kafkajs';
import sharp from 'sharp';

/** When the first frame of every test was taken. */
export const firstMs = Date.parse('2026-01-31T08:30:00Z');

let jpeg: Promise<Buffer> | undefined;

/** A small picture, the same for all. */
export const smallJpeg = (): Promise<Buffer> =>
  (jpeg ??= sharp({ create: { width: 32, height: 24, channels: 3, background: '#7a8b9c' } })
    .jpeg()
    .toBuffer());

export interface FrameOptions {
  /** Seconds since the first frame of every test. */
  readonly atMs?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly value?: Buffer | null;
}

/** A frame of `camera`; to be sent as it is. */
export async function frameMessage(
  camera: string,
  { atMs = 0, headers = {}, value }: FrameOptions = {},
): Promise<Message> {
  const picture = value === undefined ? await smallJpeg() : value;
  return {
    key: camera,
    value: picture,
    headers: {
      ce_time: new Date(firstMs + atMs).toISOString(),
      'content-type': 'image/jpeg',
      ...(picture && { ce_sha256: createHash('sha256').update(picture).digest('hex') }),
      ...headers,
    },
  };
}

/** Runs `work` with a connected producer. */
export async function producing<T>(kafka: Kafka, work: (producer: Producer) => Promise<T>): Promise<T> {
  const producer = kafka.producer();
  await producer.connect();
  try {
    return await work(producer);
  } finally {
    await producer.disconnect();
  }
}

/** Lets the messages of a partition below `offset` expire. */
export const expireBefore = (admin: Admin, topic: string, partition: number, offset: number): Promise<void> =>
  // kafkajs only deletes from topics whose offsets it has looked at.
  admin
    .fetchTopicOffsets(topic)
    .then(() => admin.deleteTopicRecords({ topic, partitions: [{ partition, offset: String(offset) }] }));
