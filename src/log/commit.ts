import { createHash } from 'node:crypto';
import { deserialize, serialize } from 'node:v8';
import { encodeChangeEvent } from '../records/convert/change.js';
import { BlinkstreamError, messageOf, type Blob, type ChangeEvent, type Checkpoint } from '../records/index.js';
import type { Commit } from './index.js';

export interface EncodedEvent {
  readonly event: ChangeEvent;
  readonly encoded: Uint8Array;
}

/** A commit that nothing but the store itself can refuse any more. */
export interface EncodedCommit {
  readonly key: string;
  readonly events: readonly EncodedEvent[];
  readonly contradicted: readonly EncodedEvent[];
  readonly checkpoint: Buffer;
  readonly blobs: readonly Blob[];
  /** SHA-256 of all that the checkpoint needs: what `blobs` gives, and what stays. */
  readonly needs: ReadonlySet<string>;
}

/**
 * Encodes and checks all of a commit before any of it is written.
 * @throws BlinkstreamError `PROTO_INVALID` (data), `BLOB_MISMATCH`, `CHECKPOINT_INVALID` (internal)
 */
export function encodeCommit({ key, events, contradicted, checkpoint, blobs, keeps = [] }: Commit): EncodedCommit {
  for (const blob of blobs) verifyBlob(blob);
  return {
    key,
    events: events.map(encoded),
    contradicted: contradicted.map(encoded),
    checkpoint: encodeCheckpoint(key, checkpoint),
    blobs,
    needs: new Set([...blobs.map(({ sha256 }) => sha256), ...keeps]),
  };
}

const encoded = (event: ChangeEvent): EncodedEvent => ({ event, encoded: encodeChangeEvent(event) });

/** The stored blobs that an event names; each once. What is no SHA-256 names nothing that could be stored. */
export const blobsOf = (event: ChangeEvent): ReadonlySet<string> =>
  new Set(event.pictures.map(({ sha256 }) => sha256).filter(isSha256));

export const isSha256 = (text: string): boolean => /^[0-9a-f]{64}$/.test(text);

function verifyBlob({ sha256, bytes, mediaType }: Blob): void {
  const actual = createHash('sha256').update(bytes).digest('hex');
  if (actual === sha256) return;
  throw new BlinkstreamError(`blob ${sha256} (${mediaType}, ${bytes.byteLength} bytes) has the SHA-256 ${actual}`, {
    code: 'BLOB_MISMATCH',
    class: 'internal',
    stage: 'log',
    hint: 'Name a blob by the SHA-256 of its bytes, in lower case, and do not change them afterwards.',
  });
}

/** Goes up with every change to what a state holds: a later version must not go on with what it does not know. */
const checkpointFormat = 5;

/** V8's own format: it keeps typed arrays, maps and sets, and a newer Node reads what an older one wrote. */
function encodeCheckpoint(key: string, checkpoint: Checkpoint): Buffer {
  try {
    return serialize({ format: checkpointFormat, checkpoint });
  } catch (cause) {
    throw new BlinkstreamError(`checkpoint of ${key} cannot be stored: ${messageOf(cause)}`, {
      code: 'CHECKPOINT_INVALID',
      class: 'internal',
      stage: 'log',
      hint: 'Keep states plain: no functions, no class instances.',
      cause,
    });
  }
}

/** @throws BlinkstreamError `CHECKPOINT_UNREADABLE`, `CHECKPOINT_FORMAT` (user) */
export function decodeCheckpoint(key: string, bytes: Uint8Array): Checkpoint {
  const { format, checkpoint } = deserialized(key, bytes);
  if (format === checkpointFormat) return checkpoint;
  throw new BlinkstreamError(
    `checkpoint of ${key} has format ${format ?? 'none'}, this version reads ${checkpointFormat}`,
    {
      code: 'CHECKPOINT_FORMAT',
      class: 'user',
      stage: 'log',
      hint: 'Use the version of Blinkstream that wrote it, or begin with another log.',
    },
  );
}

function deserialized(key: string, bytes: Uint8Array): { readonly format?: number; readonly checkpoint: Checkpoint } {
  try {
    return deserialize(bytes) as ReturnType<typeof deserialized>;
  } catch (cause) {
    throw new BlinkstreamError(`checkpoint of ${key} cannot be read: ${messageOf(cause)}`, {
      code: 'CHECKPOINT_UNREADABLE',
      class: 'user',
      stage: 'log',
      hint: `Use the version of Node that wrote it or a newer one than ${process.version}.`,
      cause,
    });
  }
}
