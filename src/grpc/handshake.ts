import { isIP } from 'node:net';
import { connect, type ConnectionOptions, type SecureContextOptions, type TLSSocket } from 'node:tls';
import { BlinkstreamError, type Stage } from '../records/index.js';
import { hostAndPort } from './address.js';

const answersWithinMs = 5_000;

/**
 * Connects as a client with this `context`, or without TLS where it is undefined, would, to learn what grpc-js does not
 * tell apart from a server that is down: a certificate that one side does not trust, and TLS on one side alone.
 * @returns undefined where there is no such reason, be it that nothing answers
 */
export async function handshakeProblem(
  address: string,
  context: SecureContextOptions | undefined,
  stage: Stage,
): Promise<BlinkstreamError | undefined> {
  const problem = (code: string, message: string, hint: string): BlinkstreamError =>
    new BlinkstreamError(`${address} ${message}`, { code, class: 'user', stage, hint });
  if (context === undefined) {
    const { spoke } = await shakeHands(address, { rejectUnauthorized: false });
    return spoke ? problem('SERVER_WANTS_TLS', 'wants TLS', 'Give the certificate of its CA as ca.') : undefined;
  }
  let outcome = await shakeHands(address, context);
  // A server that refuses us closes the connection, but so does one that is ending; that one does not do it twice.
  if (outcome.end === 'closed') outcome = await shakeHands(address, context);
  const { end, code } = outcome;
  if (end === 'settings' || end === 'silent') return undefined;
  if (code === 'ERR_SSL_WRONG_VERSION_NUMBER' || code === 'ERR_SSL_PACKET_LENGTH_TOO_LONG') {
    return problem('SERVER_WITHOUT_TLS', 'does not speak TLS', 'Start it with a certificate, or reach it without TLS.');
  }
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return problem(
      'SERVER_CERTIFICATE_UNTRUSTED',
      'has a certificate for other names',
      'Reach it by a name or address that is in its certificate.',
    );
  }
  if (code !== undefined && untrusted.has(code)) {
    return problem(
      'SERVER_CERTIFICATE_UNTRUSTED',
      `has a certificate that is not trusted: ${untrusted.get(code)}`,
      code === 'CERT_HAS_EXPIRED'
        ? 'Renew it on the server.'
        : 'Give the certificate of its CA as ca, if you trust that one.',
    );
  }
  const isAlert = code !== undefined && clientRefused.test(code);
  if (context.cert === undefined) {
    const hint = 'Give as cert and key what its client CA signed.';
    return isAlert ? problem('CLIENT_CERTIFICATE_REFUSED', 'wants a certificate of us', hint) : undefined;
  }
  // Node.js closes without an alert where our certificate is there and not to be trusted.
  const hint = 'Give as cert and key what its client CA signed and what has not expired.';
  return isAlert || end === 'closed'
    ? problem('CLIENT_CERTIFICATE_REFUSED', 'refuses our certificate', hint)
    : undefined;
}

const untrusted: ReadonlyMap<string, string> = new Map([
  ['CERT_HAS_EXPIRED', 'it has expired'],
  ['CERT_NOT_YET_VALID', 'it is not valid yet'],
  ['CERT_SIGNATURE_FAILURE', 'its signature is wrong'],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', 'it signed itself'],
  ['INVALID_CA', 'what signed it is no CA'],
  ['INVALID_PURPOSE', 'it is for another purpose'],
  ['SELF_SIGNED_CERT_IN_CHAIN', 'its CA is unknown'],
  ['UNABLE_TO_GET_ISSUER_CERT', 'its CA is unknown'],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'its CA is unknown'],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'its CA is unknown'],
]);

/** Alerts by which a server ends a handshake because of our certificate, or because there is none. */
const clientRefused =
  /ALERT_(?:CERTIFICATE_\w+|BAD_CERTIFICATE|NO_CERTIFICATE|UNKNOWN_CA|ACCESS_DENIED|UNSUPPORTED_CERTIFICATE|HANDSHAKE_FAILURE)$/;

interface Outcome {
  /**
   * `settings`: the server began with HTTP/2, so that it takes us. `closed`: the handshake was good on our side, and
   * then it closed. `failed`: an error. `silent`: neither in time.
   */
  readonly end: 'settings' | 'closed' | 'failed' | 'silent';
  readonly code?: string;
  /** It spoke TLS. */
  readonly spoke: boolean;
}

/**
 * To the first bytes of the server after the handshake: with TLS 1.3 our side of it is over before the server has
 * looked at our certificate.
 */
function shakeHands(address: string, options: ConnectionOptions): Promise<Outcome> {
  const tcp = hostAndPort(address);
  const to = tcp ?? { path: address.replace(/^unix:/, '') };
  const servername = tcp === undefined || isIP(tcp.host) !== 0 ? {} : { servername: tcp.host };
  const socket: TLSSocket = connect({ ...to, ...servername, ALPNProtocols: ['h2'], ...options });
  return new Promise<Outcome>((resolve) => {
    let shook = false;
    socket.setTimeout(answersWithinMs, () => resolve({ end: 'silent', spoke: shook }));
    socket.once('secureConnect', () => (shook = true));
    socket.once('data', () => resolve({ end: 'settings', spoke: true }));
    socket.on('error', (error: NodeJS.ErrnoException) => {
      const { code } = error;
      const closed = shook && code === 'ECONNRESET';
      const spoke = shook || (code?.includes('_ALERT_') ?? false);
      resolve({ end: closed ? 'closed' : 'failed', ...(code !== undefined && { code }), spoke });
    });
    socket.once('close', () => resolve({ end: shook ? 'closed' : 'failed', spoke: shook }));
  }).finally(() => socket.destroy());
}
