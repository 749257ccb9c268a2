import { randomUUID } from 'node:crypto';
import { realpath } from 'node:fs/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { decodeChangeEvent } from '../records/convert/change.js';
import { makeFolder } from '../records/files.js';
import { BlinkstreamError, type ChangeEvent, type Checkpoint } from '../records/index.js';
import { decodeCheckpoint, encodeCommit, isSha256 } from './commit.js';
import { CursorCodec } from './cursor.js';
import { changeUnknown, logClosed } from './errors.js';
import { everything, passes } from './filter.js';
import { Growth } from './growth.js';
import type { BlobStore, ChangeLog, Commit, Cursor, EventFilter, LogEntry, ReadFrom, Retention } from './index.js';
import { keyOf } from './keys.js';
import { LmdbTables, openFailed } from './lmdb-tables.js';
import { appendCommit, blobFrom, pruneSome, storedEvent } from './lmdb-writes.js';
import { isRunning, thisProcess } from './owner.js';
import { promised } from './promised.js';
import { readEvents, type Bounds, type EventPartitions, type StoredEvent } from './reader.js';

export interface LmdbLogOptions {
  /** A folder on a local disk; made if it is not there. */
  readonly path: string;
  /** What `prune` keeps; everything without it. */
  readonly retention?: Retention;
  /** Beside the one writer, in other processes; the log must be there. */
  readonly readOnly?: boolean;
}

/** A log that another process writes is looked at this often for more. */
const pollMs = 50;
/** One turn's worth of a listing, and of pruning, which holds up commits meanwhile. */
const stepEvents = 256;

/** Logs that this process writes now: the record of the owner cannot tell an opening that is over from one that is not. */
const writtenHere = new Set<string>();

/**
 * The log in an embedded LMDB store: one partition, one writing process, any number of reading ones.
 * A commit is one transaction that is synced to the disk before it is seen by anyone.
 * @throws BlinkstreamError `LOG_IN_USE`, `LOG_NOT_FOUND`, `LOG_DAMAGED`, `LOG_FORMAT`, `LOG_OPEN_FAILED` (user),
 *   `LOG_FULL` (resource)
 */
export async function openLmdbLog({ path, retention = {}, readOnly = false }: LmdbLogOptions): Promise<ChangeLog> {
  if (readOnly) return withTables(path, true, (tables) => new LmdbLog(tables, undefined, retention));
  const place = await folder(path);
  if (writtenHere.has(place)) throw inUse(path, process.pid);
  writtenHere.add(place);
  const leave = (): void => void writtenHere.delete(place);
  try {
    return await withTables(path, false, (tables) => {
      tables.initialise();
      tables.identity();
      const token = takeOwnership(tables);
      return new LmdbLog(tables, { token, leave }, retention);
    });
  } catch (thrown) {
    leave();
    throw thrown;
  }
}

/** Does not leave the tables open where the log cannot be opened. */
async function withTables(path: string, readOnly: boolean, use: (tables: LmdbTables) => ChangeLog): Promise<ChangeLog> {
  const tables = await LmdbTables.open(path, readOnly);
  try {
    return use(tables);
  } catch (thrown) {
    await tables.close();
    throw thrown;
  }
}

async function folder(path: string): Promise<string> {
  try {
    await makeFolder(path);
    return await realpath(path);
  } catch (cause) {
    throw openFailed(path, cause);
  }
}

/** LMDB lets one process at a time into a write transaction, so that of two that start together one sees the other. */
function takeOwnership(tables: LmdbTables): string {
  const token = randomUUID();
  tables.transact(() => {
    const { owner } = tables;
    // An owner with our own id is over: an earlier opening of this process, or a process whose id was given to us.
    if (owner !== undefined && owner.pid !== process.pid && isRunning(owner)) throw inUse(tables.path, owner.pid);
    tables.owner = thisProcess(token);
  });
  return token;
}

const inUse = (path: string, pid: number): BlinkstreamError =>
  new BlinkstreamError(`log ${path} is in use by process ${pid}${pid === process.pid ? ', this one' : ''}`, {
    code: 'LOG_IN_USE',
    class: 'user',
    stage: 'log',
    hint: 'Wait until it ends or stop it, or use another folder.',
  });

/** How this opening is known as the log's writer. */
interface Ownership {
  readonly token: string;
  readonly leave: () => void;
}

class LmdbLog implements ChangeLog, EventPartitions {
  readonly epoch: string;
  readonly #codec: CursorCodec;
  readonly #growth = new Growth();
  #closed = false;

  constructor(
    readonly tables: LmdbTables,
    readonly ownership: Ownership | undefined,
    readonly retention: Retention,
  ) {
    const { epoch, secret } = tables.identity();
    this.epoch = epoch;
    this.#codec = new CursorCodec(epoch, secret, 1);
  }

  commit(step: Commit): Promise<{ readonly appended: number }> {
    return promised(() => {
      const encoded = encodeCommit(step);
      const appended = this.#write(() => appendCommit(this.#tables, encoded, Date.now()));
      this.#growth.notify();
      return { appended };
    });
  }

