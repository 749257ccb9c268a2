import { setImmediate as nextTurn } from 'node:timers/promises';
import { decodeChangeEvent } from '../records/convert/change.js';
import type { BlinkstreamError, ChangeEvent, Checkpoint } from '../records/index.js';
import { decodeCheckpoint, isSha256 } from './commit.js';
import { CursorCodec } from './cursor.js';
import { changeUnknown } from './errors.js';
import { everything, passes } from './filter.js';
import { Growth } from './growth.js';
import type { BlobStore, ChangeLog, Cursor, EventFilter, LogEntry, ReadFrom } from './index.js';
import { keyOf } from './keys.js';
import type { LmdbTables, LogIdentity } from './lmdb-tables.js';
import { blobFrom, storedEvent } from './lmdb-writes.js';
import { promised } from './promised.js';
import { readEvents, type Bounds, type EventPartitions, type StoredEvent } from './reader.js';

/** What another process writes is looked at this often for more. */
const pollMs = 50;
/** One turn's worth of a listing. */
const stepEvents = 256;

/** The reading half of a log that is kept in LMDB, or of which an index is: all partitions of it. */
export class LmdbReading implements EventPartitions {
  readonly codec: CursorCodec;
  readonly #growth = new Growth();
  readonly #partitions: readonly number[];
  #end: BlinkstreamError | undefined;

  /** `writtenHere`: this process writes the tables and says so by `grew`, else they are looked at for more. */
  constructor(
    private readonly open: LmdbTables,
    identity: LogIdentity,
    private readonly writtenHere: boolean,
  ) {
    this.codec = new CursorCodec(identity.epoch, identity.secret, identity.partitions);
    this.#partitions = Array.from({ length: identity.partitions }, (_, partition) => partition);
  }

  /** Wakes who waits for more. */
  grew(): void {
    this.#growth.notify();
  }

  /** Every call from here on throws this, and so does every wait. The first end counts. */
  end(error: BlinkstreamError): void {
    this.#end ??= error;
    this.#growth.notify();
  }

  /** @throws BlinkstreamError what it ended with: a closed LMDB would crash the process */
  get tables(): LmdbTables {
    if (this.#end !== undefined) throw this.#end;
    return this.open;
  }

  checkpoint(key: string): Promise<Checkpoint | undefined> {
    return promised(() => {
      const bytes = this.tables.checkpoints.get(keyOf(key));
      return bytes && decodeCheckpoint(key, bytes);
    });
  }

  read(from: ReadFrom): AsyncIterable<LogEntry> {
    return readEvents(this, this.codec, from);
  }

  earliest(filter: EventFilter = everything): Promise<Cursor> {
    return promised(() => this.codec.encoder(filter)(this.bounds().first));
  }

  change(changeId: string): Promise<readonly ChangeEvent[]> {
    return promised(() => {
      const revisions = [...this.tables.revisions.getValues(keyOf(changeId))];
      return revisions.map(([, ...place]) => this.#eventAt(place));
    });
  }

  async changes(options: Parameters<ChangeLog['changes']>[0]): Promise<readonly ChangeEvent[]> {
    const { filter = everything, limit, afterChangeId } = options;
    const found: ChangeEvent[] = [];
    let start: [number, number, number] = [0, 0, 0];
    if (afterChangeId !== undefined) {
      const after = this.tables.changes.get(keyOf(afterChangeId));
      if (after === undefined) throw changeUnknown(afterChangeId);
      start = following(after);
    }
    for (;;) {
      const sightings = [...this.tables.sightings.getRange({ start, limit: stepEvents })];
      for (const { key, value: change } of sightings) {
        start = following(key);
        const [[, ...place]] = [...this.tables.revisions.getValues(change, { reverse: true, limit: 1 })];
        const event = this.#eventAt(place);
        if (passes(event, filter)) found.push(event);
        if (found.length >= limit) return found;
      }
      if (sightings.length < stepEvents) return found;
      await nextTurn();
    }
  }

  contradicted({ limit, afterEventId }: Parameters<ChangeLog['contradicted']>[0]): Promise<readonly ChangeEvent[]> {
    return promised(() => {
      const after = afterEventId === undefined ? [0, -1] : this.tables.contradictedIds.get(keyOf(afterEventId));
      if (after === undefined) throw changeUnknown(afterEventId ?? '');
      const claims = this.tables.contradicted.getRange({ start: [after[0], after[1] + 1], limit });
      return [...claims].map(({ value }) => decodeChangeEvent(storedEvent(value).encoded));
    });
  }

  readonly blobs: BlobStore = {
    get: (sha256) =>
      promised(() => {
        const stored = isSha256(sha256) ? this.tables.blobs.get(Buffer.from(sha256, 'hex')) : undefined;
        return stored && blobFrom(sha256, stored);
      }),
    has: (sha256) => promised(() => isSha256(sha256) && this.tables.blobs.doesExist(Buffer.from(sha256, 'hex'))),
  };

  bounds(): Bounds {
    const { tables } = this;
    if (!this.writtenHere) tables.refresh();
    const extents = this.#partitions.map((partition) => tables.extent('events', partition));
    return { first: extents.map(({ first }) => first), next: extents.map(({ next }) => next) };
  }

  scan(partition: number, offset: number, limit: number): readonly StoredEvent[] {
    const events = this.tables.events.getRange({ start: [partition, offset], end: [partition + 1, 0], limit });
    return [...events.map(({ key, value }) => ({ offset: key[1], encoded: storedEvent(value).encoded }))];
  }

  async grown(next: readonly number[], timeoutMs: number, signal: AbortSignal): Promise<void> {
    const end = performance.now() + timeoutMs;
    for (let leftMs = timeoutMs; leftMs > 0 && !signal.aborted; leftMs = end - performance.now()) {
      if (this.bounds().next.some((offset, i) => offset > next[i])) return;
      await this.#growth.wait(this.writtenHere ? leftMs : Math.min(pollMs, leftMs), signal);
    }
  }

  /** Until `holds`, which is asked again whenever there is more. @throws the signal's reason; what `holds` throws */
  async until(holds: () => boolean, signal: AbortSignal): Promise<void> {
    while (!holds()) {
      signal.throwIfAborted();
      await this.#growth.wait(maxWaitMs, signal);
    }
  }

  #eventAt(place: [number, number]): ChangeEvent {
    const stored = this.tables.events.get(place);
    if (stored === undefined) throw new Error(`event ${place.join('/')} is in an index of log ${this.open.path} only`);
    return decodeChangeEvent(storedEvent(stored).encoded);
  }
}

const maxWaitMs = 60_000;

const following = ([ms, partition, offset]: [number, number, number]): [number, number, number] => [
  ms,
  partition,
  offset + 1,
];
