/** Topics and groups of unique names on a broker. Needs nothing of vitest. */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Kafka, logLevel, type Admin } from 'kafkajs';

export interface KafkaNames {
  readonly brokers: readonly string[];
  /** Makes a topic of a unique name and returns it. `config` as of Kafka: `{ 'cleanup.policy': 'compact' }`. */
  topic(partitions?: number, config?: Readonly<Record<string, string>>): Promise<string>;
  /** A unique name for a consumer group or a transactional id. */
  group(): string;
  /** A plain kafkajs client, silent, with short retries. */
  client(): Kafka;
  /** Runs `work` with a connected admin client. */
  admin<T>(work: (admin: Admin) => Promise<T>): Promise<T>;
}

export function kafkaNames(brokers: readonly string[]): KafkaNames {
  const unique = (prefix: string): string => `${prefix}-${randomBytes(6).toString('hex')}`;
  const client = (): Kafka =>
    new Kafka({
      clientId: 'tests',
      brokers: [...brokers],
      logLevel: logLevel.NOTHING,
      retry: { initialRetryTime: 10, maxRetryTime: 1_000, retries: 10 },
    });
  const withAdmin = async <T>(work: (admin: Admin) => Promise<T>): Promise<T> => {
    const admin = client().admin();
    await admin.connect();
    try {
      return await work(admin);
    } finally {
      await admin.disconnect();
    }
  };
  return {
    brokers,
    client,
    group: () => unique('group'),
    admin: withAdmin,
    topic: async (numPartitions = 1, config = {}) => {
      const topic = unique('topic');
      const configEntries = Object.entries(config).map(([name, value]) => ({ name, value }));
      await withAdmin(async (admin) => {
        const topics = [{ topic, numPartitions, replicationFactor: 1, configEntries }];
        await admin.createTopics({ topics, waitForLeaders: false });
        await served(admin, topic);
      });
      return topic;
    },
  };
}

/** A busy broker needs a moment until it answers for a new topic. */
async function served(admin: Admin, topic: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await admin.fetchTopicOffsets(topic);
      return;
    } catch (error) {
      if (attempt === 100) throw error;
      await sleep(50);
    }
  }
}
