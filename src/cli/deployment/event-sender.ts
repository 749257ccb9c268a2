import { join, resolve } from 'node:path';
import type { ChangeLog } from '../../log/index.js';
import { eventsWait, type TellNote } from '../../operation/notes.js';
import { kafkaOutput } from '../../outputs/kafka.js';
import type { BlinkstreamError } from '../../records/index.js';
import { kafkaOptionsOf } from '../../topology/deployment/kafka.js';
import type { LoadedDeployment } from '../../topology/deployment/parse.js';

/** Sends the events of a log to the topic of `outputs.kafka`; undefined where a deployment has none. */
export async function eventSender(
  { deployment, folder }: LoadedDeployment,
  log: ChangeLog,
  tell: TellNote,
): Promise<EventSender | undefined> {
  const { kafka: entry, outputs, log: kept } = deployment;
  if (outputs.kafka === undefined || entry === undefined) return undefined;
  const { topic, format } = outputs.kafka;
  const kafka = await kafkaOptionsOf(entry, folder);
  // With the log, so that what is removed together is forgotten together.
  const cursorFile = join(resolve(folder, kept.folder), 'outputs', 'kafka', topic);
  const onProblem = (error: BlinkstreamError, retryInMs: number): void => tell(eventsWait(error, retryInMs));
  return async ({ untilEnd, signal }) => {
    await kafkaOutput({ kafka, topic, format, log, cursorFile, untilEnd, onProblem, signal });
  };
}

export type EventSender = (options: { readonly untilEnd: boolean; readonly signal: AbortSignal }) => Promise<void>;
