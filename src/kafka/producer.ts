import kafkajs, { type Kafka, type Producer } from 'kafkajs';

/**
 * A producer whose requests can be repeated without writing anything twice, connected, for a topic that is there: one
 * that is missing is told now, not with the first message. Send one thing after the other: kafkajs numbers messages so
 * that sends side by side would be refused. Of one whose send failed it is not known what the broker took, and its
 * numbers may not agree with the broker's any more: throw it away.
 * @throws what kafkajs throws, see `kafkaError`
 */
export async function openProducer(client: Kafka, topic: string): Promise<Producer> {
  const admin = client.admin();
  try {
    await admin.connect();
    await admin.fetchTopicMetadata({ topics: [topic] });
  } finally {
    await admin.disconnect();
  }
  const producer = client.producer({
    idempotent: true,
    maxInFlightRequests: 1,
    allowAutoTopicCreation: false,
    createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
  });
  await producer.connect();
  return producer;
}
