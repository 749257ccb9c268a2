import type { SecureServerOptions } from 'node:http2';
import type { SecureContextOptions } from 'node:tls';
import { ServerCredentials, type ServerInterceptor } from '@grpc/grpc-js';
import { type BlinkstreamError, type Stage } from '../records/index.js';
import { requireSecureListening } from './address.js';
import { bearerOnly, checkToken } from './bearer.js';
import type { ServerSecurity } from './index.js';
import { TlsFiles } from './tls-files.js';

/** Certificates last for days at least; what renews them may do it at any time. */
const renewEveryMs = 10_000;

/** Who is let in to a gRPC server: health and reflection no less than the rest. */
export interface ServerAccess {
  /** To bind with. */
  readonly credentials: ServerCredentials;
  /** To stand before all other interceptors. */
  readonly interceptors: readonly ServerInterceptor[];
  /** Looks now whether the certificates were renewed; new connections get the new ones. @throws BlinkstreamError as `TlsFiles.renew` */
  renew(): Promise<void>;
  /** Looks for renewed certificates no more. */
  close(): void;
}

export interface ServerAccessOptions {
  readonly address: string;
  readonly security: ServerSecurity;
  readonly stage: Stage;
  /** Renewed certificates that cannot be used, once for each reason; the ones before stay. */
  readonly onProblem?: (problem: BlinkstreamError) => void;
}

/**
 * Reads what a server is protected by, and reads certificates again as they are renewed, every ten seconds.
 * @throws BlinkstreamError `ADDRESS_NOT_SECURE`, `TOKEN_INVALID`, and as `TlsFiles.read` (all user)
 */
export async function serverAccess({
  address,
  security,
  stage,
  onProblem,
}: ServerAccessOptions): Promise<ServerAccess> {
  requireSecureListening(address, security, stage);
  const { tls, token } = security;
  const interceptors = token === undefined ? [] : [bearerOnly(checkToken(token, stage))];
  if (tls === undefined) {
    const nothing = { renew: () => Promise.resolve(), close: () => undefined };
    return { credentials: ServerCredentials.createInsecure(), interceptors, ...nothing };
  }
  const { cert, key, clientCa } = tls;
  const files = await TlsFiles.read({ cert, key, ca: clientCa }, stage);
  const credentials = new RenewedCredentials(clientCa !== undefined, files.context);
  const renew = async (): Promise<void> => {
    if (await files.renew()) credentials.use(files.context);
  };
  let lastTold: string | undefined;
  const timer = setInterval(() => {
    renew().then(
      () => (lastTold = undefined),
      (error: unknown) => {
        const problem = error as BlinkstreamError;
        if (problem.message !== lastTold) onProblem?.(problem);
        lastTold = problem.message;
      },
    );
  }, renewEveryMs);
  timer.unref();
  return { credentials, interceptors, renew, close: () => clearInterval(timer) };
}

/**
 * TLS whose certificates can be replaced. The file watcher of grpc-js has none at all until it has read them for the
 * first time, and again while of certificate and key only one is new: it then drops every connection.
 */
class RenewedCredentials extends ServerCredentials {
  constructor(asksForCertificate: boolean, context: SecureContextOptions) {
    // A certificate of nobody whom we trust ends the handshake, before any HTTP/2 is read.
    const options: SecureServerOptions = { requestCert: asksForCertificate, rejectUnauthorized: asksForCertificate };
    super(options, context);
  }

  use(context: SecureContextOptions): void {
    this.updateSecureContextOptions(context);
  }

  _equals(other: ServerCredentials): boolean {
    return this === other;
  }
}
