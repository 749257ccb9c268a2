import { isIPv4 } from 'node:net';
import { BlinkstreamError, type Stage } from '../records/index.js';
import type { ClientSecurity, ServerSecurity } from './index.js';

/** Host and port of `127.0.0.1:50051`, `[::1]:0` or `localhost:0`; undefined where it is none of that form. */
export function hostAndPort(address: string): { readonly host: string; readonly port: number } | undefined {
  const match = /^(?:\[([^\]]+)\]|([^:/\s]+)):(\d{1,5})$/.exec(address);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  return host === undefined || port > 65_535 ? undefined : { host, port };
}

/** Whether no other host can be meant: a Unix socket, or a port on loopback. */
export function isLocal(address: string): boolean {
  if (address.startsWith('unix:')) return true;
  const host = hostAndPort(address)?.host;
  return host !== undefined && isLoopback(host);
}

/** Whether a host is this machine; an IPv6 address without brackets. */
export const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'));

/**
 * Lets a server listen where others can reach it only if it is TLS that they reach, and not everybody is let in.
 * @throws BlinkstreamError `ADDRESS_NOT_SECURE` (user)
 */
export function requireSecureListening(address: string, { tls, token }: ServerSecurity, stage: Stage): void {
  if (isLocal(address)) return;
  if (tls === undefined) {
    throw notSecure(
      `other hosts can reach "${address}", and there would be no TLS`,
      'Give a certificate with its key, and a client CA or a token; or listen on 127.0.0.1, [::1] or unix:PATH.',
      stage,
    );
  }
  if (tls.clientCa === undefined && token === undefined) {
    throw notSecure(
      `other hosts can reach "${address}", and all of them would be let in`,
      'Give a client CA or a token; or listen on 127.0.0.1, [::1] or unix:PATH.',
      stage,
    );
  }
}

/**
 * Lets a client call other hosts by TLS alone; where `credential` is asked for, only with something to show there.
 * @throws BlinkstreamError `ADDRESS_NOT_SECURE` (user)
 */
export function requireSecureCalling(
  address: string,
  { tls, token }: ClientSecurity,
  { stage, credential }: { readonly stage: Stage; readonly credential: boolean },
): void {
  if (isLocal(address)) return;
  if (tls === undefined) {
    throw notSecure(
      `${address} is another host, and there would be no TLS on the way`,
      'Set up TLS for it, with its CA as ca.',
      stage,
    );
  }
  if (credential && tls.cert === undefined && token === undefined) {
    throw notSecure(
      `${address} is another host, and there is nothing to be let in by`,
      'Give the token that it asks for, or a certificate with its key.',
      stage,
    );
  }
}

const notSecure = (message: string, hint: string, stage: Stage): BlinkstreamError =>
  new BlinkstreamError(message, { code: 'ADDRESS_NOT_SECURE', class: 'user', stage, hint, exitCode: 2 });
