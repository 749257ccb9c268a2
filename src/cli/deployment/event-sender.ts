import { join, resolve } from 'node:path';
import type { ChangeLog } from '../../log/index.js';
import { certificateUnusable, eventsWait, type OutputName, type TellNote } from '../../operation/notes.js';
import type { DeliveryOptions } from '../../outputs/deliver.js';
import { kafkaOutput } from '../../outputs/kafka.js';
import { mqttOutput } from '../../outputs/mqtt/mqtt.js';
import { webhookOutput } from '../../outputs/webhook/webhook.js';
import type { BlinkstreamError } from '../../records/index.js';
import { kafkaOptionsOf } from '../../topology/deployment/kafka.js';
import { mqttOptionsOf } from '../../topology/deployment/mqtt.js';
import type { LoadedDeployment } from '../../topology/deployment/parse.js';
import { webhookOptionsOf } from '../../topology/deployment/webhook.js';

/** Sends the events of a log to one output, from where it got the last time. */
export type EventSender = (options: { readonly untilEnd: boolean; readonly signal: AbortSignal }) => Promise<void>;

/** One for each of `outputs.kafka`, `outputs.webhook` and `outputs.mqtt` that there is; none waits for another. */
export async function eventSenders(
  { deployment, folder }: LoadedDeployment,
  log: ChangeLog,
  tell: TellNote,
): Promise<EventSender[]> {
  const { kafka: cluster, outputs, sources, log: kept } = deployment;
  const senders: EventSender[] = [];
  const add = (name: OutputName, cursor: string, output: (delivery: DeliveryOptions) => Promise<unknown>): void => {
    // With the log, so that what is removed together is forgotten together.
    const cursorFile = join(resolve(folder, kept.folder), 'outputs', name, cursor);
    const onProblem: DeliveryOptions['onProblem'] = (error, retryInMs) => tell(eventsWait(name, error, retryInMs));
    senders.push(async (asked) => {
      await output({ ...asked, log, cursorFile, onProblem });
    });
  };
  if (outputs.kafka && cluster) {
    const kafka = await kafkaOptionsOf(cluster, folder);
    const { topic, format } = outputs.kafka;
    add('kafka', topic, (delivery) => kafkaOutput({ ...delivery, kafka, topic, format }));
  }
  if (outputs.webhook) {
    const webhook = webhookOptionsOf(outputs.webhook);
    add('webhook', 'cursor', (delivery) => webhookOutput({ ...delivery, ...webhook }));
  }
  if (outputs.mqtt) {
    const mqtt = mqttOptionsOf(outputs.mqtt, folder, sources);
    const onCertificateUnusable = (problem: BlinkstreamError): void => tell(certificateUnusable(problem));
    add('mqtt', 'cursor', (delivery) => mqttOutput({ ...delivery, ...mqtt, onCertificateUnusable }));
  }
  return senders;
}

/**
 * What was committed when they were told to end, as far as it is taken within the time; they are all waited for.
 * @throws what the first of them fails by
 */
export async function sendTheRest(senders: readonly EventSender[], deadlineMs: number): Promise<void> {
  const signal = AbortSignal.timeout(deadlineMs);
  const results = await Promise.allSettled(senders.map((send) => send({ untilEnd: true, signal })));
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}
