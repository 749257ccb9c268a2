import { isIPv4 } from 'node:net';
import { Kafka, logLevel, type KafkaConfig, type LogEntry } from 'kafkajs';
import { BlinkstreamError } from '../records/index.js';
import { registerCodecs } from './codecs.js';

/** How a Kafka cluster is reached. Certificates and keys are the contents of their files, in PEM. */
export interface KafkaOptions {
  /** `HOST:PORT` of brokers to begin with; those lead to the others. */
  readonly brokers: readonly string[];
  /** What the broker's logs and quotas call us; default `blinkstream`. */
  readonly clientId?: string;
  /** An empty object trusts what the system trusts. */
  readonly tls?: KafkaTls;
  readonly sasl?: KafkaSasl;
  /** Lets frames, events and passwords go to other machines in plain text: for brokers inside a trusted network. */
  readonly allowPlaintext?: boolean;
  /** How often an operation is tried again before it fails; default 12, which takes about 7 s. */
  readonly retries?: number;
  /** What the client has to say: lost connections, crashes and restarts of consumers. Default: nothing. */
  readonly onLog?: (line: KafkaLog) => void;
}

export interface KafkaTls {
  /** Who signed the broker's certificate. */
  readonly ca?: string;
  /** For brokers that want to know us by a certificate (mTLS): it and its key. */
  readonly cert?: string;
  readonly key?: string;
}

export interface KafkaSasl {
  readonly mechanism: 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512';
  readonly username: string;
  readonly password: string;
}

/** No more than this of kafkajs's own entries: those of single requests can hold what was sent. */
export interface KafkaLog {
  readonly level: 'error' | 'warn';
  readonly message: string;
  readonly broker?: string;
  readonly group?: string;
}

/**
 * Waiting between attempts, in ms. kafkajs waits its first 300 ms after every transaction, while the broker ends the one
 * before it (`CONCURRENT_TRANSACTIONS`), which takes 20. Set on the client: on a producer, part of it is not read. Given
 * whole, because kafkajs has other defaults under a test runner.
 */
const waiting = { initialRetryTime: 5, maxRetryTime: 1_000, factor: 0.2, multiplier: 2 };

/**
 * A client for consumers, producers and admins; connects to nothing yet. Its errors are put into words by `kafkaError`.
 * @throws BlinkstreamError `KAFKA_ADDRESS_INVALID`, `KAFKA_NOT_SECURE` where plain text would leave this machine and
 *   `allowPlaintext` is not set, `KAFKA_CREDENTIAL_INCOMPLETE` (all user)
 */
export function kafkaClient(options: KafkaOptions): Kafka {
  const { brokers, clientId = 'blinkstream', tls, sasl, retries = 12, onLog } = options;
  const hosts = brokers.map(hostOf);
  if (hosts.length === 0) throw refused('no Kafka broker is given', 'KAFKA_ADDRESS_INVALID', 'Give HOST:PORT.');
  const remote = hosts.find((host) => !isLoopback(host));
  if (tls === undefined && remote !== undefined && options.allowPlaintext !== true) {
    throw refused(
      `frames and events would travel to Kafka on ${remote} in plain text`,
      'KAFKA_NOT_SECURE',
      'Set up TLS, or allow plain text where the network in between is trusted.',
    );
  }
  if (tls !== undefined && (tls.cert === undefined) !== (tls.key === undefined)) {
    throw refused(
      'of the client certificate for Kafka only one half is given',
      'KAFKA_CREDENTIAL_INCOMPLETE',
      'Give both the certificate and its key.',
    );
  }
  registerCodecs();
  const config: KafkaConfig = {
    clientId,
    brokers: [...brokers],
    connectionTimeout: 5_000,
    retry: { ...waiting, retries },
    logLevel: onLog === undefined ? logLevel.NOTHING : logLevel.WARN,
    logCreator: () => (entry) => onLog?.(logOf(entry)),
    ...(tls !== undefined && { ssl: { ...tls } }),
    ...(sasl !== undefined && { sasl: saslOf(sasl) }),
  };
  return new Kafka(config);
}

function saslOf({ mechanism, username, password }: KafkaSasl): NonNullable<KafkaConfig['sasl']> {
  switch (mechanism) {
    case 'PLAIN':
      return { mechanism: 'plain', username, password };
    case 'SCRAM-SHA-256':
      return { mechanism: 'scram-sha-256', username, password };
    case 'SCRAM-SHA-512':
      return { mechanism: 'scram-sha-512', username, password };
  }
}

function logOf({ level, log }: LogEntry): KafkaLog {
  const { message, broker, groupId } = log as LogEntry['log'] & { broker?: unknown; groupId?: unknown };
  return {
    level: level === logLevel.WARN ? 'warn' : 'error',
    message,
    ...(typeof broker === 'string' && { broker }),
    ...(typeof groupId === 'string' && { group: groupId }),
  };
}

function hostOf(address: string): string {
  const [, host, port] = /^([^:[\]/@\s]+):(\d{1,5})$/.exec(address) ?? [];
  if (host !== undefined && Number(port) <= 65_535) return host;
  // Not repeated: a URL with a password may stand there.
  throw refused(
    'an address of a Kafka broker is not HOST:PORT',
    'KAFKA_ADDRESS_INVALID',
    'Give HOST:PORT; an IPv6 host by its name.',
  );
}

const isLoopback = (host: string): boolean => host === 'localhost' || (isIPv4(host) && host.startsWith('127.'));

const refused = (message: string, code: string, hint: string): BlinkstreamError =>
  new BlinkstreamError(message, { code, class: 'user', stage: 'cli', hint });
