import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

export interface Received {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** What the receiver does with the request of this number, from 0. */
type Answer = (response: ServerResponse, number: number) => void;

export const status =
  (code: number, headers: Record<string, string> = {}): Answer =>
  (response) =>
    response.writeHead(code, headers).end();

/** An HTTP server on a free port of loopback that keeps what it is sent. */
export class WebhookReceiver {
  readonly received: Received[] = [];
  /** Default: 204. */
  answer: Answer = status(204);
  #server: Server | undefined;
  port = 0;

  static async start(): Promise<WebhookReceiver> {
    const receiver = new WebhookReceiver();
    await receiver.listen();
    return receiver;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/hooks/yard`;
  }

  /** Ids of the events, in the order of arrival. */
  get ids(): string[] {
    return this.received.map(({ headers }) => String(headers['ce-id']));
  }

  /** On the port that it had before, where it was closed. */
  async listen(): Promise<void> {
    const server = createServer((request, response) => {
      void buffer(request).then((body) => {
        const { method = '', url: path = '', headers } = request;
        this.received.push({ method, path, headers, body });
        this.answer(response, this.received.length - 1);
      });
    });
    server.listen(this.port, '127.0.0.1');
    await once(server, 'listening');
    this.port = (server.address() as AddressInfo).port;
    this.#server = server;
  }

  async close(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  }
}
