import type { Kafka } from 'kafkajs';
import watch from '../topologies/watch.js';
import { kafkaClient } from '../src/kafka/index.js';
import type { Source } from '../src/sources/index.js';
import type { Topology } from '../src/topology/topology.js';
import { kafkaNames, type KafkaNames } from '../test/support/kafka/names.js';
import { startBroker } from '../test/support/kafka/server.js';
import { readBare } from './support/kafka-bare.js';
import { readThroughChain } from './support/kafka-chain.js';
import { drawPictures, partitions, sendFrames } from './support/kafka-frames.js';
import { catchUpFps, recoverySeconds } from './support/kafka-instances.js';
import tumbling from './support/tumbling.js';

export const name = 'kafka';

const frameCount = 8_000;
/** Decoding takes far longer than fetching. */
const gatedFrameCount = 240;
const turns = 9;

/**
 * JPEG frames of 200 KB from a topic of four partitions and eight cameras to sequences: frames/s through feed, pipelines,
 * windows of time and commits, against a kafkajs consumer that throws them away. Both count from the first frame that has
 * come; they take turns, and ratios are those of the medians.
 *
 * `ratio` is of a chain that looks at no pixel. A gate decodes every picture, which costs many times what fetching does:
 * that is `gatedFramesPerSecond`, of `watch`. Nor do these frames bring their SHA-256, which is up to whoever sends them:
 * with it the source hashes every picture, at 0.1 ms on a core that fetches one in 0.13, and that is `hashedRatio`.
 *
 * The rest is of `blinkstream run` as processes. `recoverySeconds`: from kill -9 of one of two instances to the next
 * commit on all of its partitions, by the default session time-out and by one of 2 s. `twoAgainstOne`: frames/s of two
 * instances of `watch` against one; on two cores a single one decodes on both of them already, so that there is little
 * to win.
 */
export async function run(): Promise<{ rows: Record<string, number | string>[]; json: Record<string, number> }> {
  const broker = await startBroker();
  try {
    const names = kafkaNames(broker.brokers);
    const kafka = kafkaClient({ brokers: broker.brokers });
    const pictures = await drawPictures();
    const throughput = await throughputOf(names, kafka, pictures);
    const oneFps = await catchUpFps(names, pictures, 1);
    const twoFps = await catchUpFps(names, pictures, 2);
    return {
      rows: throughput.rows,
      json: {
        ...throughput.json,
        recoverySeconds: await recoverySeconds(names, pictures, 10_000),
        recoverySecondsShortSession: await recoverySeconds(names, pictures, 2_000),
        oneInstanceFps: oneFps,
        twoInstancesFps: twoFps,
        twoAgainstOne: twoFps / oneFps,
      },
    };
  } finally {
    await broker.close();
  }
}

async function throughputOf(names: KafkaNames, kafka: Kafka, pictures: readonly Buffer[]) {
  const filled = async (count: number, hashed: boolean): Promise<string> => {
    const topic = await names.topic(partitions);
    await sendFrames(kafka, topic, { pictures, count, hashed });
    return topic;
  };
  const plain = await filled(frameCount, false);
  const hashed = await filled(frameCount, true);
  const gated = await filled(gatedFrameCount, true);
  const fps = (count: number, ms: number): number => Math.round((count / ms) * 1_000);
  const chainFps = async (topic: string, topology: Topology<{ readonly source: Source }>, count: number) =>
    fps(count, await readThroughChain({ kafka, topic, group: names.group(), topology, count }));
  const rows: { turn: number; bareFps: number; chainFps: number; hashedFps: number; gatedFps: number }[] = [];
  for (let turn = 0; turn <= turns; turn++) {
    const row = {
      turn,
      bareFps: fps(frameCount, await readBare(kafka, plain, names.group(), frameCount)),
      chainFps: await chainFps(plain, tumbling, frameCount),
      hashedFps: await chainFps(hashed, tumbling, frameCount),
      gatedFps: await chainFps(gated, watch, gatedFrameCount),
    };
    // The first turn is for the compiler and the caches.
    if (turn > 0) rows.push(row);
  }
  const median = (key: 'bareFps' | 'chainFps' | 'hashedFps' | 'gatedFps') =>
    rows.map((row) => row[key]).sort((a, b) => a - b)[turns >> 1];
  return {
    rows,
    json: {
      ratio: median('chainFps') / median('bareFps'),
      hashedRatio: median('hashedFps') / median('bareFps'),
      gatedFramesPerSecond: median('gatedFps'),
      frameBytes: Math.round(pictures.reduce((sum, { length }) => sum + length, 0) / pictures.length),
    },
  };
}
