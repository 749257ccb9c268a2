import type { Kafka } from 'kafkajs';
import { consumerTiming, fetchLimits } from '../../src/kafka/consumer.js';

/**
 * A kafkajs consumer with the settings of ours and nothing around it: reads the length of each message and throws it away.
 * @returns time from the first fetch that has brought messages to the last of `count` messages, ms
 */
export async function readBare(kafka: Kafka, topic: string, groupId: string, count: number): Promise<number> {
  const consumer = kafka.consumer({ groupId, ...consumerTiming(10_000), ...fetchLimits });
  let startedMs = Number.NaN;
  let [messages, bytes] = [0, 0];
  try {
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    await new Promise<void>((resolve, reject) => {
      consumer.on(consumer.events.CRASH, ({ payload: { error } }) => reject(error));
      consumer
        .run({
          autoCommit: false,
          eachBatch: ({ batch }) => {
            if (messages === 0) startedMs = performance.now();
            for (const { value } of batch.messages) bytes += value?.length ?? 0;
            messages += batch.messages.length;
            if (messages >= count) resolve();
            return Promise.resolve();
          },
        })
        .catch(reject);
    });
    const tookMs = performance.now() - startedMs;
    if (messages !== count || bytes === 0) throw new Error(`${messages} messages came, not ${count}`);
    return tookMs;
  } finally {
    await consumer.disconnect();
  }
}
