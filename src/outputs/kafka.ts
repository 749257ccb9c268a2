import type { Kafka } from 'kafkajs';
import { kafkaClient, type KafkaOptions } from '../kafka/client.js';
import { kafkaError } from '../kafka/errors.js';
import type { EventFormat } from '../kafka/event-message.js';
import { openProducer } from '../kafka/producer.js';
import { deliver, type Connection, type DeliveryOptions } from './deliver.js';

export interface KafkaOutputOptions extends DeliveryOptions {
  readonly kafka: KafkaOptions;
  /** It is there: none is made. */
  readonly topic: string;
  readonly format: EventFormat;
}

const MAX_BATCH_EVENTS = 64;

/**
 * Sends every event of the log to a topic, as `encodeEventMessage` writes it, and follows the log; see `deliver`. Events of
 * a source have one key, and a batch is acknowledged by all replicas in sync. Of a batch that is sent again after a kill,
 * a reader tells by `ce_id`; a request that is only repeated, because a connection broke, brings none twice.
 *
 * @returns the events sent by this call
 * @throws BlinkstreamError of class `user` where somebody has to put it right: `KAFKA_TOPIC_UNKNOWN`,
 *   `KAFKA_FORBIDDEN`, `KAFKA_CREDENTIAL_REFUSED`, `KAFKA_UNTRUSTED`, those of `kafkaClient` and `deliver`;
 *   `KAFKA_MESSAGE_TOO_LARGE` (data) for an event that is larger than the topic takes
 */
export async function kafkaOutput({
  kafka,
  topic,
  format,
  ...delivery
}: KafkaOutputOptions): Promise<{ readonly events: number }> {
  const client = kafkaClient(kafka);
  return deliver(
    {
      name: `topic ${topic}`,
      format,
      maxBatchEvents: MAX_BATCH_EVENTS,
      connect: () => connect(client, topic),
      errorOf: (thrown) => kafkaError(thrown, { topic, operation: 'WRITE' }),
    },
    delivery,
  );
}

/** A producer for one attempt. */
async function connect(client: Kafka, topic: string): Promise<Connection> {
  const producer = await openProducer(client, topic);
  return {
    send: async (batch) => {
      await producer.send({ topic, acks: -1, messages: batch.map(({ message }) => message) });
    },
    close: () => producer.disconnect(),
  };
}
