import { setImmediate as nextTurn } from 'node:timers/promises';
import { BlinkstreamError, type ChangeEvent, type Checkpoint } from '../records/index.js';
import { encodeCommit } from './commit.js';
import { logClosed } from './errors.js';
import type { BlobStore, ChangeLog, Commit, Cursor, EventFilter, LogEntry, ReadFrom, Retention } from './index.js';
import { OwnedTables } from './lmdb-owned.js';
import { LmdbReading } from './lmdb-reading.js';
import { pruneSome } from './lmdb-retention.js';
import { LmdbTables, notFound } from './lmdb-tables.js';
import { appendCommit } from './lmdb-writes.js';
import { promised } from './promised.js';

export interface LmdbLogOptions {
  /** A folder on a local disk; made if it is not there. */
  readonly path: string;
  /** What `prune` keeps; everything without it. */
  readonly retention?: Retention;
  /** Beside the one writer, in other processes; the log must be there. */
  readonly readOnly?: boolean;
}

/** One turn's worth of pruning, which holds up commits meanwhile. */
const stepEvents = 256;

/**
 * The log in an embedded LMDB store: one partition, one writing process, any number of reading ones.
 * A commit is one transaction that is synced to the disk before it is seen by anyone.
 * @throws BlinkstreamError `LOG_IN_USE`, `LOG_NOT_FOUND`, `LOG_DAMAGED`, `LOG_FORMAT`, `LOG_OPEN_FAILED` (user),
 *   `LOG_FULL` (resource)
 */
export async function openLmdbLog({ path, retention = {}, readOnly = false }: LmdbLogOptions): Promise<ChangeLog> {
  const store = readOnly ? await LmdbTables.open(path, { readOnly }) : await OwnedTables.open(path);
  try {
    if (store instanceof OwnedTables) store.tables.initialise();
    return new LmdbLog(store, retention);
  } catch (thrown) {
    await store.close();
    throw thrown;
  }
}

class LmdbLog implements ChangeLog {
  readonly epoch: string;
  readonly #reading: LmdbReading;
  #closed = false;

  /** Without ownership it can only be read. @throws BlinkstreamError `LOG_NOT_FOUND` (user) */
  constructor(
    readonly store: OwnedTables | LmdbTables,
    readonly retention: Retention,
  ) {
    const isOwned = store instanceof OwnedTables;
    const tables = isOwned ? store.tables : store;
    const { identity } = tables;
    if (identity === undefined) throw notFound(tables.path);
    this.epoch = identity.epoch;
    this.#reading = new LmdbReading(tables, identity, isOwned);
  }

  commit(step: Commit): Promise<{ readonly appended: number }> {
    return promised(() => {
      const encoded = encodeCommit(step);
      const appended = this.#write((tables) => appendCommit(tables, encoded, Date.now()));
      this.#reading.grew();
      return { appended };
    });
  }

  checkpoint(key: string): Promise<Checkpoint | undefined> {
    return this.#reading.checkpoint(key);
  }

  read(from: ReadFrom): AsyncIterable<LogEntry> {
    return this.#reading.read(from);
  }

  earliest(filter?: EventFilter): Promise<Cursor> {
    return this.#reading.earliest(filter);
  }

  change(changeId: string): Promise<readonly ChangeEvent[]> {
    return this.#reading.change(changeId);
  }

  changes(options: Parameters<ChangeLog['changes']>[0]): Promise<readonly ChangeEvent[]> {
    return this.#reading.changes(options);
  }

  contradicted(options: Parameters<ChangeLog['contradicted']>[0]): Promise<readonly ChangeEvent[]> {
    return this.#reading.contradicted(options);
  }

  get blobs(): BlobStore {
    return this.#reading.blobs;
  }

  probe(): Promise<void> {
    return promised(() => this.#write((tables) => tables.probe()));
  }

  async prune(nowMs: number): Promise<{ readonly removedEvents: number; readonly removedBlobs: number }> {
    let removedEvents = 0;
    let removedBlobs = 0;
    for (;;) {
      const step = this.#write((tables) => pruneSome(tables, this.retention, nowMs, stepEvents));
      removedEvents += step.removedEvents;
      removedBlobs += step.removedBlobs;
      if (!step.more) return { removedEvents, removedBlobs };
      await nextTurn();
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#reading.end(logClosed());
    await this.store.close();
  }

  #write<T>(write: (tables: LmdbTables) => T): T {
    const { tables } = this.#reading;
    if (this.store instanceof OwnedTables) return this.store.write(() => write(tables));
    throw new BlinkstreamError(`log ${tables.path} was opened for reading only`, {
      code: 'LOG_READ_ONLY',
      class: 'internal',
      stage: 'log',
    });
  }
}
