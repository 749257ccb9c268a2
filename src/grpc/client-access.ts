import { isIP } from 'node:net';
import { checkServerIdentity, createSecureContext, type PeerCertificate } from 'node:tls';
import { type ChannelCredentials, type ClientOptions, credentials } from '@grpc/grpc-js';
import type { BlinkstreamError, Stage } from '../records/index.js';
import { hostAndPort, requireSecureCalling } from './address.js';
import { checkToken, withBearer } from './bearer.js';
import { handshakeProblem } from './handshake.js';
import type { ClientSecurity } from './index.js';
import { type OnCertificateUnusable, TlsFiles } from './tls-files.js';

/** How a client reaches one gRPC server. */
export interface ClientAccess {
  /** What the next client is made with. Certificates are those on disk now, or the last that could be used. */
  next(): Promise<{ readonly credentials: ChannelCredentials; readonly options: ClientOptions }>;
  /**
   * Why there can be no connection, where that is the fault of certificates or of TLS on one side alone, and another
   * attempt would only meet it again; undefined where it is anything else. Connects once, beside the client.
   */
  problem(): Promise<BlinkstreamError | undefined>;
}

export interface ClientAccessOptions {
  readonly address: string;
  readonly security: ClientSecurity;
  readonly stage: Stage;
  /** Another host is called only with a token or a certificate of ours. */
  readonly credential: boolean;
  readonly onCertificateUnusable?: OnCertificateUnusable | undefined;
}

/** @throws BlinkstreamError `ADDRESS_NOT_SECURE`, `TOKEN_INVALID`, and as `TlsFiles.read` (all user) */
export async function clientAccess(options: ClientAccessOptions): Promise<ClientAccess> {
  const { address, security, stage } = options;
  requireSecureCalling(address, security, options);
  const { tls, token } = security;
  const interceptors = token === undefined ? {} : { interceptors: [withBearer(checkToken(token, stage))] };
  const files = tls && (await TlsFiles.read(tls, stage));
  return {
    async next() {
      if (files === undefined) return { credentials: credentials.createInsecure(), options: interceptors };
      // Half renewed: the ones before are good as long as the server takes them.
      await files.renewIfUsable(options.onCertificateUnusable);
      const context = createSecureContext(files.context);
      const host = hostAndPort(address)?.host ?? 'localhost';
      if (isIP(host) === 0) {
        return { credentials: credentials.createFromSecureContext(context), options: interceptors };
      }
      // grpc-js sends the host as server name, which must be no IP address: Node.js warns of it on standard error. So
      // it gets another name to send, and the certificate is held against the address all the same.
      const checked = (_name: string, cert: PeerCertificate) => checkServerIdentity(host, cert);
      return {
        credentials: credentials.createFromSecureContext(context, { checkServerIdentity: checked }),
        options: { ...interceptors, 'grpc.ssl_target_name_override': 'localhost' },
      };
    },
    problem: () => handshakeProblem(address, files?.context, stage),
  };
}
