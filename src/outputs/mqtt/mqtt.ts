import { type OnCertificateUnusable, TlsFiles } from '../../grpc/tls-files.js';
import { deliver, type Connection, type DeliveryOptions, type Outgoing } from '../deliver.js';
import { checkServer, type MqttAddress, type MqttServer } from './address.js';
import { MqttConnection, type MqttOptions } from './connection.js';
import { mqttError, OtherVersion } from './errors.js';
import { discoveryOf } from './home-assistant.js';
import { SourceStates } from './source-states.js';
import { checkPrefix, Topics } from './topics.js';

export interface MqttOutputOptions extends DeliveryOptions, MqttServer {
  /** First levels of every topic; default `blinkstream`. */
  readonly topicPrefix?: string;
  /** By which the broker knows us, and ends a connection of before; default: `topicPrefix`. */
  readonly clientId?: string;
  /** Makes each source a device of Home Assistant. */
  readonly homeAssistant?: HomeAssistant;
  readonly onCertificateUnusable?: OnCertificateUnusable;
}

export interface HomeAssistant {
  /** Where Home Assistant looks for devices: `homeassistant`, unless it was told otherwise. */
  readonly discoveryPrefix: string;
  /** Those that are there before anything was told of them. Others become devices with their first event. */
  readonly sources: readonly string[];
}

/**
 * Publishes every event of the log to `PREFIX/SOURCE/event`, as JSON, at QoS 1, one after the other, and follows the log;
 * see `deliver`. An event counts as sent when the broker acknowledged it (PUBACK), and with Home Assistant also the state
 * that follows from it. `PREFIX/status` says `online`, and by the last will `offline`. It speaks MQTT 5, and 3.1.1 with
 * brokers that do not know it.
 *
 * @returns the events sent by this call
 * @throws BlinkstreamError of class `user` where somebody has to put it right: `MQTT_URL`, `MQTT_NOT_SECURE`,
 *   `MQTT_CREDENTIAL_INCOMPLETE`, `MQTT_CREDENTIAL_REFUSED`, `MQTT_FORBIDDEN`, `MQTT_UNTRUSTED`, `MQTT_CLIENT_ID`,
 *   `MQTT_TOPIC`, `MQTT_UNSUPPORTED`, `MQTT_VERSION`, those of `TlsFiles.read` and `deliver`; `MQTT_MESSAGE_TOO_LARGE` (data)
 */
export async function mqttOutput(options: MqttOutputOptions): Promise<{ readonly events: number }> {
  const { topicPrefix = 'blinkstream', homeAssistant, log } = options;
  const topics = new Topics(topicPrefix);
  if (homeAssistant) checkPrefix(homeAssistant.discoveryPrefix, 'discoveryPrefix');
  const address = checkServer(options);
  const { display } = address;
  const open = await opener(options, address, topics);
  return deliver(
    {
      name: display,
      format: 'json',
      maxBatchEvents: 1,
      connect: async (givenUp) => {
        const connection = await open(givenUp);
        try {
          return await publisher(
            connection,
            topics,
            homeAssistant && { ...homeAssistant, states: await SourceStates.of(log) },
          );
        } catch (thrown) {
          await connection.close();
          throw thrown;
        }
      },
      errorOf: (thrown) => mqttError(thrown, display),
    },
    options,
  );
}

/** Connects with what is in the TLS files then, and by the version that the broker knows. */
async function opener(
  options: MqttOutputOptions,
  address: MqttAddress,
  topics: Topics,
): Promise<(givenUp: AbortSignal) => Promise<MqttConnection>> {
  const { username, password, clientId = topics.prefix } = options;
  const files = options.tls && (await TlsFiles.read(options.tls, 'output'));
  const credentials = { ...(username !== undefined && { username }), ...(password !== undefined && { password }) };
  let version: MqttOptions['version'] = 5;
  return async (givenUp) => {
    // Half renewed: the ones before are good as long as the broker takes them.
    await files?.renewIfUsable(options.onCertificateUnusable);
    const by = (): MqttOptions => ({
      ...{ address, clientId, version, credentials },
      tls: files?.context,
      statusTopic: topics.status,
    });
    try {
      return await MqttConnection.open(by(), givenUp);
    } catch (thrown) {
      if (!(thrown instanceof OtherVersion) || version === 4) throw thrown;
      version = 4;
      return MqttConnection.open(by(), givenUp);
    }
  };
}

/** Says that we are there, and of each source what there is to say; then sends events. */
async function publisher(
  connection: MqttConnection,
  topics: Topics,
  homeAssistant: (HomeAssistant & { readonly states: SourceStates }) | undefined,
): Promise<Connection> {
  const introduced = new Set<string>();
  const introduce = async (source: string): Promise<void> => {
    if (homeAssistant === undefined || introduced.has(source)) return;
    const { topic, payload } = discoveryOf(source, topics, homeAssistant.discoveryPrefix);
    await connection.publish(topic, payload, { retain: true });
    introduced.add(source);
  };
  const tellState = async (source: string): Promise<void> => {
    if (homeAssistant === undefined) return;
    await connection.publish(topics.state(source), JSON.stringify(homeAssistant.states.of(source)), { retain: true });
  };
  const publish = async ({ event, message }: Outgoing): Promise<void> => {
    const { source } = event;
    await introduce(source);
    await connection.publish(topics.event(source), message.value, { retain: false });
    homeAssistant?.states.take(event);
    await tellState(source);
  };
  await connection.publish(topics.status, 'online', { retain: true });
  for (const source of new Set([...(homeAssistant?.sources ?? []), ...(homeAssistant?.states.sources ?? [])])) {
    await introduce(source);
    await tellState(source);
  }
  return {
    send: async (batch) => {
      for (const outgoing of batch) await publish(outgoing);
    },
    lost: connection.lost,
    close: () => connection.close(),
  };
}
