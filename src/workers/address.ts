import { isAbsolute } from 'node:path';
import { BlinkstreamError } from '../records/index.js';

const loopback = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\]):(\d{1,5})$/;

/**
 * An address that a worker may listen on or be called at: `unix:/absolute/path`, or a port of this machine
 * (`127.0.0.1:7001`, `localhost:7001`, `[::1]:7001`; port 0 lets the system choose).
 * Others are refused, because pictures would cross the network unencrypted: there is no TLS here yet.
 * @throws BlinkstreamError `WORKER_ADDRESS_INVALID` (user)
 */
export function workerAddress(address: string): string {
  if (address.startsWith('unix:') && isAbsolute(address.slice('unix:'.length))) return address;
  const port = loopback.exec(address)?.[1];
  if (port !== undefined && Number(port) <= 65_535) return address;
  throw new BlinkstreamError(`worker address ${address} is neither a Unix socket nor a port of this machine`, {
    code: 'WORKER_ADDRESS_INVALID',
    class: 'user',
    stage: 'worker',
    hint: 'Use unix:/path or 127.0.0.1:PORT; reach other machines through a tunnel until workers speak TLS.',
    exitCode: 2,
  });
}
