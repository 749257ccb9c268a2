import { z } from 'zod';
import { eventFormats } from '../../kafka/event-message.js';
import { pathField, textField } from './fields.js';

const topicField = (description: string) =>
  z
    .string()
    .regex(/^(?!\.{1,2}$)[A-Za-z0-9._-]{1,249}$/, 'a topic is named by up to 249 letters, digits and . _ -')
    .describe(description);

/** How the Kafka cluster is reached: `kafka` in a deployment file. */
export const kafkaSchema = z
  .strictObject({
    brokers: z
      .array(textField('HOST:PORT'))
      .min(1)
      .describe('brokers to begin with, HOST:PORT; they lead to the others'),
    clientId: textField("what the broker's logs and quotas call this service").default('blinkstream'),
    tls: z
      .strictObject({
        caFile: pathField(
          "PEM file of who signed the broker's certificate; without it, whom the system trusts",
        ).optional(),
        certFile: pathField('PEM file of the certificate by which the broker knows this service (mTLS)').optional(),
        keyFile: pathField('PEM file of its key').optional(),
      })
      .optional()
      .describe('Encrypts the connections; {} trusts whom the system trusts.'),
    sasl: z
      .strictObject({
        mechanism: z.enum(['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512']).describe('as the broker offers it'),
        username: textField('name of the user'),
        passwordFile: pathField('file with the password, and nothing else'),
      })
      .optional()
      .describe('A user and a password by which the broker knows this service.'),
    allowPlaintext: z
      .boolean()
      .default(false)
      .describe('lets frames, events and passwords go to other machines unencrypted, inside a trusted network'),
  })
  .describe('The Kafka cluster that sources and outputs of this file use.');

export type KafkaEntry = z.infer<typeof kafkaSchema>;

/** `outputs.kafka`. */
export const kafkaOutputSchema = z
  .strictObject({
    topic: topicField('the topic, which is there: none is made'),
    format: z
      .enum(eventFormats)
      .default('json')
      .describe('json: proto3 JSON, as in events.jsonl; protobuf: blinkstream.v1.ChangeEvent'),
  })
  .describe('Sends each event to a Kafka topic, at least once, as a CloudEvent; key is the source.');
