import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { Aedes, type AedesOptions } from 'aedes';
import type { Certificate } from './certificates.js';

/** A message as clients, or for them the broker, published it. */
export interface Published {
  readonly topic: string;
  readonly payload: string;
  readonly qos: number;
  readonly retain: boolean;
}

/** What becomes of a message; it is acknowledged when `acknowledge` is called, refused with an error. */
type Handling = (message: Published, acknowledge: (error?: Error) => void) => void;

/** An MQTT broker (3.1.1) on a free port of loopback that keeps what is published. */
export class MqttBroker {
  readonly published: Published[] = [];
  readonly clientIds: string[] = [];
  /** Default: each message is taken. */
  handle: Handling = (_message, acknowledge) => acknowledge();
  port = 0;
  readonly #options: AedesOptions;
  readonly #certificate: Certificate | undefined;
  readonly #sockets = new Set<Socket>();
  #aedes: Aedes | undefined;
  #server: Server | undefined;

  private constructor(options: AedesOptions, certificate: Certificate | undefined) {
    this.#options = options;
    this.#certificate = certificate;
  }

  static async start(options: AedesOptions = {}, certificate?: Certificate): Promise<MqttBroker> {
    const broker = new MqttBroker(options, certificate);
    await broker.listen();
    return broker;
  }

  get url(): string {
    return `${this.#certificate === undefined ? 'mqtt' : 'mqtts'}://127.0.0.1:${this.port}`;
  }

  /** Payloads on a topic, in the order in which they came. */
  on(topic: string): string[] {
    return this.published.filter((message) => message.topic === topic).map(({ payload }) => payload);
  }

  /** Ids of the events that were taken, in order. */
  get eventIds(): string[] {
    return this.published
      .filter(({ topic }) => topic.endsWith('/event'))
      .map(({ payload }) => (JSON.parse(payload) as { eventId: string }).eventId);
  }

  /** Messages that a client would be given that comes now. */
  retained(): Map<string, string> {
    const last = new Map<string, string>();
    for (const { topic, payload, retain } of this.published) if (retain) last.set(topic, payload);
    return last;
  }

  /** On the port that it had before, where it was closed. */
  async listen(): Promise<void> {
    const aedes = await Aedes.createBroker({
      ...this.#options,
      authorizePublish: (_client, { topic, payload, qos, retain }, done) =>
        this.handle({ topic, payload: payload.toString(), qos, retain }, done),
    });
    aedes.on('clientReady', ({ id }) => this.clientIds.push(id));
    aedes.on('publish', ({ topic, payload, qos, retain }) => {
      if (!topic.startsWith('$SYS')) this.published.push({ topic, payload: payload.toString(), qos, retain });
    });
    const take = (socket: Socket): void => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
      aedes.handle(socket);
    };
    const server = this.#certificate === undefined ? createServer(take) : createTlsServer(this.#certificate, take);
    server.listen(this.port, '127.0.0.1');
    await once(server, 'listening');
    this.port = (server.address() as AddressInfo).port;
    [this.#aedes, this.#server] = [aedes, server];
  }

  /** Connections break, as by a cable; clients may come again. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async close(): Promise<void> {
    const [aedes, server] = [this.#aedes, this.#server];
    if (aedes === undefined || server === undefined) return;
    [this.#aedes, this.#server] = [undefined, undefined];
    const closed = once(server, 'close');
    server.close();
    this.cut();
    await closed;
    await new Promise<void>((resolve) => aedes.close(() => resolve()));
  }
}
