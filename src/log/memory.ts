import { randomBytes, randomUUID } from 'node:crypto';
import { decodeChangeEvent } from '../records/convert/change.js';
import type { Blob, ChangeEvent, Checkpoint } from '../records/index.js';
import { blobsOf, decodeCheckpoint, encodeCommit, type EncodedCommit, type EncodedEvent } from './commit.js';
import { CursorCodec } from './cursor.js';
import { changeUnknown, logClosed } from './errors.js';
import { everything, passes } from './filter.js';
import { Growth } from './growth.js';
import type { BlobStore, ChangeLog, Commit, Cursor, EventFilter, LogEntry, ReadFrom, Retention } from './index.js';
import { keyOf } from './keys.js';
import { promised } from './promised.js';
import { readEvents, type Bounds, type EventPartitions, type StoredEvent } from './reader.js';

export interface MemoryLogOptions {
  /** From 1; the events of one source are all in one of them. */
  readonly partitions: number;
  readonly retention?: Retention;
}

interface KeptEvent extends EncodedEvent, StoredEvent {
  readonly committedMs: number;
  readonly partition: number;
}

/**
 * The log without a disk, for tests: what is promised of a log holds, but that it survives the process.
 * Like a Kafka topic it has partitions, and offsets with a gap after each commit.
 */
export const memoryLog = (options: MemoryLogOptions): ChangeLog => new MemoryLog(options);

class MemoryLog implements ChangeLog, EventPartitions {
  readonly epoch = randomUUID();
  readonly #codec: CursorCodec;
  readonly #growth = new Growth();
  readonly #retention: Retention;
  readonly #first: number[];
  readonly #next: number[];
  /** In order of commit, over all partitions. */
  readonly #events: KeptEvent[] = [];
  readonly #eventIds = new Set<string>();
  readonly #contradicted: { readonly event: ChangeEvent; readonly committedMs: number }[] = [];
  /** In order of first sight. */
  readonly #changes = new Map<string, KeptEvent[]>();
  readonly #checkpoints = new Map<string, { readonly bytes: Buffer; readonly blobs: ReadonlySet<string> }>();
  readonly #blobs = new Map<string, Blob>();
  #closed = false;

  constructor({ partitions, retention = {} }: MemoryLogOptions) {
    this.#retention = retention;
    this.#codec = new CursorCodec(this.epoch, randomBytes(32), partitions);
    this.#first = new Array<number>(partitions).fill(0);
    this.#next = new Array<number>(partitions).fill(0);
  }

  commit(step: Commit): Promise<{ readonly appended: number }> {
    return promised(() => {
      this.#checkOpen();
      const appended = this.#append(encodeCommit(step), Date.now());
      this.#growth.notify();
      return { appended };
    });
  }

  checkpoint(key: string): Promise<Checkpoint | undefined> {
    return promised(() => {
      this.#checkOpen();
      const stored = this.#checkpoints.get(key);
      return stored && decodeCheckpoint(key, stored.bytes);
    });
  }

