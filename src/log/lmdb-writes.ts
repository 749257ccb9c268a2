import { decodeChangeEvent } from '../records/convert/change.js';
import type { Blob, ChangeEvent } from '../records/index.js';
import { killPoint } from '../records/kill-points.js';
import { blobsOf, type EncodedCommit, type EncodedEvent } from './commit.js';
import type { Retention } from './index.js';
import { keyOf } from './keys.js';
import type { BlobUser, LmdbTables } from './lmdb-tables.js';

// What is done inside one transaction; the caller begins and ends it.

/** Before an event: when it was committed. */
const timeBytes = 8;
/** Before a blob: how long its media type is. */
const lengthBytes = 2;

const withTime = (encoded: Uint8Array, committedMs: number): Buffer => {
  const stored = Buffer.allocUnsafe(timeBytes + encoded.byteLength);
  stored.writeDoubleBE(committedMs);
  stored.set(encoded, timeBytes);
  return stored;
};

export const storedEvent = (stored: Buffer): { readonly committedMs: number; readonly encoded: Uint8Array } => ({
  committedMs: stored.readDoubleBE(),
  encoded: stored.subarray(timeBytes),
});

const blobBytes = ({ mediaType, bytes }: Blob): Buffer => {
  const type = Buffer.from(mediaType);
  const head = Buffer.alloc(lengthBytes);
  head.writeUInt16BE(type.length);
  return Buffer.concat([head, type, bytes]);
};

export const blobFrom = (sha256: string, stored: Buffer): Blob => {
  const bytesAt = lengthBytes + stored.readUInt16BE();
  return { sha256, mediaType: stored.toString('utf8', lengthBytes, bytesAt), bytes: stored.subarray(bytesAt) };
};

/** Returns how many events were new. */
export function appendCommit(tables: LmdbTables, step: EncodedCommit, nowMs: number): number {
  const { first, next } = tables.extent;
  let offset = next;
  for (const event of step.events) {
    if (tables.eventIds.doesExist(keyOf(event.event.eventId))) continue;
    appendEvent(tables, event, offset, nowMs);
    offset += 1;
  }
  tables.extent = { first, next: offset };
  for (const claim of step.contradicted) appendContradicted(tables, claim, nowMs);
  killPoint('in-commit');

  const key = keyOf(step.key);
  // The hash, as the key itself may be too long for an index.
  const user = key.toString('hex');
  const before = tables.checkpointBlobs.get(key) ?? [];
  const now = new Set(step.blobs.map(({ sha256 }) => sha256));
  for (const blob of step.blobs) {
    const sha256 = Buffer.from(blob.sha256, 'hex');
    if (!tables.blobs.doesExist(sha256)) tables.blobs.putSync(sha256, blobBytes(blob));
    tables.blobUsers.putSync(sha256, user);
  }
  for (const sha256 of before) if (!now.has(sha256)) releaseBlob(tables, sha256, user);
  tables.checkpointBlobs.putSync(key, [...now]);
  tables.checkpoints.putSync(key, step.checkpoint);
  return offset - next;
}

function appendEvent(tables: LmdbTables, { event, encoded }: EncodedEvent, offset: number, nowMs: number): void {
  const change = keyOf(event.changeId);
  tables.events.putSync(offset, withTime(encoded, nowMs));
  tables.eventIds.putSync(keyOf(event.eventId), offset);
  tables.revisions.putSync(change, [event.revision, offset]);
  if (!tables.changes.doesExist(change)) {
    tables.changes.putSync(change, offset);
    tables.sightings.putSync(offset, change);
  }
  for (const sha256 of blobsOf(event)) tables.blobUsers.putSync(Buffer.from(sha256, 'hex'), offset);
}

function appendContradicted(tables: LmdbTables, { event, encoded }: EncodedEvent, nowMs: number): void {
  const id = keyOf(event.eventId);
  if (tables.contradictedIds.doesExist(id)) return;
  const offset = nextContradicted(tables);
  tables.contradicted.putSync(offset, withTime(encoded, nowMs));
  tables.contradictedIds.putSync(id, offset);
}

const nextContradicted = ({ contradicted }: LmdbTables): number => {
  const [last] = [...contradicted.getKeys({ reverse: true, limit: 1 })];
  return last === undefined ? 0 : last + 1;
};

interface Pruned {
  readonly removedEvents: number;
  readonly removedBlobs: number;
  /** There may be more to remove. */
  readonly more: boolean;
}

/**
 * Removes the earliest events that retention does not keep, `limit` at most, and what only they needed; and as many
 * contradicted claims.
 */
export function pruneSome(tables: LmdbTables, retention: Retention, nowMs: number, limit: number): Pruned {
  const { first, next } = tables.extent;
  let offset = first;
  let removedBlobs = 0;
  for (const { key, value } of [...tables.events.getRange({ start: first, limit })]) {
    const { committedMs, encoded } = storedEvent(value);
    if (isKept(retention, next - key, nowMs - committedMs)) break;
    removedBlobs += removeEvent(tables, decodeChangeEvent(encoded), key);
    offset = key + 1;
  }
  if (offset > first) tables.extent = { first: offset, next };
  const removedEvents = offset - first;
  const removedContradicted = pruneContradicted(tables, retention, nowMs, limit);
  return { removedEvents, removedBlobs, more: removedEvents === limit || removedContradicted === limit };
}

function pruneContradicted(tables: LmdbTables, retention: Retention, nowMs: number, limit: number): number {
  const next = nextContradicted(tables);
  let removed = 0;
  for (const { key, value } of [...tables.contradicted.getRange({ limit })]) {
    const { committedMs, encoded } = storedEvent(value);
    if (isKept(retention, next - key, nowMs - committedMs)) break;
    tables.contradicted.removeSync(key);
    tables.contradictedIds.removeSync(keyOf(decodeChangeEvent(encoded).eventId));
    removed += 1;
  }
  return removed;
}

/** @param fromEnd 1 is the latest */
const isKept = ({ maxEvents = Infinity, maxAgeMs = Infinity }: Retention, fromEnd: number, ageMs: number): boolean =>
  fromEnd <= maxEvents && ageMs <= maxAgeMs;

function removeEvent(tables: LmdbTables, event: ChangeEvent, offset: number): number {
  const change = keyOf(event.changeId);
  tables.events.removeSync(offset);
  tables.eventIds.removeSync(keyOf(event.eventId));
  tables.revisions.removeSync(change, [event.revision, offset]);
  if (!tables.revisions.doesExist(change)) {
    tables.sightings.removeSync(tables.changes.get(change) ?? offset);
    tables.changes.removeSync(change);
  }
  let removedBlobs = 0;
  for (const sha256 of blobsOf(event)) removedBlobs += releaseBlob(tables, sha256, offset);
  return removedBlobs;
}

/** Returns 1 where nobody needs the blob any more and it is gone, else 0. */
function releaseBlob(tables: LmdbTables, sha256: string, user: BlobUser): number {
  const key = Buffer.from(sha256, 'hex');
  tables.blobUsers.removeSync(key, user);
  if (tables.blobUsers.doesExist(key)) return 0;
  return tables.blobs.removeSync(key) ? 1 : 0;
}
