import { resolve } from 'node:path';
import type { Kafka } from 'kafkajs';
import type { ClaimCheckStore } from '../../blobs/index.js';
import { kafkaError } from '../../kafka/errors.js';
import { kafkaClient } from '../../kafka/index.js';
import { deadLetterTopic } from '../../outputs/dead-letters.js';
import { openKafkaLog, type KafkaLog } from '../../log/kafka/kafka-log.js';
import { plainLanes } from '../../log/plain-lane.js';
import type { ChangeLog, Committer, Retention } from '../../log/index.js';
import type { BlinkstreamError } from '../../records/index.js';
import { kafkaFeed, type KafkaFeed } from '../../sources/kafka/feed.js';
import type { Lane } from '../../sources/kafka/lane.js';
import { kafkaOptionsOf } from '../../topology/deployment/kafka.js';
import type { LoadedDeployment } from '../../topology/deployment/parse.js';
import type { KafkaSourceEntry } from '../../topology/deployment/sources.js';

/** What a deployment has to do with Kafka. */
export interface DeploymentKafka {
  readonly client: Kafka;
  /** Told of what is tried again. */
  readonly problem: (error: BlinkstreamError) => void;
}

/** Undefined where the file does not speak of Kafka. @throws as `kafkaOptionsOf` and `kafkaClient` */
export async function kafkaOf(
  { deployment: { kafka }, folder }: LoadedDeployment,
  problem: DeploymentKafka['problem'],
): Promise<DeploymentKafka | undefined> {
  return kafka && { client: kafkaClient(await kafkaOptionsOf(kafka, folder)), problem };
}

/** The log in Kafka of a deployment that has one. */
export function logInKafka(
  { deployment: { log }, folder }: LoadedDeployment,
  { client, problem }: DeploymentKafka,
  retention: Retention,
): Promise<KafkaLog> | undefined {
  const { kafka } = log;
  if (kafka === undefined) return undefined;
  const { prefix, partitions, replicationFactor, format, graceMs } = kafka;
  return openKafkaLog({
    kafka: client,
    indexPath: resolve(folder, log.folder),
    ...{ prefix, partitions, format, graceMs, retention, problem },
    ...(replicationFactor !== undefined && { replicationFactor }),
  });
}

export interface FeedSurroundings {
  readonly log: ChangeLog;
  readonly maxPixels: number;
  /** Where pictures are that messages only name. */
  readonly blobs: ClaimCheckStore | undefined;
}

/** A source that brings cameras, as one topology reads it. */
export function feedOf(
  entry: KafkaSourceEntry,
  topology: string,
  { client, problem }: DeploymentKafka,
  { log, maxPixels, blobs }: FeedSurroundings,
): KafkaFeed<Lane & Committer> {
  const { topic, group, expired, idleMs, sessionTimeoutMs, handOverMs, maxFrameBytes, partitionMiB, maxCameras } =
    entry;
  const lanes =
    'lanes' in log
      ? (log as KafkaLog).lanes
      : plainLanes({ log, divert: deadLetterTopic(client, `${topic}.dead-letters`), problem });
  return kafkaFeed({
    ...{ client, topic, expired, idleMs, sessionTimeoutMs, handOverMs, lanes },
    group: `${group}.${topology}`,
    ...(blobs && { blobs }),
    limits: { maxFrameBytes, maxPixels, partitionBytes: partitionMiB * 2 ** 20, maxCameras },
    listener: {
      problem,
      crashed: problem,
    },
  });
}

/** @throws BlinkstreamError of `kafkaError`, `KAFKA_TOPIC_UNKNOWN` among them */
export async function mustBeThere({ topic }: KafkaSourceEntry, { client }: DeploymentKafka): Promise<void> {
  const admin = client.admin();
  try {
    await admin.connect();
    await admin.fetchTopicOffsets(topic);
  } catch (error) {
    throw kafkaError(error, { topic, operation: 'DESCRIBE' });
  } finally {
    await admin.disconnect();
  }
}