  read(from: ReadFrom): AsyncIterable<LogEntry> {
    return readEvents(this, this.#codec, from);
  }

  earliest(filter: EventFilter = everything): Promise<Cursor> {
    return promised(() => this.#codec.encoder(filter)(this.bounds().first));
  }

  change(changeId: string): Promise<readonly ChangeEvent[]> {
    return promised(() => {
      this.#checkOpen();
      return byRevision(this.#changes.get(changeId) ?? []).map(({ event }) => event);
    });
  }

  changes(options: Parameters<ChangeLog['changes']>[0]): Promise<readonly ChangeEvent[]> {
    return promised(() => {
      this.#checkOpen();
      const { filter = everything, limit, afterChangeId } = options;
      const ids = [...this.#changes.keys()];
      const after = afterChangeId === undefined ? -1 : ids.indexOf(afterChangeId);
      if (after < 0 && afterChangeId !== undefined) throw changeUnknown(afterChangeId);
      const last = [...this.#changes.values()].slice(after + 1).map((events) => byRevision(events)[events.length - 1]);
      return last
        .map(({ event }) => event)
        .filter((event) => passes(event, filter))
        .slice(0, limit);
    });
  }

  contradicted({ limit, afterEventId }: Parameters<ChangeLog['contradicted']>[0]): Promise<readonly ChangeEvent[]> {
    return promised(() => {
      this.#checkOpen();
      const claims = this.#contradicted.map(({ event }) => event);
      const after = claims.findIndex(({ eventId }) => eventId === afterEventId);
      if (after < 0 && afterEventId !== undefined) throw changeUnknown(afterEventId);
      return claims.slice(after + 1, after + 1 + limit);
    });
  }

  readonly blobs: BlobStore = {
    get: (sha256) => promised(() => (this.#checkOpen(), this.#blobs.get(sha256))),
    has: (sha256) => promised(() => (this.#checkOpen(), this.#blobs.has(sha256))),
  };

  probe(): Promise<void> {
    return promised(() => this.#checkOpen());
  }

  prune(nowMs: number): Promise<{ readonly removedEvents: number; readonly removedBlobs: number }> {
    return promised(() => {
      this.#checkOpen();
      const removed = this.#removeOld(this.#events, nowMs);
      this.#removeOld(this.#contradicted, nowMs);
      for (const event of removed) this.#forget(event);
      return { removedEvents: removed.length, removedBlobs: this.#sweepBlobs() };
    });
  }

  close(): Promise<void> {
    this.#closed = true;
    this.#growth.notify();
    return Promise.resolve();
  }

  bounds(): Bounds {
    this.#checkOpen();
    return { first: [...this.#first], next: [...this.#next] };
  }

  scan(partition: number, offset: number, limit: number): readonly StoredEvent[] {
    const found: StoredEvent[] = [];
    for (const event of this.#events) {
      if (event.partition === partition && event.offset >= offset && found.push(event) === limit) break;
    }
    return found;
  }

  async grown(next: readonly number[], timeoutMs: number, signal: AbortSignal): Promise<void> {
    if (this.bounds().next.some((offset, i) => offset > next[i])) return;
    await this.#growth.wait(timeoutMs, signal);
  }

  /** What retention does not keep of a list in order of commit. */
  #removeOld<T extends { readonly committedMs: number }>(list: T[], nowMs: number): T[] {
    const { maxEvents = Infinity, maxAgeMs = Infinity } = this.#retention;
    const keepFrom = list.findIndex(
      ({ committedMs }, i) => list.length - i <= maxEvents && nowMs - committedMs <= maxAgeMs,
    );
    return list.splice(0, keepFrom < 0 ? list.length : keepFrom);
  }

  #append({ key, events, contradicted, checkpoint, blobs, needs }: EncodedCommit, committedMs: number): number {
    let appended = 0;
    const touched = new Set<number>();
    for (const { encoded } of events) {
      const event = decodeChangeEvent(encoded);
      if (this.#eventIds.has(event.eventId)) continue;
      const partition = keyOf(event.source).readUInt32BE() % this.#next.length;
      const kept = { event, encoded, committedMs, partition, offset: this.#next[partition]++ };
      touched.add(partition);
      this.#events.push(kept);
      this.#eventIds.add(event.eventId);
      const change = this.#changes.get(event.changeId);
      if (change === undefined) this.#changes.set(event.changeId, [kept]);
      else change.push(kept);
      appended += 1;
    }
    for (const { encoded } of contradicted) {
      const event = decodeChangeEvent(encoded);
      const known = this.#contradicted.some((claim) => claim.event.eventId === event.eventId);
      if (!known) this.#contradicted.push({ event, committedMs });
    }
    // The gap: Kafka has a transaction's end there.
    for (const partition of touched) this.#next[partition] += 1;
    for (const blob of blobs) {
      if (!this.#blobs.has(blob.sha256)) this.#blobs.set(blob.sha256, { ...blob, bytes: blob.bytes.slice() });
    }
    this.#checkpoints.set(key, { bytes: checkpoint, blobs: needs });
    this.#sweepBlobs();
    return appended;
  }

  #forget(event: KeptEvent): void {
    const { changeId, eventId } = event.event;
    this.#first[event.partition] = event.offset + 1;
    this.#eventIds.delete(eventId);
    const change = this.#changes.get(changeId) ?? [];
    change.splice(change.indexOf(event), 1);
    if (change.length === 0) this.#changes.delete(changeId);
  }

  /** Removes what neither a kept event nor the last checkpoint of any key needs. */
  #sweepBlobs(): number {
    if (this.#blobs.size === 0) return 0;
    const needed = new Set<string>();
    for (const { event } of this.#events) for (const sha256 of blobsOf(event)) needed.add(sha256);
    for (const { blobs } of this.#checkpoints.values()) for (const sha256 of blobs) needed.add(sha256);
    const unneeded = [...this.#blobs.keys()].filter((sha256) => !needed.has(sha256));
    for (const sha256 of unneeded) this.#blobs.delete(sha256);
    return unneeded.length;
  }

  #checkOpen(): void {
    if (this.#closed) throw logClosed();
  }
}

const byRevision = (events: readonly KeptEvent[]): KeptEvent[] =>
  [...events].sort((a, b) => a.event.revision - b.event.revision || a.offset - b.offset);
