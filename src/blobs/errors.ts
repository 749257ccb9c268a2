import { BlinkstreamError, type ErrorClass } from '../records/index.js';
import { sha256Of } from './sha256.js';

/** What is read of one blob, where nothing else is said. */
export const defaultMaxBytes = 64 * 2 ** 20;

/** A name becomes part of a path or a URL. @throws BlinkstreamError `BLOB_NAME` (data) for what is no SHA-256 */
export function checkName(sha256: string): void {
  if (/^[0-9a-f]{64}$/.test(sha256)) return;
  throw blobError(`${JSON.stringify(sha256.slice(0, 80))} is not the SHA-256 of a blob`, 'BLOB_NAME', 'data', {
    hint: 'name it by 64 hexadecimal digits in lower case',
  });
}

/** @throws BlinkstreamError `BLOB_DAMAGED` (data) */
export function checkContent(bytes: Uint8Array, sha256: string, store: string): void {
  const found = sha256Of(bytes);
  if (found === sha256) return;
  throw blobError(`blob ${sha256} in ${store} is damaged: its bytes have SHA-256 ${found}`, 'BLOB_DAMAGED', 'data', {
    hint: 'store it again',
  });
}

export const tooLarge = (sha256: string, store: string, maxBytes: number): BlinkstreamError =>
  blobError(`blob ${sha256} in ${store} has more than ${maxBytes} bytes`, 'BLOB_TOO_LARGE', 'data', {
    hint: 'store smaller pictures',
  });

export const blobError = (
  message: string,
  code: string,
  errorClass: ErrorClass,
  { hint, cause }: { readonly hint: string; readonly cause?: unknown },
): BlinkstreamError => new BlinkstreamError(message, { code, class: errorClass, stage: 'source', hint, cause });
