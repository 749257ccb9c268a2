import { createHash } from 'node:crypto';
import type { Kafka, Message } from 'kafkajs';
import sharp from 'sharp';
import { randomOf } from '../../fixtures/random.js';
import { encodeFrameMessage } from '../../src/kafka/frame-message.js';

export const partitions = 4;
export const cameras = 8;
/** Of each camera, in event time. */
export const fps = 10;

const [widthPx, heightPx] = [1_280, 720];
/** Drawn once each, and sent in turn. */
const drawnPictures = 12;
const sentAtATime = 20;
const firstMs = Date.parse('2026-01-31T08:30:00Z');

/** A still scene with the noise of a sensor: JPEG pictures of about 200 KB, each of other bytes. */
export function drawPictures(): Promise<Buffer[]> {
  return Promise.all(
    Array.from({ length: drawnPictures }, (_, n) => {
      const random = randomOf(n + 1);
      const data = Buffer.alloc(widthPx * heightPx * 3);
      for (let y = 0, at = 0; y < heightPx; y++) {
        for (let x = 0; x < widthPx; x++, at += 3) {
          const ground = 110 + ((x >> 4) % 3) * 12 + 30 * Math.sin(x / 37) * Math.cos(y / 29);
          const noise = (random() - 0.5) * 15;
          data[at] = data[at + 1] = data[at + 2] = ground + noise;
        }
      }
      return sharp(data, { raw: { width: widthPx, height: heightPx, channels: 3 } })
        .jpeg({ quality: 91 })
        .toBuffer();
    }),
  );
}

export interface SentFrames {
  readonly pictures: readonly Buffer[];
  readonly count: number;
  /** How many were sent before; default 0. */
  readonly from?: number;
  /** With `ce_sha256`, as `blinkstream publish` sends them: then the source checks it. */
  readonly hashed: boolean;
}

/** Fills `topic` with frames, those of all cameras in turn. */
export async function sendFrames(kafka: Kafka, topic: string, sent: SentFrames): Promise<void> {
  const { pictures, count, from = 0, hashed } = sent;
  const hashes = pictures.map((bytes) => createHash('sha256').update(bytes).digest('hex'));
  const frame = (i: number): Message => {
    const { headers, ...message } = encodeFrameMessage({
      camera: `camera-${i % cameras}`,
      eventTimeMs: firstMs + (Math.floor(i / cameras) * 1_000) / fps,
      mediaType: 'image/jpeg',
      sha256: hashes[i % pictures.length],
      bytes: pictures[i % pictures.length],
    });
    const { ce_sha256, ...others } = headers;
    return { ...message, partition: (i % cameras) % partitions, headers: hashed ? { ...others, ce_sha256 } : others };
  };
  const producer = kafka.producer({ maxInFlightRequests: 4 });
  await producer.connect();
  try {
    for (let first = from; first < from + count; first += sentAtATime) {
      const length = Math.min(sentAtATime, from + count - first);
      await producer.send({ topic, messages: Array.from({ length }, (_, i) => frame(first + i)) });
    }
  } finally {
    await producer.disconnect();
  }
}
