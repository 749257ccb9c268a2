import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { httpAddress } from '../outputs/http-address.js';
import { BlinkstreamError, messageOf } from '../records/index.js';
import type { Health } from './health.js';
import type { ServiceMetrics } from './metrics.js';

export interface OperationServerOptions {
  /** See `httpAddress`. */
  readonly listen: string;
  readonly openToOtherHosts: boolean;
  readonly metrics: Pick<ServiceMetrics, 'contentType' | 'text'>;
  readonly live: () => Promise<Health>;
  readonly ready: () => Health;
}

export interface OperationServer {
  /** `host:port`, with the port that was bound. */
  readonly address: string;
  close(): Promise<void>;
}

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

/**
 * Serves `/metrics`, `/healthz` and `/readyz` over HTTP to whoever asks: there is nothing in them to protect, and nothing
 * that can be changed.
 * @throws BlinkstreamError as `httpAddress`; `LISTEN_FAILED` (user)
 */
export async function startOperationServer(options: OperationServerOptions): Promise<OperationServer> {
  const { host, port } = httpAddress(options.listen, options);
  const server = createServer(
    { maxHeaderSize: 8_192, headersTimeout: 5_000, requestTimeout: 10_000, keepAliveTimeout: 5_000 },
    (request, response) => void respond(request, response, options),
  );
  server.maxConnections = 64;
  try {
    server.listen({ host, port });
    await once(server, 'listening');
  } catch (cause) {
    throw new BlinkstreamError(`metrics cannot be served on ${options.listen}: ${messageOf(cause)}`, {
      code: 'LISTEN_FAILED',
      class: 'user',
      stage: 'output',
      hint: 'give another address at operation.listen',
      cause,
    });
  }
  const bound = (server.address() as AddressInfo).port;
  return {
    address: `${host.includes(':') ? `[${host}]` : host}:${bound}`,
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

async function respond(
  { method, url = '' }: IncomingMessage,
  response: ServerResponse,
  options: OperationServerOptions,
): Promise<void> {
  const { status, type, body } = await answerTo(method, url.split('?', 1)[0], options).catch((error: unknown): Answer =>
    plain(500, `this is a mistake of Blinkstream: ${messageOf(error)}`),
  );
  response.writeHead(status, {
    'content-type': type,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
  response.end(method === 'HEAD' ? undefined : body);
}

async function answerTo(
  method: string | undefined,
  path: string,
  { metrics, live, ready }: OperationServerOptions,
): Promise<Answer> {
  if (method !== 'GET' && method !== 'HEAD') return plain(405, 'only GET');
  switch (path) {
    case '/metrics':
      return { status: 200, type: metrics.contentType, body: await metrics.text() };
    case '/healthz':
      return told(await live());
    case '/readyz':
      return told(ready());
    default:
      return plain(404, 'there are /metrics, /healthz and /readyz');
  }
}

const plain = (status: number, text: string): Answer => ({
  status,
  type: 'text/plain; charset=utf-8',
  body: `${text}\n`,
});

const told = (health: Health): Answer => ({
  status: health.ok ? 200 : 503,
  type: 'application/json',
  body: `${JSON.stringify(health)}\n`,
});
