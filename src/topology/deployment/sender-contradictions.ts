import { checkServer } from '../../outputs/mqtt/address.js';
import { checkPrefix } from '../../outputs/mqtt/topics.js';
import { webhookSigner } from '../../outputs/webhook/signature.js';
import { checkHeader, checkTarget, isSecretHeader } from '../../outputs/webhook/target.js';
import { notWritten, tried, type Contradiction } from './contradiction.js';
import { mqttOptionsOf, type MqttOutputEntry } from './mqtt.js';
import type { Deployment } from './schema.js';
import type { ValuePath } from './text.js';
import type { WebhookOutputEntry } from './webhook.js';

type Refers = (path: ValuePath) => boolean;

/** Of the outputs that send events to webhooks and MQTT brokers. */
export function ofSenders({ outputs: { webhook, mqtt }, log }: Deployment, refers: Refers): Contradiction[] {
  const alone = 'each instance reads all of a log in Kafka, and would send every event once more: read PREFIX.events';
  const [atWebhook, atMqtt]: ValuePath[] = [
    ['outputs', 'webhook'],
    ['outputs', 'mqtt'],
  ];
  return [
    ...(log.kafka && webhook ? [{ path: atWebhook, message: alone }] : []),
    ...(log.kafka && mqtt ? [{ path: atMqtt, message: alone }] : []),
    ...(webhook ? ofWebhook(webhook, atWebhook, refers) : []),
    ...(mqtt ? ofMqtt(mqtt, atMqtt, refers) : []),
  ];
}

function ofWebhook(webhook: WebhookOutputEntry, at: ValuePath, refers: Refers): Contradiction[] {
  const { headers, secret } = webhook;
  const atSecret = [...at, 'secret'];
  const ofHeaders = Object.entries(headers).flatMap(([name, value]) => {
    const path = [...at, 'headers', name];
    const isWritten = isSecretHeader(name) && !refers(path);
    return isWritten ? [{ path, message: notWritten(`header ${name}`) }] : tried(path, () => checkHeader(name, value));
  });
  return [
    ...ofHeaders,
    // Of what is wrong with headers it is told where they are.
    ...tried([...at, 'url'], () => checkTarget({ ...webhook, headers: ofHeaders.length > 0 ? {} : headers })),
    ...(secret === undefined
      ? []
      : refers(atSecret)
        ? tried(atSecret, () => webhookSigner(secret))
        : [{ path: atSecret, message: notWritten('secret') }]),
  ];
}

function ofMqtt(mqtt: MqttOutputEntry, at: ValuePath, refers: Refers): Contradiction[] {
  const atPassword = [...at, 'password'];
  return [
    ...tried([...at, 'url'], () => checkServer(mqttOptionsOf(mqtt, '.', []))),
    ...tried([...at, 'topicPrefix'], () => checkPrefix(mqtt.topicPrefix, 'topicPrefix')),
    ...tried([...at, 'discoveryPrefix'], () => checkPrefix(mqtt.discoveryPrefix, 'discoveryPrefix')),
    ...(mqtt.password === undefined || refers(atPassword)
      ? []
      : [{ path: atPassword, message: notWritten('password') }]),
  ];
}