  checkpoint(key: string): Promise<Checkpoint | undefined> {
    return promised(() => {
      const bytes = this.#tables.checkpoints.get(keyOf(key));
      return bytes && decodeCheckpoint(key, bytes);
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
      const revisions = [...this.#tables.revisions.getValues(keyOf(changeId))];
      return revisions.map(([, offset]) => this.#eventAt(offset));
    });
  }

  async changes(options: Parameters<ChangeLog['changes']>[0]): Promise<readonly ChangeEvent[]> {
    const { filter = everything, limit, afterChangeId } = options;
    const found: ChangeEvent[] = [];
    let start = 0;
    if (afterChangeId !== undefined) {
      const after = this.#tables.changes.get(keyOf(afterChangeId));
      if (after === undefined) throw changeUnknown(afterChangeId);
      start = after + 1;
    }
    for (;;) {
      const sightings = [...this.#tables.sightings.getRange({ start, limit: stepEvents })];
      for (const { key, value: change } of sightings) {
        start = key + 1;
        const [last] = [...this.#tables.revisions.getValues(change, { reverse: true, limit: 1 })];
        const event = this.#eventAt(last[1]);
        if (passes(event, filter)) found.push(event);
        if (found.length >= limit) return found;
      }
      if (sightings.length < stepEvents) return found;
      await nextTurn();
    }
  }

  contradicted({ limit, afterEventId }: Parameters<ChangeLog['contradicted']>[0]): Promise<readonly ChangeEvent[]> {
    return promised(() => {
      const after = afterEventId === undefined ? -1 : this.#tables.contradictedIds.get(keyOf(afterEventId));
      if (after === undefined) throw changeUnknown(afterEventId ?? '');
      const claims = this.#tables.contradicted.getRange({ start: after + 1, limit });
      return [...claims].map(({ value }) => decodeChangeEvent(storedEvent(value).encoded));
    });
  }

  readonly blobs: BlobStore = {
    get: (sha256) =>
      promised(() => {
        const stored = isSha256(sha256) ? this.#tables.blobs.get(Buffer.from(sha256, 'hex')) : undefined;
        return stored && blobFrom(sha256, stored);
      }),
    has: (sha256) => promised(() => isSha256(sha256) && this.#tables.blobs.doesExist(Buffer.from(sha256, 'hex'))),
  };

  async prune(nowMs: number): Promise<{ readonly removedEvents: number; readonly removedBlobs: number }> {
    let removedEvents = 0;
    let removedBlobs = 0;
    for (;;) {
      const step = this.#write(() => pruneSome(this.#tables, this.retention, nowMs, stepEvents));
      removedEvents += step.removedEvents;
      removedBlobs += step.removedBlobs;
      if (!step.more) return { removedEvents, removedBlobs };
      await nextTurn();
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#growth.notify();
    try {
      if (this.ownership !== undefined) this.#giveUpOwnership(this.ownership);
    } finally {
      await this.tables.close();
    }
  }

  bounds(): Bounds {
    const tables = this.#tables;
    if (this.ownership === undefined) tables.refresh();
    const { first, next } = tables.extent;
    return { first: [first], next: [next] };
  }

  scan(_partition: number, offset: number, limit: number): readonly StoredEvent[] {
    const events = this.#tables.events.getRange({ start: offset, limit });
    return [...events.map(({ key, value }) => ({ offset: key, encoded: storedEvent(value).encoded }))];
  }

  async grown([next]: readonly number[], timeoutMs: number, signal: AbortSignal): Promise<void> {
    const end = performance.now() + timeoutMs;
    for (let leftMs = timeoutMs; leftMs > 0 && !signal.aborted; leftMs = end - performance.now()) {
      if (this.bounds().next[0] > next) return;
      await this.#growth.wait(this.ownership === undefined ? Math.min(pollMs, leftMs) : leftMs, signal);
    }
  }

  /** @throws BlinkstreamError `LOG_CLOSED` (internal): LMDB itself would crash */
  get #tables(): LmdbTables {
    if (this.#closed) throw logClosed();
    return this.tables;
  }

  #eventAt(offset: number): ChangeEvent {
    const stored = this.#tables.events.get(offset);
    if (stored === undefined) throw new Error(`event ${offset} is in an index of log ${this.tables.path} only`);
    return decodeChangeEvent(storedEvent(stored).encoded);
  }

  /** One transaction, of the owner only: who was taken for dead and replaced finds out here, before it writes. */
  #write<T>(write: () => T): T {
    const { ownership } = this;
    const tables = this.#tables;
    if (ownership === undefined) {
      throw new BlinkstreamError(`log ${tables.path} was opened for reading only`, {
        code: 'LOG_READ_ONLY',
        class: 'internal',
        stage: 'log',
      });
    }
    return tables.transact(() => {
      const { owner } = tables;
      if (owner?.token !== ownership.token) throw inUse(tables.path, owner?.pid ?? 0);
      return write();
    });
  }

  #giveUpOwnership({ token, leave }: Ownership): void {
    try {
      this.tables.transact(() => {
        if (this.tables.owner?.token === token) this.tables.owner = undefined;
      });
    } finally {
      leave();
    }
  }
}
