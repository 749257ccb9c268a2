import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Life } from '../chaos/life.js';
import { Subscriber } from '../chaos/subscriber.js';
import { kafkaNames } from '../support/kafka/names.js';
import { startBroker } from '../support/kafka/server.js';
import { Feeder } from './feeder.js';
import { childrenOf, memoryOf, samplerEnv, type Memory } from './memory.js';
import { StalledSubscriber, writeDeployment } from './service.js';

export interface SoakOptions {
  /** Event time of the frames. */
  readonly hours: number;
  readonly signal: AbortSignal;
  readonly tell: (line: string) => void;
}

/** Memory when so much of the frames' time had passed. */
export interface SoakSample {
  readonly hour: number;
  readonly service: Memory;
  readonly worker: Memory;
}

export interface SoakResult {
  readonly frames: number;
  /** That the subscriber has read. */
  readonly events: number;
  readonly samples: readonly SoakSample[];
  /** How often the stalled subscriber was let go. */
  readonly letGo: number;
}

/** Of the deployment. */
export const budgetMiB = 128;
const partitions = 4;
const cameras = 6;
const hourMs = 3_600_000;
const samplesPerRun = 72;
const script = { seed: 1, steps: 5, stepMs: 300_000, changesPerStep: 2, fps: 0.5 } as const;

/**
 * A service, as a process of its own, is fed the frames of hours as fast as it reads them, while one subscriber reads and
 * another does not, and the log prunes; its memory and its worker's are looked at all along.
 */
export async function soak({ hours, signal, tell }: SoakOptions): Promise<SoakResult> {
  const folder = await mkdtemp(join(tmpdir(), 'blinkstream-soak-'));
  const broker = await startBroker();
  let life: Life | undefined;
  try {
    const names = kafkaNames(broker.brokers);
    const topic = await names.topic(partitions);
    const [group, prefix] = [names.group(), names.group()];
    const { brokers } = broker;
    const { file, address } = await writeDeployment({
      ...{ folder, brokers, topic, group, prefix, partitions, cameras, budgetMiB },
    });
    life = new Life({ args: ['run', file], env: samplerEnv(folder), signal });
    const service = life;
    const subscriber = new Subscriber(address);
    const stalled = new StalledSubscriber(address);
    return await names.admin(async (admin) => {
      const feeder = new Feeder({
        ...{ kafka: names.client(), admin, topic, group: `${group}.watch`, partitions, cameras, script },
        spanMs: hours * hourMs,
      });
      const isOver = new AbortController();
      const feeding = feeder.run(AbortSignal.any([signal, isOver.signal]));
      const sampling = sampled(service, { folder, feeder, hours, tell, signal: isOver.signal });
      try {
        await Promise.race([feeding, sampling, service.ended]);
        if (service.hasEnded) throw new Error(`the service ended by itself, ${service.account}`);
        await feeding;
      } finally {
        isOver.abort();
        // A subscriber that goes on would keep the process, also where the run has failed.
        stalled.stop();
        await subscriber.stop();
      }
      const samples = await sampling;
      await service.stop();
      return { frames: feeder.sent, events: subscriber.events.length, samples, letGo: stalled.letGo };
    });
  } finally {
    await life?.kill();
    await broker.close();
    await rm(folder, { recursive: true, force: true });
  }
}

interface SamplingOptions extends SoakOptions {
  readonly folder: string;
  readonly feeder: Feeder;
}

/** Samples evenly over the frames' time, from when the first of them are done with until `signal` aborts. */
async function sampled(service: Life, { folder, feeder, hours, tell, signal }: SamplingOptions): Promise<SoakSample[]> {
  const samples: SoakSample[] = [];
  const everyHours = hours / samplesPerRun;
  const startedMs = performance.now();
  while (!signal.aborted) {
    const hour = feeder.coveredMs / hourMs;
    if (hour < (samples.length + 1) * everyHours) {
      await sleep(50, undefined, { signal }).catch(() => undefined);
      continue;
    }
    const [worker] = await childrenOf(service.pid);
    const sample = { hour, service: await memoryOf(service.pid, folder), worker: await memoryOf(worker, folder) };
    samples.push(sample);
    const figures = [sample.service, sample.worker].map(
      ({ rssMb, mappedMb, heapMb, externalMb }) =>
        `${rssMb.toFixed(0)} (mapped ${mappedMb.toFixed(0)}, heap ${heapMb.toFixed(1)}, external ${externalMb.toFixed(1)})`,
    );
    const seconds = ((performance.now() - startedMs) / 1_000).toFixed(0);
    tell(`${hour.toFixed(2)} h in ${seconds} s: service ${figures[0]} MB, worker ${figures[1]} MB`);
  }
  return samples;
}
