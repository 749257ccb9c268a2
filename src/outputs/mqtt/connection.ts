import { connect, ErrorWithReasonCode, type IClientOptions, type MqttClient } from 'mqtt';
import type { SecureContextOptions } from 'node:tls';
import { BlinkstreamError } from '../../records/index.js';
import type { MqttAddress } from './address.js';
import { ConnectionClosed, mqttError, OtherVersion, reasonError } from './errors.js';

export interface MqttOptions {
  readonly address: MqttAddress;
  readonly clientId: string;
  /** 5, whose acknowledgements say when something is refused, or 4: 3.1.1. */
  readonly version: 4 | 5;
  readonly credentials: { readonly username?: string; readonly password?: string };
  readonly tls: SecureContextOptions | undefined;
  /** Where the broker says whether we are there. */
  readonly statusTopic: string;
}

/** Longest wait for a broker to let us in, and for it to acknowledge one message. */
const ANSWER_MS = 30_000;
/** To say that we go: else the last will does. */
const FAREWELL_MS = 1_000;
const KEEP_ALIVE_S = 30;

/** Publishes to one broker, until the connection breaks: it does not come again by itself. */
export class MqttConnection {
  readonly #client: MqttClient;
  readonly #lost = new AbortController();
  readonly #options: MqttOptions;

  private constructor(options: MqttOptions) {
    this.#options = options;
    this.#client = connect(clientOptions(options));
    const { display } = options.address;
    const fail = (thrown: unknown): void => this.#lost.abort(asTold(thrown, display));
    this.#client.on('error', fail);
    this.#client.on('disconnect', ({ reasonCode = 0 }) => fail(reasonError(reasonCode, display)));
    this.#client.on('close', () => fail(new ConnectionClosed()));
  }

  /** @throws BlinkstreamError of `mqttError`; OtherVersion; what `givenUp` aborts with */
  static async open(options: MqttOptions, givenUp: AbortSignal): Promise<MqttConnection> {
    const connection = new MqttConnection(options);
    try {
      await connection.#unlessLost((resolve) => connection.#client.once('connect', () => resolve()), givenUp);
      return connection;
    } catch (thrown) {
      connection.#client.end(true);
      throw thrown;
    }
  }

  /** Aborts, with a BlinkstreamError, when the connection is gone. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /** Resolves when the broker has acknowledged it (QoS 1). @throws BlinkstreamError of `mqttError`, `MQTT_NO_ACK` (external) */
  async publish(topic: string, payload: string | Buffer, { retain }: { readonly retain: boolean }): Promise<void> {
    const { display } = this.#options.address;
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(noAck(display)), ANSWER_MS);
    try {
      await this.#unlessLost((resolve, reject) => {
        this.#client.publish(topic, payload, { qos: 1, retain }, (error) => {
          if (error) reject(mqttError(error, display));
          else resolve();
        });
      }, late.signal);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Says `offline`, which the last will says of who does not come to it. */
  async close(): Promise<void> {
    const timer = setTimeout(() => this.#lost.abort(new ConnectionClosed()), FAREWELL_MS);
    try {
      await this.publish(this.#options.statusTopic, 'offline', { retain: true });
    } catch {
      // The broker says it.
    } finally {
      clearTimeout(timer);
      const isLost = this.#lost.signal.aborted;
      await new Promise<void>((resolve) => this.#client.end(isLost, () => resolve()));
    }
  }

  /** What `begin` comes to, unless the connection is lost, or it is over, before. */
  async #unlessLost(
    begin: (resolve: () => void, reject: (reason: Error) => void) => void,
    over: AbortSignal,
  ): Promise<void> {
    // What AbortSignal.any makes of a signal that lives long is held for as long as that does: messages are many.
    const done = new AbortController();
    try {
      await new Promise<void>((resolve, reject) => {
        for (const signal of [this.lost, over]) {
          const refuse = (): void => reject(signal.reason as Error);
          if (signal.aborted) return refuse();
          signal.addEventListener('abort', refuse, { once: true, signal: done.signal });
        }
        begin(resolve, reject);
      });
    } finally {
      done.abort();
    }
  }
}

const asTold = (thrown: unknown, display: string): Error => {
  // 1 is what 3.1.1 says of another version, 132 what 5 says.
  const isVersion = thrown instanceof ErrorWithReasonCode && (thrown.code === 1 || thrown.code === 132);
  return isVersion ? new OtherVersion() : mqttError(thrown, display);
};

const noAck = (display: string): BlinkstreamError =>
  new BlinkstreamError(`the MQTT broker ${display} did not acknowledge a message within ${ANSWER_MS / 1_000} s`, {
    code: 'MQTT_NO_ACK',
    class: 'external',
    stage: 'output',
    hint: 'look at its logs',
  });

const clientOptions = ({ address, clientId, version, credentials, tls, statusTopic }: MqttOptions): IClientOptions => ({
  protocol: address.protocol,
  host: address.host,
  port: address.port,
  clientId,
  ...credentials,
  // The same options of Node.js, which the package declares more narrowly.
  ...(tls as IClientOptions | undefined),
  protocolVersion: version,
  clean: true,
  keepalive: KEEP_ALIVE_S,
  connectTimeout: ANSWER_MS,
  // Whoever sends decides when to come again, and with what.
  reconnectPeriod: 0,
  timerVariant: 'native',
  // It would print passwords where DEBUG is set.
  log: () => undefined,
  will: { topic: statusTopic, payload: Buffer.from('offline'), qos: 1, retain: true },
});
