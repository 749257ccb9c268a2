import { setTimeout as pause } from 'node:timers/promises';
import type { Admin, Kafka } from 'kafkajs';
import { asKafkaError, kafkaError } from '../../kafka/errors.js';
import { BlinkstreamError } from '../../records/index.js';
import type { Retention } from '../index.js';

/** Where a log lives in Kafka. All but the dead letters have the same number of partitions. */
export interface LogTopics {
  /** Change events, for everybody to read. */
  readonly events: string;
  /** Claims that verification contradicted, in the shape of events. */
  readonly contradicted: string;
  /** Compacted: checkpoints, pictures, and who writes what. Of no interest to others. */
  readonly state: string;
  readonly deadLetters: string;
}

export const logTopics = (prefix: string): LogTopics => ({
  events: `${prefix}.events`,
  contradicted: `${prefix}.contradicted`,
  state: `${prefix}.state`,
  deadLetters: `${prefix}.dead-letters`,
});

export interface TopicOptions {
  readonly partitions: number;
  /** Brokers that hold each message; -1: as many as the cluster does by default. */
  readonly replicationFactor: number;
  readonly retention: Retention;
}

/**
 * Makes the topics that are not there yet. Those that are keep their settings.
 * @returns the number of partitions, which is fixed from the first time on
 * @throws BlinkstreamError `LOG_TOPIC_WRONG` (user) where topics do not fit together; of `kafkaError`
 */
export async function ensureTopics(kafka: Kafka, topics: LogTopics, options: TopicOptions): Promise<number> {
  const admin = kafka.admin();
  try {
    await admin.connect();
    const there = new Set(await admin.listTopics());
    const missing = wanted(topics, options).filter(({ topic }) => !there.has(topic));
    if (missing.length > 0) {
      await admin
        .createTopics({ topics: missing, waitForLeaders: false })
        .catch(asKafkaError({ topic: topics.events, operation: 'CREATE' }));
      await untilServed(
        admin,
        missing.map(({ topic }) => topic),
      );
    }
    return await partitionsOf(admin, topics);
  } catch (error) {
    throw kafkaError(error, { topic: Object.values(topics).join(', '), operation: 'DESCRIBE' });
  } finally {
    await admin.disconnect();
  }
}

/** How long a cluster may take to serve new topics, which kafkajs takes for an error. */
const servedWithinMs = 15_000;
const askEveryMs = 50;

/** Waits until the leader of each partition answers for it. @throws what the last answer was, once that takes too long */
async function untilServed(admin: Admin, topics: readonly string[]): Promise<void> {
  const deadlineMs = performance.now() + servedWithinMs;
  for (const topic of topics) {
    for (;;) {
      try {
        await admin.fetchTopicOffsets(topic);
        break;
      } catch (error) {
        if (performance.now() > deadlineMs) throw error;
        await pause(askEveryMs);
      }
    }
  }
}

function wanted({ events, contradicted, state, deadLetters }: LogTopics, options: TopicOptions) {
  const { partitions: numPartitions, replicationFactor, retention } = options;
  const kept = { name: 'retention.ms', value: String(Math.ceil(retention.maxAgeMs ?? -1)) };
  const common = { numPartitions, replicationFactor };
  return [
    { topic: events, ...common, configEntries: [kept] },
    { topic: contradicted, ...common, configEntries: [kept] },
    { topic: state, ...common, configEntries: [{ name: 'cleanup.policy', value: 'compact' }] },
    { topic: deadLetters, ...common, numPartitions: 1 },
  ];
}

async function partitionsOf(admin: Admin, { events, contradicted, state }: LogTopics): Promise<number> {
  const names = [events, contradicted, state];
  const { topics } = await admin.fetchTopicMetadata({ topics: names });
  const counts = names.map((name) => topics.find((topic) => topic.name === name)?.partitions.length ?? 0);
  if (counts.some((count) => count !== counts[0])) {
    throw wrong(`${names.join(', ')} have ${counts.join(', ')} partitions`, 'give all of them the same number');
  }
  const { resources } = await admin
    .describeConfigs({
      includeSynonyms: false,
      // 2: a topic.
      resources: [{ type: 2, name: state, configNames: ['cleanup.policy'] }],
    })
    .catch(asKafkaError({ topic: state, operation: 'DESCRIBE_CONFIGS' }));
  const policy = resources[0]?.configEntries.find(({ configName }) => configName === 'cleanup.policy')?.configValue;
  if (policy !== 'compact') {
    throw wrong(
      `${state} has the clean-up policy ${policy}: what a pipeline needs to go on would expire`,
      `kafka-configs --alter --topic ${state} --add-config cleanup.policy=compact`,
    );
  }
  return counts[0];
}

const wrong = (message: string, hint: string): BlinkstreamError =>
  new BlinkstreamError(message, { code: 'LOG_TOPIC_WRONG', class: 'user', stage: 'log', hint });
