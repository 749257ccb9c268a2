import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { z } from 'zod';
import { eventFormats } from '../../kafka/event-message.js';
import type { KafkaOptions } from '../../kafka/index.js';
import { BlinkstreamError, messageOf } from '../../records/index.js';
import { pathField, textField } from './fields.js';

/** How the Kafka cluster is reached, by sources, log and outputs alike. */
export const kafkaSchema = z
  .strictObject({
    brokers: z.array(textField('HOST:PORT')).min(1).describe('brokers to begin with; they lead to the others'),
    clientId: textField("what the brokers' logs and quotas call us").default('blinkstream'),
    tls: z
      .strictObject({
        ca: pathField('who signed the certificates of the brokers, PEM; without it, whom the system trusts').optional(),
        cert: pathField('our certificate, PEM, where the brokers want one').optional(),
        key: pathField('its key, PEM').optional(),
      })
      .optional()
      .describe('Encrypts the connection; an empty entry trusts what the system trusts.'),
    sasl: z
      .strictObject({
        mechanism: z.enum(['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512']).describe('as the brokers ask for it'),
        username: textField('the user'),
        password: textField('its password'),
      })
      .optional()
      .describe('User and password.'),
    allowPlaintext: z
      .boolean()
      .default(false)
      .describe('lets frames, events and passwords travel in plain text to other machines: in a trusted network only'),
  })
  .describe('The Kafka cluster.');

/** `outputs.kafka`. */
export const kafkaOutputSchema = z
  .strictObject({
    topic: z
      .string()
      .regex(/^(?!\.{1,2}$)[A-Za-z0-9._-]{1,249}$/, 'a topic is named by up to 249 letters, digits and . _ -')
      .describe('the topic, which is there: none is made'),
    format: z
      .enum(eventFormats)
      .default('json')
      .describe('json: proto3 JSON, as in events.jsonl; protobuf: blinkstream.v1.ChangeEvent'),
  })
  .describe('Sends each event to a Kafka topic, at least once, as a CloudEvent; key is the source.');

/** @throws BlinkstreamError `KAFKA_FILE_NOT_READABLE` (user) */
export async function kafkaOptionsOf(section: z.infer<typeof kafkaSchema>, folder: string): Promise<KafkaOptions> {
  const { brokers, clientId, tls, sasl, allowPlaintext } = section;
  return {
    ...{ brokers, clientId, allowPlaintext },
    ...(sasl && { sasl }),
    ...(tls && {
      tls: {
        ...(tls.ca !== undefined && { ca: await pem(folder, tls.ca) }),
        ...(tls.cert !== undefined && { cert: await pem(folder, tls.cert) }),
        ...(tls.key !== undefined && { key: await pem(folder, tls.key) }),
      },
    }),
  };
}

async function pem(folder: string, file: string): Promise<string> {
  try {
    return await readFile(resolve(folder, file), 'utf8');
  } catch (cause) {
    throw new BlinkstreamError(`${file}, which the deployment names for Kafka, cannot be read: ${messageOf(cause)}`, {
      code: 'KAFKA_FILE_NOT_READABLE',
      class: 'user',
      stage: 'topology',
      hint: 'check the path, which is taken from the folder of the deployment file, and its permissions',
      cause,
    });
  }
}
