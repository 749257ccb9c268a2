import { once } from 'node:events';
import { createServer, type ListenOptions } from 'node:net';
import { hostAndPort } from '../../grpc/address.js';
import { removeAbandonedSocket } from '../../grpc/unix-socket.js';
import { BlinkstreamError, messageOf } from '../../records/index.js';

/** Where a server listens: `host:port` or the path of a Unix socket. */
export type ListenAddress =
  | { readonly form: 'tcp'; readonly host: string; readonly port: number }
  | { readonly form: 'unix'; readonly path: string };

/**
 * `127.0.0.1:50051`, `[::1]:0`, `localhost:0` (port 0: any free one) or `unix:/run/blinkstream.sock`. Whether it is safe
 * to listen there is asked elsewhere.
 * @throws BlinkstreamError `ADDRESS_INVALID` (user)
 */
export function parseAddress(address: string): ListenAddress {
  if (address.startsWith('unix:') && address.length > 'unix:'.length) {
    return { form: 'unix', path: address.slice('unix:'.length) };
  }
  const tcp = hostAndPort(address);
  if (tcp !== undefined) return { form: 'tcp', ...tcp };
  throw new BlinkstreamError(`"${address}" is no address to listen on`, {
    code: 'ADDRESS_INVALID',
    class: 'user',
    stage: 'output',
    hint: 'Give HOST:PORT, such as 127.0.0.1:50051, or unix:PATH.',
    exitCode: 2,
  });
}

/** As gRPC writes it, with the port that was bound where that is known. */
export function addressText(address: ListenAddress, boundPort?: number): string {
  if (address.form === 'unix') return `unix:${address.path}`;
  return `${address.host.includes(':') ? `[${address.host}]` : address.host}:${boundPort ?? address.port}`;
}

/**
 * Makes sure that the address can be bound: grpc-js tells a failure only as prose, and prints it too. The socket that
 * a killed server left behind is taken away.
 * @throws BlinkstreamError `PORT_IN_USE`, `LISTEN_FAILED` (user)
 */
export async function ensureFree(address: ListenAddress): Promise<void> {
  const options = address.form === 'unix' ? { path: address.path } : { host: address.host, port: address.port };
  try {
    await tryListen(options);
  } catch (error) {
    if (codeOf(error) !== 'EADDRINUSE') throw listenFailed(address, error);
    const isFree = address.form === 'unix' && (await removeAbandonedSocket(address.path));
    if (!isFree) throw inUse(address, error);
  }
}

async function tryListen(options: ListenOptions): Promise<void> {
  const probe = createServer().listen(options);
  await once(probe, 'listening');
  probe.close();
  await once(probe, 'close');
}

const codeOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : undefined);

const inUse = (address: ListenAddress, cause: unknown): BlinkstreamError =>
  new BlinkstreamError(`${addressText(address)} is in use`, {
    code: 'PORT_IN_USE',
    class: 'user',
    stage: 'output',
    hint: 'Give another address with --listen, or 127.0.0.1:0 for any free port.',
    cause,
  });

export const listenFailed = (address: ListenAddress, cause: unknown): BlinkstreamError =>
  new BlinkstreamError(`cannot listen on ${addressText(address)}: ${messageOf(cause)}`, {
    code: 'LISTEN_FAILED',
    class: 'user',
    stage: 'output',
    hint: 'Give another address with --listen.',
    cause,
  });
