import type { Admin, Producer } from 'kafkajs';
import sharp from 'sharp';
import { setTimeout as sleep } from 'node:timers/promises';
import { drawShelf, SHELF, shelfFrames } from '../../../fixtures/shelf.js';
import { kafkaNames, type KafkaNames } from '../../support/kafka/names.js';
import { startBroker } from '../../support/kafka/server.js';
import type { Feed, FeedOptions } from './feed.js';

const partitions = 4;
const cameras = 6;
/** What each camera sees, over and over, each from another moment on. */
const script = { seed: 1, steps: 5, stepMs: 300_000, changesPerStep: 2, fps: 0.5 } as const;
/** So much of what was sent may wait, a camera: more would only wait in the broker instead. */
const aheadMs = 120_000;
const sentMsAtATime = 10_000;
const pollMs = 50;

/** The frames of six cameras by a topic, as fast as they are read, with the log in topics too. */
export async function kafkaFeed({ spanMs }: FeedOptions): Promise<Feed> {
  const broker = await startBroker();
  try {
    const names = kafkaNames(broker.brokers);
    const topic = await names.topic(partitions);
    const sender = new Sender({ names, topic, group: names.group(), spanMs });
    const deployment = {
      kafka: { brokers: broker.brokers },
      sources: [{ name: 'cameras', kind: 'kafka', topic, group: sender.group }],
      log: { folder: 'index', kafka: { prefix: names.group(), partitions } },
      limits: { maxSources: cameras },
    };
    return Object.assign(sender, { deployment, close: () => broker.close() });
  } catch (error) {
    await broker.close();
    throw error;
  }
}

interface SenderOptions {
  readonly names: KafkaNames;
  readonly topic: string;
  /** The consumer group that reads it, without the name of its topology. */
  readonly group: string;
  readonly spanMs: number;
}

class Sender {
  /** That were sent. */
  frames = 0;
  readonly #options: SenderOptions;
  readonly #jpegs: Buffer[] = [];
  readonly #firstMs: number;
  #readTo = 0;

  constructor(options: SenderOptions) {
    this.#options = options;
    // All of it is past, as frames are when they are read.
    this.#firstMs = Date.now() - options.spanMs - 3_600_000;
  }

  get group(): string {
    return this.#options.group;
  }

  /** By checkpoints. */
  get coveredMs(): number {
    return (this.#readTo / cameras / script.fps) * 1_000;
  }

  async run(signal: AbortSignal): Promise<void> {
    await this.#draw();
    const { names, spanMs } = this.#options;
    const producer = names.client().producer();
    await producer.connect();
    try {
      await names.admin(async (admin) => {
        for (let fromMs = 0; fromMs < spanMs; fromMs += sentMsAtATime) {
          while (fromMs - this.coveredMs > aheadMs) await this.#look(admin, signal);
          const untilMs = Math.min(fromMs + sentMsAtATime, spanMs);
          const [from, until] = [fromMs, untilMs].map((ms) => Math.round((ms * script.fps) / 1_000));
          await this.#send(producer, from, until);
        }
        while (this.#readTo < this.frames) await this.#look(admin, signal);
      });
    } finally {
      await producer.disconnect();
    }
  }

  async #draw(): Promise<void> {
    const raw = { width: SHELF.widthPx, height: SHELF.heightPx, channels: 3 } as const;
    for (const data of drawShelf(script)) {
      this.#jpegs.push(await sharp(data, { raw }).jpeg({ quality: 90 }).toBuffer());
    }
  }

  async #send(producer: Producer, from: number, until: number): Promise<void> {
    const length = shelfFrames(script);
    const messages = Array.from({ length: until - from }, (_, n) => from + n).flatMap((index) =>
      Array.from({ length: cameras }, (_, camera) => ({
        key: `camera-${camera}`,
        partition: camera % partitions,
        value: this.#jpegs[(index + Math.round((camera * length) / cameras)) % length],
        headers: { ce_time: new Date(this.#firstMs + (index * 1_000) / script.fps).toISOString() },
      })),
    );
    await producer.send({ topic: this.#options.topic, messages });
    this.frames += messages.length;
  }

  /** How far they are. */
  async #look(admin: Admin, signal: AbortSignal): Promise<void> {
    await sleep(pollMs, undefined, { signal });
    const { topic, group } = this.#options;
    const [found] = await admin.fetchOffsets({ groupId: `${group}.watch`, topics: [topic] });
    this.#readTo = (found?.partitions ?? []).reduce((sum, { offset }) => sum + Math.max(0, Number(offset)), 0);
  }
}
