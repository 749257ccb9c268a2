import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Life } from '../chaos/life.js';
import { Subscriber } from '../chaos/subscriber.js';
import { cameraFeed } from './feeds/camera.js';
import type { Feed } from './feeds/feed.js';
import { kafkaFeed } from './feeds/kafka.js';
import { childrenOf, memoryOf, samplerEnv, type Memory } from './memory.js';
import { StalledSubscriber } from './stalled-subscriber.js';

const feeds = { kafka: kafkaFeed, camera: cameraFeed };
export type FeedName = keyof typeof feeds;
export const feedNames = Object.keys(feeds) as FeedName[];

export interface SoakOptions {
  readonly feed: FeedName;
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
const hourMs = 3_600_000;
const samplesPerRun = 72;

/**
 * A service, as a process of its own, is fed the frames of hours as fast as it reads them, while one subscriber reads and
 * another does not, and the log prunes; its memory and its worker's are looked at all along.
 */
export async function soak(options: SoakOptions): Promise<SoakResult> {
  const folder = await mkdtemp(join(tmpdir(), 'blinkstream-soak-'));
  try {
    const feed = await feeds[options.feed]({ folder, spanMs: options.hours * hourMs });
    try {
      return await watched(feed, folder, options);
    } finally {
      await feed.close();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function watched(feed: Feed, folder: string, options: SoakOptions): Promise<SoakResult> {
  const { file, address } = await writeDeployment(feed, folder);
  const service = new Life({ args: ['run', file], env: samplerEnv(folder), signal: options.signal });
  const subscriber = new Subscriber(address);
  const stalled = new StalledSubscriber(address);
  const isOver = new AbortController();
  const signal = AbortSignal.any([options.signal, isOver.signal]);
  const feeding = feed.run(signal);
  const sampling = sampled(service, { ...options, folder, feed, signal });
  try {
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
    return { frames: feed.frames, events: subscriber.events.length, samples, letGo: stalled.letGo };
  } finally {
    // What had begun before it failed ends too, and has nothing more to say.
    await Promise.allSettled([feeding, sampling]);
    await service.kill();
  }
}

/** Of a service with a log that keeps so little that it prunes all the time. */
async function writeDeployment(feed: Feed, folder: string): Promise<{ file: string; address: string }> {
  const address = `unix:${join(folder, 'grpc')}`;
  const { limits, ...rest } = feed.deployment;
  const deployment = {
    topologies: [{ kind: 'watch' }],
    ...rest,
    outputs: { grpc: { listen: address } },
    workers: { children: 1 },
    limits: { budgetMiB, ...limits },
    retention: { maxEvents: 200, pruneEveryMs: 1_000 },
  };
  const file = join(folder, 'deployment.yaml');
  // JSON is YAML.
  await writeFile(file, JSON.stringify(deployment, null, 2));
  return { file, address };
}

interface SamplingOptions extends Omit<SoakOptions, 'feed'> {
  readonly folder: string;
  readonly feed: Feed;
}

/** Samples evenly over the frames' time, from when the first of them are done with until `signal` aborts. */
async function sampled(service: Life, { folder, feed, hours, tell, signal }: SamplingOptions): Promise<SoakSample[]> {
  const samples: SoakSample[] = [];
  const everyHours = hours / samplesPerRun;
  const startedMs = performance.now();
  while (!signal.aborted) {
    const hour = feed.coveredMs / hourMs;
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
