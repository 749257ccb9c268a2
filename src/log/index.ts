import type { Blob, ChangeEvent, Checkpoint } from '../records/index.js';

/** One atomic step: all of it is durable, or none. */
export interface Commit {
  /** Owner of the checkpoint: topology and source. Commits of one key are made one after the other. */
  readonly key: string;
  readonly events: readonly ChangeEvent[];
  /**
   * Claims that verification contradicted, each in the shape of the event that it would have been. They are kept for
   * `ChangeLog.contradicted`, without pictures, and are no events: no reader is given them, no change is made of them.
   */
  readonly contradicted: readonly ChangeEvent[];
  readonly checkpoint: Checkpoint;
  /**
   * Evidence pictures and keyframes that the events and the checkpoint name. Each is stored once, and stays while a kept
   * event names it, or until the next commit of this key comes without it: what a checkpoint needs is given every time.
   */
  readonly blobs: readonly Blob[];
  /** SHA-256 of pictures that stay as if they were given again: the commit before, of this key, gave or kept them. */
  readonly keeps?: readonly string[];
}

/** Which events a reader wants. An empty list lets everything through. */
export interface EventFilter {
  readonly sources: readonly string[];
  readonly kinds: readonly ChangeEvent['kind'][];
  readonly topologies: readonly string[];
}

/** Opaque to everyone but `log/cursor.ts`: epoch, filter hash and a vector of partition offsets. */
export type Cursor = Uint8Array;

export type LogEntry =
  | {
      readonly type: 'event';
      readonly cursor: Cursor;
      /** Decoded when first looked at (`entry.ts`), so that outputs which pass bytes on need not pay for it. */
      readonly event: ChangeEvent;
      /** The stored `blinkstream.v1.ChangeEvent`, proto encoded. */
      readonly encoded: Uint8Array;
    }
  | { readonly type: 'progress'; readonly cursor: Cursor; readonly caughtUp: boolean };

export interface ReadFrom {
  /** Resume after this; else from `start`. */
  readonly cursor?: Cursor;
  readonly start?: 'earliest' | 'latest';
  readonly filter?: EventFilter;
  /** End at the log's end instead of waiting for more. */
  readonly untilEnd?: boolean;
  /** Give a progress entry after this long without an event; default 5,000 ms. */
  readonly progressEveryMs?: number;
  /**
   * Called once, as reading begins, with a way to ask how many events the log holds after the last one given: at most,
   * as those that the filter hides count, and so do gaps.
   */
  readonly onBehind?: (behind: () => number) => void;
  readonly signal: AbortSignal;
}

/**
 * What is kept: events older than either bound go, with the blobs that nothing names any more, and so do contradicted
 * claims, which are counted on their own.
 */
export interface Retention {
  readonly maxEvents?: number;
  readonly maxAgeMs?: number;
}

export interface BlobStore {
  get(sha256: string): Promise<Blob | undefined>;
  has(sha256: string): Promise<boolean>;
}

/** What a pipeline needs of a log: where its steps become durable, and where it goes on from. */
export interface Committer {
  /**
   * Makes the step durable, or nothing of it.
   * An event whose id the log holds already is left out (the first write wins), so a repeated commit is harmless; the
   * same goes for contradicted claims among themselves.
   * @throws BlinkstreamError `LOG_FULL` (resource) on a full disk, `PROTO_INVALID` (data), `BLOB_MISMATCH` and
   *   `CHECKPOINT_INVALID` (internal) where the step itself is wrong, `LOG_IN_USE` (user) once another writer took over
   */
  commit(step: Commit): Promise<{ readonly appended: number }>;
  /** The last checkpoint committed under `key`. */
  checkpoint(key: string): Promise<Checkpoint | undefined>;
  readonly blobs: BlobStore;
}

/** The only truth that outputs read. Drivers: `lmdb.ts` (embedded), `memory.ts` (tests, several partitions). */
export interface ChangeLog extends Committer {
  /** Changes when the log is made anew; cursors of another epoch are refused. */
  readonly epoch: string;
  /**
   * Entries after the cursor, in order for each source, then live. Pulled: nothing is buffered for a slow reader.
   * On reaching the log's end there is a progress entry at once, with `start: 'latest'` before anything else, so that a
   * reader that is cut off before its first event has a cursor to go on from. Ends quietly when the signal aborts.
   * @throws BlinkstreamError `CURSOR_INVALID` (user), `CURSOR_EXPIRED` (user; its message names the earliest kept)
   */
  read(from: ReadFrom): AsyncIterable<LogEntry>;
  /** The cursor before the earliest event that is still kept. */
  earliest(filter?: EventFilter): Promise<Cursor>;
  /** Every kept event of a change, by revision; empty where there is none. */
  change(changeId: string): Promise<readonly ChangeEvent[]>;
  /**
   * The last revision of each kept change in order of first sight, after `afterChangeId`.
   * @throws BlinkstreamError `CHANGE_UNKNOWN` (user) where that change is not kept
   */
  changes(options: {
    readonly filter?: EventFilter;
    readonly limit: number;
    readonly afterChangeId?: string;
  }): Promise<readonly ChangeEvent[]>;
  /**
   * The contradicted claims that are kept, in order of commit, after that with the id `afterEventId`.
   * @throws BlinkstreamError `CHANGE_UNKNOWN` (user) where that claim is not kept
   */
  contradicted(options: { readonly limit: number; readonly afterEventId?: string }): Promise<readonly ChangeEvent[]>;
  /** Whether it can be written. @throws BlinkstreamError what a commit would throw now */
  probe(): Promise<void>;
  /** Applies the retention given at opening; events removed. */
  prune(nowMs: number): Promise<{ readonly removedEvents: number; readonly removedBlobs: number }>;
  /** Whoever still reads is told `LOG_CLOSED` (internal), and so is every later call. */
  close(): Promise<void>;
}
