import { isAbsolute } from 'node:path';
import { hostAndPort } from '../grpc/address.js';
import { BlinkstreamError } from '../records/index.js';

/**
 * An address that a worker may listen on or be called at: `unix:/absolute/path` or `HOST:PORT` (port 0 lets the system
 * choose). Whether it is safe to listen there, or to call it, is asked elsewhere.
 * @throws BlinkstreamError `WORKER_ADDRESS_INVALID` (user)
 */
export function workerAddress(address: string): string {
  if (address.startsWith('unix:') && isAbsolute(address.slice('unix:'.length))) return address;
  if (hostAndPort(address) !== undefined) return address;
  throw new BlinkstreamError(`worker address ${address} is neither a Unix socket nor HOST:PORT`, {
    code: 'WORKER_ADDRESS_INVALID',
    class: 'user',
    stage: 'worker',
    hint: 'Use unix:/path or HOST:PORT, such as 127.0.0.1:7001.',
    exitCode: 2,
  });
}
