import { decodeChangeEvent } from '../records/convert/change.js';
import type { Blob, ChangeEvent } from '../records/index.js';
import { killPoint } from '../records/kill-points.js';
import { blobsOf, type EncodedCommit, type EncodedEvent } from './commit.js';
import { keyOf } from './keys.js';
import type { BlobUser, Extent, LmdbTables, Place } from './lmdb-tables.js';

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

/** An event and the offset that it has in its partition. */
export interface PlacedEvent extends EncodedEvent {
  readonly offset: number;
  readonly committedMs: number;
}

/** A commit to the one partition of the embedded log. Returns how many events were new. */
export function appendCommit(tables: LmdbTables, step: EncodedCommit, nowMs: number): number {
  const { next } = tables.extent('events', 0);
  const events = placed(step.events.filter(unseen(tables.eventIds)), next, nowMs);
  appendEvents(tables, 0, events, next + events.length);
  const claimsNext = tables.extent('contradicted', 0).next;
  const claims = placed(step.contradicted.filter(unseen(tables.contradictedIds)), claimsNext, nowMs);
  appendContradicted(tables, 0, claims, claimsNext + claims.length);
  killPoint('in-commit');

  for (const blob of step.blobs) putBlob(tables, blob);
  putCheckpoint(tables, step.key, step.checkpoint, step.needs);
  return events.length;
}

export function putBlob(tables: LmdbTables, blob: Blob): void {
  const sha256 = Buffer.from(blob.sha256, 'hex');
  if (!tables.blobs.doesExist(sha256)) tables.blobs.putSync(sha256, blobBytes(blob));
}

/** Takes the place of the checkpoint before it, whose blobs it lets go of unless it names them too. */
export function putCheckpoint(tables: LmdbTables, of: string, checkpoint: Buffer, blobs: ReadonlySet<string>): void {
  const key = keyOf(of);
  // The hash, as the key itself may be too long for an index.
  const user = key.toString('hex');
  const before = tables.checkpointBlobs.get(key) ?? [];
  const known = new Set(before);
  for (const sha256 of blobs) if (!known.has(sha256)) tables.blobUsers.putSync(Buffer.from(sha256, 'hex'), user);
  for (const sha256 of before) if (!blobs.has(sha256)) releaseBlob(tables, sha256, user);
  tables.checkpointBlobs.putSync(key, [...blobs]);
  tables.checkpoints.putSync(key, checkpoint);
}

const placed = (events: readonly EncodedEvent[], next: number, committedMs: number): PlacedEvent[] =>
  events.map(({ event, encoded }, i) => ({ event, encoded, offset: next + i, committedMs }));

/** Lets each id through once, and none that the table holds already. */
export function unseen(ids: LmdbTables['eventIds']): (event: EncodedEvent) => boolean {
  const seen = new Set<string>();
  return ({ event: { eventId } }) => {
    if (seen.has(eventId) || ids.doesExist(keyOf(eventId))) return false;
    seen.add(eventId);
    return true;
  };
}

/** `next` is the offset after them, or after a gap that follows them. */
export function appendEvents(
  tables: LmdbTables,
  partition: number,
  events: readonly PlacedEvent[],
  next: number,
): void {
  const extent = tables.extent('events', partition);
  let { lastMs } = extent;
  for (const { event, encoded, offset, committedMs } of events) {
    lastMs = Math.max(lastMs, committedMs);
    const change = keyOf(event.changeId);
    tables.events.putSync([partition, offset], withTime(encoded, lastMs));
    tables.eventIds.putSync(keyOf(event.eventId), [partition, offset]);
    tables.revisions.putSync(change, [event.revision, partition, offset]);
    for (const sha256 of blobsOf(event)) tables.blobUsers.putSync(Buffer.from(sha256, 'hex'), [partition, offset]);
    if (tables.changes.doesExist(change)) continue;
    tables.changes.putSync(change, [lastMs, partition, offset]);
    tables.sightings.putSync([lastMs, partition, offset], change);
  }
  tables.setExtent('events', partition, grown(extent, events.length, next, lastMs));
}

export function appendContradicted(
  tables: LmdbTables,
  partition: number,
  claims: readonly PlacedEvent[],
  next: number,
): void {
  const extent = tables.extent('contradicted', partition);
  let { lastMs } = extent;
  for (const { event, encoded, offset, committedMs } of claims) {
    lastMs = Math.max(lastMs, committedMs);
    tables.contradicted.putSync([partition, offset], withTime(encoded, lastMs));
    tables.contradictedIds.putSync(keyOf(event.eventId), [partition, offset]);
  }
  tables.setExtent('contradicted', partition, grown(extent, claims.length, next, lastMs));
}

const grown = ({ first, count }: Extent, more: number, next: number, lastMs: number): Extent => ({
  first,
  next,
  count: count + more,
  lastMs,
});

/** Moves the beginning of a partition up to `first`; returns how many blobs nobody needs any more. */
export function removeBefore(
  tables: LmdbTables,
  list: 'events' | 'contradicted',
  partition: number,
  first: number,
): { readonly removed: number; readonly removedBlobs: number } {
  const extent = tables.extent(list, partition);
  const range = { start: [partition, extent.first], end: [partition, first] };
  const removed = [...tables[list].getRange(range)];
  let removedBlobs = 0;
  for (const { key, value } of removed) {
    const event = decodeChangeEvent(storedEvent(value).encoded);
    if (list === 'events') removedBlobs += removeEvent(tables, event, key);
    else removeContradicted(tables, event, key);
  }
  const count = extent.count - removed.length;
  tables.setExtent(list, partition, { ...extent, first, next: Math.max(first, extent.next), count });
  return { removed: removed.length, removedBlobs };
}

function removeEvent(tables: LmdbTables, event: ChangeEvent, place: Place): number {
  const change = keyOf(event.changeId);
  tables.events.removeSync(place);
  tables.eventIds.removeSync(keyOf(event.eventId));
  tables.revisions.removeSync(change, [event.revision, ...place]);
  if (!tables.revisions.doesExist(change)) {
    const sighting = tables.changes.get(change);
    if (sighting !== undefined) tables.sightings.removeSync(sighting);
    tables.changes.removeSync(change);
  }
  let removedBlobs = 0;
  for (const sha256 of blobsOf(event)) removedBlobs += releaseBlob(tables, sha256, place);
  return removedBlobs;
}

function removeContradicted(tables: LmdbTables, { eventId }: ChangeEvent, place: Place): void {
  tables.contradicted.removeSync(place);
  tables.contradictedIds.removeSync(keyOf(eventId));
}

/** Returns 1 where nobody needs the blob any more and it is gone, else 0. */
function releaseBlob(tables: LmdbTables, sha256: string, user: BlobUser): number {
  const key = Buffer.from(sha256, 'hex');
  tables.blobUsers.removeSync(key, user);
  if (tables.blobUsers.doesExist(key)) return 0;
  return tables.blobs.removeSync(key) ? 1 : 0;
}
