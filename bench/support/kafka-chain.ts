import { once } from 'node:events';
import type { Kafka } from 'kafkajs';
import { memoryLog } from '../../src/log/memory.js';
import { plainLanes } from '../../src/log/plain-lane.js';
import type { BlinkstreamError } from '../../src/records/index.js';
import { kafkaFeed } from '../../src/sources/kafka/feed.js';
import type { Source } from '../../src/sources/index.js';
import { feedService } from '../../src/topology/feeding.js';
import { Service } from '../../src/topology/service.js';
import type { Topology } from '../../src/topology/topology.js';
import { cameras } from './kafka-frames.js';

export interface ChainOptions {
  readonly kafka: Kafka;
  readonly topic: string;
  readonly group: string;
  readonly topology: Topology<{ readonly source: Source }>;
  /** Frames in the topic. */
  readonly count: number;
}

/** As of a deployment that says nothing of it. */
const budgetBytes = 1_024 * 2 ** 20;

/**
 * The cameras of a topic through the production chain: feed, a pipeline for each camera in a service, commits. Workers
 * answer at once, and the log is in memory.
 * @returns time from the first frame that a pipeline is given to when the windows have taken the last of `count`, ms
 */
export async function readThroughChain({ kafka, topic, group, topology, count }: ChainOptions): Promise<number> {
  const log = memoryLog({ partitions: 1 });
  const drain = new AbortController();
  const done = new AbortController();
  let startedMs = Number.NaN;
  let windowed = 0;
  const failed = (error: BlinkstreamError): void => done.abort(error);
  const service = new Service({
    log,
    workers: {
      capacity: 1,
      reason: () => Promise.resolve({ findings: [], contradicted: [], blobs: [], reasoner: 'none', elapsedMs: 0 }),
    },
    budgetBytes,
    maxPipelines: cameras,
    drain: drain.signal,
    signal: new AbortController().signal,
    listener: {
      pipeline: () => ({
        frame: () => {
          if (Number.isNaN(startedMs)) startedMs = performance.now();
        },
        windowed: () => {
          windowed += 1;
          if (windowed === count) done.abort();
        },
      }),
      state: ({ error }) => error && failed(error),
    },
  });
  const feed = kafkaFeed({
    ...{ client: kafka, topic, group },
    lanes: plainLanes({ log, divert: ([letter]) => Promise.reject(new Error(letter.problem)), problem: failed }),
    listener: {
      problem: failed,
      crashed: failed,
    },
  });
  service.during(feedService(service, { feed, topology, options: {} }, drain.signal));
  if (!done.signal.aborted) await once(done.signal, 'abort');
  const tookMs = performance.now() - startedMs;
  drain.abort();
  await service.ended();
  if (windowed !== count) throw done.signal.reason;
  return tookMs;
}
