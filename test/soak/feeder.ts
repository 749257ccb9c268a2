import type { Admin, Kafka, Producer } from 'kafkajs';
import sharp from 'sharp';
import { setTimeout as sleep } from 'node:timers/promises';
import { drawShelf, SHELF, shelfFrames, type ShelfScript } from '../../fixtures/shelf.js';

export interface FeederOptions {
  readonly kafka: Kafka;
  readonly admin: Admin;
  readonly topic: string;
  /** The consumer group that reads it. */
  readonly group: string;
  readonly partitions: number;
  readonly cameras: number;
  /** What each camera sees, over and over, each from another moment on. */
  readonly script: ShelfScript;
  /** Event time of all that is sent. */
  readonly spanMs: number;
}

/** So much of what was sent may wait, a camera: more would only wait in the broker instead. */
const aheadMs = 120_000;
const sentMsAtATime = 10_000;
const pollMs = 50;

/** Sends the frames of hours as fast as they are read. */
export class Feeder {
  /** Frames that were sent. */
  sent = 0;
  readonly #options: FeederOptions;
  readonly #jpegs: Buffer[] = [];
  readonly #firstMs: number;
  #readTo = 0;

  constructor(options: FeederOptions) {
    this.#options = options;
    // All of it is past, as frames are when they are read.
    this.#firstMs = Date.now() - options.spanMs - 3_600_000;
  }

  /** Event time that is covered by checkpoints, ms from the first frame on. */
  get coveredMs(): number {
    const { cameras, script } = this.#options;
    return (this.#readTo / cameras / script.fps) * 1_000;
  }

  /** Resolves when everything was sent and is covered. */
  async run(signal: AbortSignal): Promise<void> {
    await this.#draw();
    const { kafka, script, spanMs } = this.#options;
    const producer = kafka.producer();
    await producer.connect();
    try {
      for (let fromMs = 0; fromMs < spanMs; fromMs += sentMsAtATime) {
        while (fromMs - this.coveredMs > aheadMs) await this.#look(signal);
        const untilMs = Math.min(fromMs + sentMsAtATime, spanMs);
        await this.#send(
          producer,
          Math.round((fromMs * script.fps) / 1_000),
          Math.round((untilMs * script.fps) / 1_000),
        );
      }
      while (this.#readTo < this.sent) await this.#look(signal);
    } finally {
      await producer.disconnect();
    }
  }

  async #draw(): Promise<void> {
    const raw = { width: SHELF.widthPx, height: SHELF.heightPx, channels: 3 } as const;
    for (const data of drawShelf(this.#options.script)) {
      this.#jpegs.push(await sharp(data, { raw }).jpeg({ quality: 90 }).toBuffer());
    }
  }

  async #send(producer: Producer, from: number, until: number): Promise<void> {
    const { topic, cameras, partitions, script } = this.#options;
    const length = shelfFrames(script);
    const messages = Array.from({ length: until - from }, (_, n) => from + n).flatMap((index) =>
      Array.from({ length: cameras }, (_, camera) => ({
        key: `camera-${camera}`,
        partition: camera % partitions,
        value: this.#jpegs[(index + Math.round((camera * length) / cameras)) % length],
        headers: { ce_time: new Date(this.#firstMs + (index * 1_000) / script.fps).toISOString() },
      })),
    );
    await producer.send({ topic, messages });
    this.sent += messages.length;
  }

  /** How far they are. */
  async #look(signal: AbortSignal): Promise<void> {
    await sleep(pollMs, undefined, { signal });
    const { admin, topic, group } = this.#options;
    const [found] = await admin.fetchOffsets({ groupId: group, topics: [topic] });
    this.#readTo = (found?.partitions ?? []).reduce((sum, { offset }) => sum + Math.max(0, Number(offset)), 0);
  }
}
