import { setTimeout as pause } from 'node:timers/promises';
import { AwsClient } from 'aws4fetch';
import { BlinkstreamError, messageOf } from '../records/index.js';
import { blobError, checkContent, checkName, defaultMaxBytes, tooLarge } from './errors.js';
import type { ClaimCheckStore } from './index.js';
import { sha256Of } from './sha256.js';
import { s3Access, type S3Location } from './s3-access.js';

export interface S3StoreOptions extends S3Location {
  /** Largest blob that is read; default 64 MiB. */
  readonly maxBytes?: number;
  /** Longest time for one attempt, transfer included, ms; default 15,000. */
  readonly timeoutMs?: number;
}

const ATTEMPTS = 4;
const FIRST_PAUSE_MS = 200;

/**
 * Blobs as objects of a bucket, `PREFIX/SHA256`, in Amazon S3 or whatever speaks its protocol. What may pass, such as a
 * connection that breaks or a store that is busy, is tried four times before it is told. Own certificate authorities are
 * Node's to know (`NODE_EXTRA_CA_CERTS`).
 * @throws BlinkstreamError `BLOBS_REFUSED` (user) where the location cannot be one, or without credentials
 */
export function s3Store(options: S3StoreOptions): ClaimCheckStore {
  const { maxBytes = defaultMaxBytes, timeoutMs = 15_000 } = options;
  const { keyUrl, name, region, credentials } = s3Access(options);
  const signer = new AwsClient({ ...credentials, service: 's3', region });

  /** One exchange, tried again where that may help; `read` takes what it wants of an answer that is no error. */
  async function exchange<T>(sha256: string, init: Init, read: (answer: Response) => Promise<T>): Promise<T | 'none'> {
    for (let attempt = 1; ; attempt++) {
      let problem: string;
      let cause: unknown;
      try {
        const request = await signer.sign(keyUrl(sha256), init);
        const answer = await fetch(request, { redirect: 'manual', signal: AbortSignal.timeout(timeoutMs) });
        if (answer.ok) return await read(answer);
        const code = await codeOf(answer);
        if (code === 'NoSuchKey') return 'none';
        if (!mayPass(answer.status, code)) throw refused(name, answer.status, code);
        problem = `it answers ${[answer.status, code].filter(Boolean).join(' ')}`;
      } catch (error) {
        if (error instanceof BlinkstreamError) throw error;
        problem = reasonOf(error, timeoutMs);
        cause = error;
      }
      if (attempt === ATTEMPTS) throw unreachable(name, problem, cause);
      await pause(FIRST_PAUSE_MS * 2 ** (attempt - 1) * (1 - Math.random() / 2));
    }
  }

  return {
    async get(sha256) {
      checkName(sha256);
      const bytes = await exchange(sha256, getting, (answer) => readAtMost(answer, maxBytes));
      if (bytes === 'none') return undefined;
      if (bytes === 'too large') throw tooLarge(sha256, name, maxBytes);
      checkContent(bytes, sha256, name);
      return { bytes };
    },
    async has(sha256) {
      checkName(sha256);
      // HEAD would not say whether it is the object that is missing, or the bucket.
      return (await exchange(sha256, getting, discard)) !== 'none';
    },
    async put(bytes, mediaType) {
      const sha256 = sha256Of(bytes);
      const headers = { 'content-type': mediaType, 'x-amz-content-sha256': sha256 };
      const stored = await exchange(sha256, { method: 'PUT', headers, body: bytes }, discard);
      if (stored === 'none') throw refused(name, 404, 'NoSuchKey');
      return sha256;
    },
  };
}

interface Init {
  readonly method: string;
  readonly headers?: Record<string, string>;
  readonly body?: Uint8Array;
}

/** What is sent is signed too: nothing. */
const getting: Init = { method: 'GET', headers: { 'x-amz-content-sha256': sha256Of(new Uint8Array(0)) } };

const discard = async (answer: Response): Promise<void> => answer.body?.cancel();

async function readAtMost(answer: Response, maxBytes: number): Promise<Uint8Array | 'too large'> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  if (answer.body === null) return new Uint8Array(0);
  // Leaving the loop cancels what is still to come.
  for await (const piece of answer.body as AsyncIterable<Uint8Array>) {
    bytes += piece.byteLength;
    if (bytes > maxBytes) return 'too large';
    pieces.push(piece);
  }
  return Buffer.concat(pieces, bytes);
}

/** Of the XML in which S3 tells its errors; nothing else of it is repeated. */
async function codeOf(answer: Response): Promise<string | undefined> {
  const told = await readAtMost(answer, 64 * 2 ** 10);
  if (told === 'too large') return undefined;
  return /<Code>([A-Za-z0-9.]{1,80})<\/Code>/.exec(Buffer.from(told).toString())?.[1];
}

const mayPass = (status: number, code: string | undefined): boolean =>
  status >= 500 || status === 429 || status === 408 || code === 'RequestTimeout' || code === 'SlowDown';

/** fetch hides what the socket said behind "fetch failed". */
function reasonOf(error: unknown, timeoutMs: number): string {
  if (error instanceof Error && error.name === 'TimeoutError') return `no answer within ${timeoutMs} ms`;
  return messageOf(error instanceof Error && error.cause instanceof Error ? error.cause : error);
}

function refused(name: string, status: number, code: string | undefined): BlinkstreamError {
  const why = code ?? `${status}, and not as S3 does`;
  return blobError(`the blob store ${name} refuses: ${why}`, 'BLOBS_REFUSED', 'user', { hint: hintFor(status, code) });
}

function hintFor(status: number, code: string | undefined): string {
  if (code === 'NoSuchBucket') return 'make the bucket, or check its name';
  if (code === 'RequestTimeTooSkewed') return 'set the clock of this machine';
  if (code === 'AccessDenied') {
    return 'allow s3:GetObject and s3:PutObject, and s3:ListBucket, without which nobody is told that an object is missing';
  }
  if (status === 401 || status === 403) return 'check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN';
  if (status >= 300 && status < 400) return 'name the region in which the bucket is';
  return 'check the endpoint, and whether it wants the bucket in the path';
}

const unreachable = (name: string, why: string, cause?: unknown): BlinkstreamError =>
  blobError(`the blob store ${name} cannot be reached: ${why}`, 'BLOBS_UNREACHABLE', 'external', {
    hint: 'check the endpoint and the network',
    cause,
  });
