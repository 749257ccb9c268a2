import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { kafkaClient, type KafkaOptions } from '../kafka/client.js';
import type { ChangeLog } from '../log/index.js';
import { kafkaOutput } from '../outputs/kafka.js';
import { BlinkstreamError, messageOf } from '../records/index.js';
import type { KafkaEntry } from '../topology/deployment/kafka.js';
import type { LoadedDeployment } from '../topology/deployment/parse.js';
import type { CommandIo } from './command.js';

/**
 * What a deployment says about Kafka, with the files that it names read and tried: connects to nothing.
 * @throws BlinkstreamError `KAFKA_FILE` (user), and those of `kafkaClient`
 */
export async function kafkaOptionsOf(entry: KafkaEntry, folder: string): Promise<KafkaOptions> {
  const { brokers, clientId, tls, sasl, allowPlaintext } = entry;
  const content = (file: string): Promise<string> => secretIn(resolve(folder, file));
  const options: KafkaOptions = {
    brokers,
    clientId,
    allowPlaintext,
    ...(tls && {
      tls: {
        ...(tls.caFile !== undefined && { ca: await content(tls.caFile) }),
        ...(tls.certFile !== undefined && { cert: await content(tls.certFile) }),
        ...(tls.keyFile !== undefined && { key: await content(tls.keyFile) }),
      },
    }),
    ...(sasl && {
      sasl: {
        mechanism: sasl.mechanism,
        username: sasl.username,
        password: (await content(sasl.passwordFile)).replace(/\r?\n$/, ''),
      },
    }),
  };
  kafkaClient(options);
  return options;
}

async function secretIn(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new BlinkstreamError(`${file} cannot be read: ${messageOf(cause)}`, {
      code: 'KAFKA_FILE',
      class: 'user',
      stage: 'cli',
      hint: 'check the path and its permissions',
      cause,
    });
  }
}

/** Sends the events of a log to the topic of `outputs.kafka`; undefined where a deployment has none. */
export async function eventSender(
  { deployment, folder }: LoadedDeployment,
  log: ChangeLog,
  io: CommandIo,
): Promise<EventSender | undefined> {
  const { kafka: entry, outputs, log: kept } = deployment;
  if (outputs.kafka === undefined || entry === undefined) return undefined;
  const { topic, format } = outputs.kafka;
  const kafka = await kafkaOptionsOf(entry, folder);
  // With the log, so that what is removed together is forgotten together.
  const cursorFile = join(resolve(folder, kept.folder), 'outputs', 'kafka', topic);
  const onProblem = (error: BlinkstreamError, retryInMs: number): void =>
    io.notes.line(`events wait for Kafka: ${error.message}; again in ${Math.ceil(retryInMs / 1_000)} s`);
  return async ({ untilEnd, signal }) => {
    await kafkaOutput({ kafka, topic, format, log, cursorFile, untilEnd, onProblem, signal });
  };
}

export type EventSender = (options: { readonly untilEnd: boolean; readonly signal: AbortSignal }) => Promise<void>;
