import type { Kafka, Message } from 'kafkajs';
import sharp from 'sharp';
import { randomOf } from '../../../fixtures/random.js';
import { drawShelf, SHELF, type ShelfScript } from '../../../fixtures/shelf.js';

export interface CamerasScript extends Omit<ShelfScript, 'seed'> {
  readonly seed: number;
  readonly cameras: number;
  readonly partitions: number;
}

/** Of a hundred frames: come twice; change places with the one before; come later than is allowed. */
export const disorder = { duplicatedPercent: 2, swappedPercent: 8, latePercent: 1 } as const;
/** How far out of order frames may come, ms. */
export const allowedLatenessMs = 1_000;
/** A late frame is overtaken by so many: more than is allowed. */
const overtakenBy = 12;
const firstMs = Date.parse('2026-01-31T08:30:00Z');

/** A frame of a camera, to be sent. */
export interface Sent {
  readonly index: number;
  readonly jpeg: Buffer;
}

/** The frame as a message, without its key. */
export const cameraMessage = ({ index, jpeg }: Sent, fps: number): Message => ({
  value: jpeg,
  headers: { ce_time: new Date(firstMs + Math.round((index * 1_000) / fps)).toISOString() },
});

/** Sends the frames of all cameras, those of each in its own disorder; the same for the same seed. */
export async function sendCameras(kafka: Kafka, topic: string, script: CamerasScript): Promise<void> {
  const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 });
  await producer.connect();
  try {
    for (let camera = 0; camera < script.cameras; camera++) {
      const seed = script.seed * 1_000 + camera;
      const sent = disordered(await drawCamera({ ...script, seed }), seed);
      for (let i = 0; i < sent.length; i += 50) {
        await producer.send({
          topic,
          messages: sent.slice(i, i + 50).map((frame) => ({
            ...cameraMessage(frame, script.fps),
            key: `camera-${camera}`,
            partition: camera % script.partitions,
          })),
        });
      }
    }
  } finally {
    await producer.disconnect();
  }
}

/** All frames of a camera, in order. */
export async function drawCamera(script: ShelfScript): Promise<Sent[]> {
  const frames: Sent[] = [];
  const raw = { width: SHELF.widthPx, height: SHELF.heightPx, channels: 3 } as const;
  for (const data of drawShelf(script)) {
    frames.push({ index: frames.length, jpeg: await sharp(data, { raw }).jpeg({ quality: 92 }).toBuffer() });
  }
  return frames;
}

function disordered(frames: readonly Sent[], seed: number): Sent[] {
  const random = randomOf(seed);
  const isOneOf = (percent: number): boolean => random() * 100 < percent;
  const sent: Sent[] = [];
  const late: { readonly frame: Sent; readonly after: number }[] = [];
  for (const frame of frames) {
    if (frame.index > 0 && isOneOf(disorder.latePercent)) late.push({ frame, after: frame.index + overtakenBy });
    else if (isOneOf(disorder.swappedPercent)) sent.splice(Math.max(0, sent.length - 1), 0, frame);
    else sent.push(frame);
    if (isOneOf(disorder.duplicatedPercent)) sent.push(frame);
    while (late.length > 0 && late[0].after <= frame.index) {
      const [next] = late.splice(0, 1);
      sent.push(next.frame);
    }
  }
  return [...sent, ...late.map(({ frame }) => frame)];
}
