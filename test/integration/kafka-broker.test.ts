import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  broker,
  describeKafka,
  describeOwnKafka,
  kafkaNames,
  startBroker,
  type OwnBroker,
} from '../support/kafka/broker.js';

await describeKafka('the broker of the tests', () => {
  const kafka = broker();

  it('makes topics as told', async () => {
    const topic = await kafka.topic(3, { 'cleanup.policy': 'compact' });
    const { topics } = await kafka.admin((admin) => admin.fetchTopicMetadata({ topics: [topic] }));
    expect(topics[0].partitions).toHaveLength(3);
  });

  it('takes a transaction with input offsets, which a read-committed consumer then sees', async () => {
    const topic = await kafka.topic();
    const group = kafka.group();
    const producer = kafka
      .client()
      .producer({ transactionalId: kafka.group(), idempotent: true, maxInFlightRequests: 1 });
    await producer.connect();
    const transaction = await producer.transaction();
    await transaction.send({ topic, messages: [{ key: 'camera', value: 'frame' }] });
    await transaction.sendOffsets({
      consumerGroupId: group,
      topics: [{ topic, partitions: [{ partition: 0, offset: '7' }] }],
    });
    await transaction.commit();
    await producer.disconnect();

    const consumer = kafka.client().consumer({ groupId: kafka.group(), readUncommitted: false });
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    const value = await new Promise<string | undefined>((resolve, reject) => {
      consumer.run({ eachMessage: ({ message }) => Promise.resolve(resolve(message.value?.toString())) }).catch(reject);
    });
    await consumer.disconnect();
    expect(value).toBe('frame');
    const [{ partitions }] = await kafka.admin((admin) => admin.fetchOffsets({ groupId: group, topics: [topic] }));
    expect(partitions).toEqual([expect.objectContaining({ partition: 0, offset: '7' })]);
  });
});

await describeOwnKafka('a broker of its own', () => {
  let own: OwnBroker;
  beforeAll(async () => {
    own = await startBroker();
  });
  afterAll(() => own.close());

  it('keeps what it was told through kill -9', async () => {
    const kafka = kafkaNames(own.brokers);
    const topic = await kafka.topic();
    await own.restart();
    expect(await kafka.admin((admin) => admin.listTopics())).toContain(topic);
  });
});
