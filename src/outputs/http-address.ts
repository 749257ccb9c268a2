import { hostAndPort, isLocal } from '../grpc/address.js';
import { BlinkstreamError } from '../records/index.js';

/**
 * `127.0.0.1:9464`, `[::1]:0`, `localhost:0` (port 0: any free one); with `openToOtherHosts` any address of this machine.
 * @throws BlinkstreamError `ADDRESS_INVALID`, `ADDRESS_NOT_LOOPBACK` (user)
 */
export function httpAddress(
  address: string,
  { openToOtherHosts }: { readonly openToOtherHosts: boolean },
): { readonly host: string; readonly port: number } {
  const found = hostAndPort(address);
  if (found === undefined) {
    throw refused(
      `"${address}" is no address to listen on`,
      'ADDRESS_INVALID',
      'give HOST:PORT, such as 127.0.0.1:9464',
    );
  }
  if (!openToOtherHosts && !isLocal(address)) {
    throw refused(
      `"${address}" is open to other hosts`,
      'ADDRESS_NOT_LOOPBACK',
      'listen on 127.0.0.1 or [::1], or set operation.openToOtherHosts where names of sources are no secret',
    );
  }
  return found;
}

const refused = (message: string, code: string, hint: string): BlinkstreamError =>
  new BlinkstreamError(message, { code, class: 'user', stage: 'output', hint, exitCode: 2 });
