import { isLoopback } from '../../grpc/address.js';
import type { TlsPaths } from '../../grpc/tls-files.js';
import { BlinkstreamError } from '../../records/index.js';

/** How a broker is reached. */
export interface MqttServer {
  /** `mqtt://HOST[:1883]` or `mqtts://HOST[:8883]`. */
  readonly url: string;
  readonly username?: string;
  readonly password?: string;
  /** Paths of PEM files, read again for each connection; only with `mqtts`. Without `ca`, whom Node.js trusts. */
  readonly tls?: TlsPaths;
  /** Lets events and the password go to other machines in plain text: inside a trusted network. */
  readonly allowPlaintext?: boolean;
}

export interface MqttAddress {
  readonly protocol: 'mqtt' | 'mqtts';
  readonly host: string;
  readonly port: number;
  /** For people. */
  readonly display: string;
}

const defaultPorts = { mqtt: 1883, mqtts: 8883 } as const;

/**
 * Connects to nothing; nothing that may be secret is in the messages.
 * @throws BlinkstreamError `MQTT_URL`, `MQTT_NOT_SECURE`, `MQTT_CREDENTIAL_INCOMPLETE` (user)
 */
export function checkServer({ url, username, password, tls, allowPlaintext = false }: MqttServer): MqttAddress {
  const address = addressOf(url);
  const { protocol, host, display } = address;
  if (protocol === 'mqtt' && tls !== undefined) {
    throw refused(`${display} has no TLS, and there are certificates for it`, 'MQTT_URL', 'write mqtts://');
  }
  if (protocol === 'mqtt' && !isLoopback(host) && !allowPlaintext) {
    const what = password === undefined ? 'events' : 'events and the password';
    throw refused(
      `${what} would travel to ${display} in plain text`,
      'MQTT_NOT_SECURE',
      'write mqtts://, or allow plain text where the network in between is trusted',
    );
  }
  if (password !== undefined && username === undefined) {
    throw refused('there is a password for MQTT and no user', 'MQTT_CREDENTIAL_INCOMPLETE', 'give username too');
  }
  return address;
}

function addressOf(url: string): MqttAddress {
  // Of other schemes URL does not take the host apart in the same way.
  const [, scheme] = /^(mqtts?):\/\//i.exec(url) ?? [];
  const asHttp = scheme === undefined ? '' : url.replace(/^mqtts?:/i, 'http:');
  if (scheme === undefined || !URL.canParse(asHttp)) {
    throw refused('the URL of the MQTT broker is none', 'MQTT_URL', 'give mqtt://HOST:PORT or mqtts://HOST:PORT');
  }
  const { username, password, hostname, pathname, search, hash } = new URL(asHttp);
  if (username !== '' || password !== '' || pathname !== '/' || search !== '' || hash !== '') {
    // Not repeated: a password may stand in it.
    throw refused(
      'the URL of the MQTT broker holds more than host and port',
      'MQTT_URL',
      'give user and password as username and password, beside the URL',
    );
  }
  const protocol = scheme.toLowerCase() as MqttAddress['protocol'];
  // The port of http, 80, would be left out.
  const port = Number(/:(\d+)\/?$/.exec(url)?.[1] ?? defaultPorts[protocol]);
  return {
    protocol,
    host: hostname.replace(/^\[|\]$/g, ''),
    port,
    display: `${protocol}://${hostname}:${port}`,
  };
}

const refused = (message: string, code: string, hint: string): BlinkstreamError =>
  new BlinkstreamError(message, { code, class: 'user', stage: 'output', hint, exitCode: 2 });
