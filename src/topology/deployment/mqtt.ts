import { resolve } from 'node:path';
import { z } from 'zod';
import type { TlsPaths } from '../../grpc/tls-files.js';
import type { MqttOutputOptions } from '../../outputs/mqtt/mqtt.js';
import { pathField, textField } from './fields.js';
import type { SourceEntry } from './sources.js';

/** `outputs.mqtt`. */
export const mqttOutputSchema = z
  .strictObject({
    url: textField('mqtt://HOST[:1883] or mqtts://HOST[:8883]'),
    username: textField('the user').optional(),
    password: textField('its password: ${file:PATH} or ${env:NAME}, as it must not stand here itself').optional(),
    clientId: textField(
      'by which the broker knows us; each service needs one of its own. Without it, topicPrefix',
    ).optional(),
    topicPrefix: textField('topics are PREFIX/SOURCE/event and PREFIX/status').default('blinkstream'),
    tls: z
      .strictObject({
        ca: pathField('who signed the certificate of the broker, PEM; without it, whom Node.js trusts').optional(),
        cert: pathField('our certificate, PEM, where the broker wants one').optional(),
        key: pathField('its key, PEM, not encrypted').optional(),
      })
      .optional()
      .describe('Certificates for mqtts.'),
    allowPlaintext: z
      .boolean()
      .default(false)
      .describe('lets events and the password travel in plain text to other machines: in a trusted network only'),
    homeAssistant: z
      .boolean()
      .default(false)
      .describe('makes each source a device of Home Assistant (2024.11 or newer), by MQTT discovery'),
    discoveryPrefix: textField('where Home Assistant looks for devices, if it was told so').default('homeassistant'),
  })
  .describe('Publishes each event to an MQTT broker, at least once (QoS 1), one after the other.');

export type MqttOutputEntry = z.infer<typeof mqttOutputSchema>;

/** Paths of the TLS files, taken from `folder`. */
export const mqttTlsOf = ({ tls }: Pick<MqttOutputEntry, 'tls'>, folder: string): TlsPaths | undefined =>
  tls && Object.fromEntries(Object.entries(tls).map(([name, path]) => [name, path && resolve(folder, path)]));

/** As the output takes it. A source of kind `kafka` is none of Home Assistant: the cameras that it brings are. */
export function mqttOptionsOf(
  { username, password, clientId, homeAssistant, discoveryPrefix, ...entry }: MqttOutputEntry,
  folder: string,
  sources: readonly SourceEntry[],
): Omit<MqttOutputOptions, 'log' | 'cursorFile' | 'signal'> {
  const { url, topicPrefix, allowPlaintext } = entry;
  const tls = mqttTlsOf(entry, folder);
  const names = sources.flatMap(({ kind, name }) => (kind === 'kafka' ? [] : [name]));
  return {
    ...{ url, topicPrefix, allowPlaintext },
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(clientId !== undefined && { clientId }),
    ...(tls && { tls }),
    ...(homeAssistant && { homeAssistant: { discoveryPrefix, sources: names } }),
  };
}
