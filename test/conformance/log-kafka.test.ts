import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { kafkaClient } from '../../src/kafka/index.js';
import { openKafkaLog } from '../../src/log/kafka/kafka-log.js';
import type { Retention } from '../../src/log/index.js';
import { broker, describeKafka } from '../support/kafka/broker.js';
import { logConformance } from './log.js';

await describeKafka('Kafka', () => {
  const kafka = broker();
  logConformance('the log in Kafka', {
    open: async (retention?: Retention) => {
      const indexPath = await mkdtemp(join(tmpdir(), 'blinkstream-index-'));
      const log = await openKafkaLog({
        kafka: kafkaClient({ brokers: kafka.brokers }),
        prefix: kafka.group(),
        indexPath,
        partitions: 2,
        ...(retention && { retention }),
      });
      return Object.assign(log, {
        close: ((close) => async () => {
          await close();
          await rm(indexPath, { recursive: true, force: true });
        })(log.close.bind(log)),
      });
    },
    numRuns: 3,
  });
});
