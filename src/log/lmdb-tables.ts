import { randomBytes, randomUUID } from 'node:crypto';
import { statfsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { open, type Database, type Key, type RootDatabase } from 'lmdb';
import { ifThere } from '../records/files.js';
import { BlinkstreamError, messageOf } from '../records/index.js';
import type { LaneState } from './kafka/lane-state.js';
import { isLmdbFile } from './lmdb-header.js';
import type { Owner } from './owner.js';

/** Changes whenever what is stored is laid out in another way. */
const format = 4;
const secretBytes = 32;

/** Partition and offset; offsets ascend in a partition. */
export type Place = [partition: number, offset: number];

/** What a log has partitions of. The embedded log has one partition of each, without gaps between its offsets. */
export type List = 'events' | 'contradicted' | 'checkpoints';

/** Of one partition of a list. */
export interface Extent {
  /** Offset of the earliest that may still be there. */
  readonly first: number;
  readonly next: number;
  readonly count: number;
  /** When the last one was committed. It never goes back, so that times order events as their offsets do. */
  readonly lastMs: number;
}

const nothingYet: Extent = { first: 0, next: 0, count: 0, lastMs: 0 };

/** When and where a change was first seen: orders changes over all partitions. */
export type Sighting = [committedMs: number, partition: number, offset: number];

/** Who needs a blob: an event, or the checkpoint last committed under a key (its hash). */
export type BlobUser = Place | string;

/** What makes a log's cursors its own. */
export interface LogIdentity {
  /** Changes when the log is made anew. */
  readonly epoch: string;
  /** 32 bytes that never leave the log. */
  readonly secret: Uint8Array;
  /** Of its events; fixed for the life of the log. */
  readonly partitions: number;
}

export interface LmdbOptions {
  readonly readOnly?: boolean;
  /** Leave it to the system when to write to the disk: for what can be made anew after a power cut. */
  readonly noSync?: boolean;
}

/**
 * The tables of one log in an LMDB environment, and how a transaction over them is made durable.
 *
 * `overlappingSync` is off: LMDB then writes and syncs the pages of a transaction before the meta page that makes them
 * visible, so that what any reader sees survives a power cut, and a killed process leaves the state before or after a
 * transaction. With it (the default of lmdb-js) a transaction is visible before it is durable. The synchronous kind of
 * transaction is used, though it holds up the event loop for one sync of the disk, because only there can the failure of
 * a commit be handled: after a failed asynchronous one lmdb-js 3.5 leaves a rejected promise that nobody can catch,
 * which would end the process on a full disk.
 */
export class LmdbTables {
  readonly #root: RootDatabase<unknown, string>;
  /** `format`, `epoch`, `secret`, `partitions`, `owner`, `probed`. */
  readonly #meta: Database<unknown, string>;
  readonly #extents: Database<Extent, [List, number]>;
  /** Place → time of its commit (ms, 8 bytes) and the encoded event. */
  readonly events: Database<Buffer, Place>;
  /** Event id → place. */
  readonly eventIds: Database<Place, Buffer>;
  /** Contradicted claims and their ids, as events are; their offsets are their own. */
  readonly contradicted: Database<Buffer, Place>;
  readonly contradictedIds: Database<Place, Buffer>;
  /** Change id → [revision, partition, offset], one for each kept event of the change, in that order. */
  readonly revisions: Database<[number, ...Place], Buffer>;
  /** Change id → when and where it was first seen. */
  readonly changes: Database<Sighting, Buffer>;
  /** When and where a change was first seen → change id. */
  readonly sightings: Database<Buffer, Sighting>;
  readonly checkpoints: Database<Buffer, Buffer>;
  /** Key of a checkpoint → SHA-256 of the blobs that came with it. */
  readonly checkpointBlobs: Database<string[], Buffer>;
  /** SHA-256 → length of the media type (2 bytes), media type, bytes. */
  readonly blobs: Database<Buffer, Buffer>;
  /** SHA-256 → each user of the blob. */
  readonly blobUsers: Database<BlobUser, Buffer>;
  /** Lane of a Kafka log → its state. */
  readonly lanes: Database<LaneState, Buffer>;
  /** Lane of a Kafka log → [SHA-256, pieces], one for each picture of the lane that its topic holds. */
  readonly laneBlobs: Database<[string, number], Buffer>;

  private constructor(
    readonly path: string,
    root: RootDatabase<unknown, string>,
  ) {
    this.#root = root;
    const ids = { keyEncoding: 'binary' } as const;
    const pairs = { ...ids, dupSort: true, encoding: 'ordered-binary' } as const;
    this.#meta = this.#table('meta', {});
    // Before tables are asked for that another format may not have.
    this.#checkFormat();
    this.#extents = this.#table('extents', {});
    this.events = this.#table('events', { encoding: 'binary' });
    this.eventIds = this.#table('eventIds', ids);
    this.contradicted = this.#table('contradicted', { encoding: 'binary' });
    this.contradictedIds = this.#table('contradictedIds', ids);
    this.revisions = this.#table('revisions', pairs);
    this.changes = this.#table('changes', ids);
    this.sightings = this.#table('sightings', { encoding: 'binary' });
    this.checkpoints = this.#table('checkpoints', { ...ids, encoding: 'binary' });
    this.checkpointBlobs = this.#table('checkpointBlobs', ids);
    this.blobs = this.#table('blobs', { ...ids, encoding: 'binary' });
    this.blobUsers = this.#table('blobUsers', pairs);
    this.lanes = this.#table('lanes', ids);
    this.laneBlobs = this.#table('laneBlobs', pairs);
  }

  /**
   * @throws BlinkstreamError `LOG_NOT_FOUND`, `LOG_FORMAT`, `LOG_DAMAGED`, `LOG_OPEN_FAILED` (user), `LOG_FULL`
   *   (resource)
   */
  static async open(path: string, { readOnly = false, noSync = false }: LmdbOptions = {}): Promise<LmdbTables> {
    const file = join(path, 'data.mdb');
    let root: RootDatabase<unknown, string> | undefined;
    try {
      const exists = (await ifThere(stat(file))) !== undefined;
      // LMDB would make the folder of a log that is only to be read.
      if (readOnly && !exists) throw notFound(path);
      if (exists && !isLmdbFile(file)) throw damaged(path, 'not an LMDB store');
      const common = { noSubdir: false, overlappingSync: false, maxDbs: 16 };
      const opened = open<unknown, string>({ path, readOnly, noSync, ...common });
      root = opened;
      // One transaction, so that tables are made with one sync of the disk, and all of them or none.
      return readOnly ? new LmdbTables(path, opened) : opened.transactionSync(() => new LmdbTables(path, opened));
    } catch (thrown) {
      await root?.close();
      throw explained(path, thrown, 'opened');
    }
  }

  #table<V, K extends Key>(name: string, options: object): Database<V, K> {
    // Of a log that is only read and that its writer has not finished making, a table may be missing.
    const table = this.#root.openDB<V, K>({ name, ...options }) as Database<V, K> | undefined;
    if (table === undefined) throw notFound(this.path);
    return table;
  }

  /** Makes the log if it is new. */
  initialise(): void {
    this.transact(() => {
      if (this.#meta.get('format') !== undefined) return;
      this.setIdentity({ epoch: randomUUID(), secret: randomBytes(secretBytes), partitions: 1 });
    });
  }

  /** Inside a transaction. */
  setIdentity(identity: LogIdentity): void {
    for (const [name, value] of Object.entries({ format, ...identity })) this.#meta.putSync(name, value);
  }

  #checkFormat(): void {
    const found = this.#meta.get('format') as number | undefined;
    if (found === undefined || found === format) return;
    throw new BlinkstreamError(`log ${this.path} has format ${found}, this version reads ${format}`, {
      code: 'LOG_FORMAT',
      class: 'user',
      stage: 'log',
      hint: 'Use the version of Blinkstream that wrote it, or another folder.',
    });
  }

  /** Absent before it was set. */
  get identity(): LogIdentity | undefined {
    if (this.#meta.get('format') === undefined) return undefined;
    const [epoch, secret, partitions] = ['epoch', 'secret', 'partitions'].map((name) => this.#meta.get(name));
    return { epoch: epoch as string, secret: secret as Buffer, partitions: partitions as number };
  }

  extent(list: List, partition: number): Extent {
    return this.#extents.get([list, partition]) ?? nothingYet;
  }

  setExtent(list: List, partition: number, extent: Extent): void {
    this.#extents.putSync([list, partition], extent);
  }

  get owner(): Owner | undefined {
    return this.#meta.get('owner') as Owner | undefined;
  }

  set owner(owner: Owner | undefined) {
    if (owner === undefined) this.#meta.removeSync('owner');
    else this.#meta.putSync('owner', owner);
  }

  /** Writes something that nobody reads, inside a transaction. */
  probe(): void {
    this.#meta.putSync('probed', Date.now());
  }

  /** Sees what other processes have committed until now, which is otherwise seen from the next turn on. */
  refresh(): void {
    this.#root.resetReadTxn();
  }

  /**
   * All of what `write` does, on the disk before this returns, or nothing of it.
   * @throws BlinkstreamError `LOG_FULL` (resource), `LOG_DAMAGED` (user); what `write` throws goes through
   */
  transact<T>(write: () => T): T {
    try {
      return this.#root.transactionSync(write);
    } catch (thrown) {
      throw explained(this.path, thrown, 'written');
    }
  }

  /** Forgets everything but who owns it, inside a transaction. */
  clear(): void {
    const { owner } = this;
    const { events, eventIds, contradicted, contradictedIds, revisions, changes, sightings } = this;
    const { checkpoints, checkpointBlobs, blobs, blobUsers, lanes, laneBlobs } = this;
    const lists = [events, eventIds, contradicted, contradictedIds, revisions, changes, sightings];
    for (const table of [...lists, checkpoints, checkpointBlobs, blobs, blobUsers, lanes, laneBlobs]) table.clearSync();
    this.#extents.clearSync();
    this.#meta.clearSync();
    this.owner = owner;
  }

  close(): Promise<void> {
    return this.#root.close();
  }
}

function explained(path: string, thrown: unknown, what: 'opened' | 'written'): unknown {
  if (thrown instanceof BlinkstreamError) return thrown;
  const code = (thrown as { code?: unknown }).code;
  const message = `log ${path} cannot be ${what}: ${messageOf(thrown)}`;
  const common = { stage: 'log', cause: thrown } as const;
  if (typeof code === 'number' && fullCodes.has(code)) {
    return new BlinkstreamError(`${message}, ${freeBytes(path)} bytes free`, {
      ...common,
      code: 'LOG_FULL',
      class: 'resource',
      hint: 'Free space on its disk, or keep less (retention); if there is space, check the disk.',
    });
  }
  if (typeof code === 'number' && damagedCodes.has(code)) return damaged(path, messageOf(thrown), thrown);
  return what === 'opened' ? openFailed(path, thrown) : thrown;
}

const damaged = (path: string, how: string, cause?: unknown): BlinkstreamError =>
  new BlinkstreamError(`log ${path} is damaged: ${how}`, {
    code: 'LOG_DAMAGED',
    class: 'user',
    stage: 'log',
    hint: 'Restore it from a backup, or move it away to begin a new one.',
    cause,
  });

export const openFailed = (path: string, cause: unknown): BlinkstreamError =>
  new BlinkstreamError(`log ${path} cannot be opened: ${messageOf(cause)}`, {
    code: 'LOG_OPEN_FAILED',
    class: 'user',
    stage: 'log',
    hint: 'Check that it is a folder that can be read and written.',
    cause,
  });

export const notFound = (path: string): BlinkstreamError =>
  new BlinkstreamError(`no log in ${path}`, {
    code: 'LOG_NOT_FOUND',
    class: 'user',
    stage: 'log',
    hint: 'Name the folder of a log that was written to.',
  });

/**
 * EIO, EFBIG, ENOSPC, EDQUOT, MDB_MAP_FULL: LMDB tells a write that came out short, as the first on a full disk does,
 * as EIO.
 */
const fullCodes = new Set([5, 27, 28, 122, -30792]);
/** MDB_PAGE_NOTFOUND, MDB_CORRUPTED, MDB_PANIC, MDB_VERSION_MISMATCH, MDB_INVALID. */
const damagedCodes = new Set([-30797, -30796, -30795, -30794, -30793]);

function freeBytes(path: string): number {
  const { bavail, bsize } = statfsSync(path);
  return bavail * bsize;
}
