import { setImmediate as nextTurn } from 'node:timers/promises';
import { cursorAhead, cursorExpired, type CursorCodec } from './cursor.js';
import { eventEntry } from './entry.js';
import { everything, facetsOf, passes } from './filter.js';
import type { LogEntry, ReadFrom } from './index.js';

export interface StoredEvent {
  readonly offset: number;
  readonly encoded: Uint8Array;
}

/** For each partition, the offset of the earliest that may still be there and of the next that will be appended. */
export interface Bounds {
  readonly first: readonly number[];
  readonly next: readonly number[];
}

/** What a driver gives so that its events can be read. Offsets ascend in a partition and may have gaps. */
export interface EventPartitions {
  /** `bounds` and a `scan` in the same turn see the same log. @throws BlinkstreamError `LOG_CLOSED` (internal) */
  bounds(): Bounds;
  /** Events of one partition from `offset` on, ascending, `limit` at most. */
  scan(partition: number, offset: number, limit: number): readonly StoredEvent[];
  /** Until there may be events at or after `next`, the log is closed, the signal aborts, or for `timeoutMs` at most. */
  grown(next: readonly number[], timeoutMs: number, signal: AbortSignal): Promise<void>;
}

/** Read ahead for one reader, whatever its pace. */
const scanEvents = 64;
const defaultProgressEveryMs = 5_000;

/**
 * `ChangeLog.read` over the partitions of any driver. A partition is read in order and partitions take turns, so that
 * the order of each source holds where a source has one partition.
 */
export async function* readEvents(
  partitions: EventPartitions,
  codec: CursorCodec,
  from: ReadFrom,
): AsyncGenerator<LogEntry, void, undefined> {
  const { filter = everything, untilEnd = false, progressEveryMs = defaultProgressEveryMs, signal } = from;
  const wantsAll = [filter.sources, filter.kinds, filter.topologies].every((list) => list.length === 0);
  const cursorOf = codec.encoder(filter);
  const positions = startingPositions(partitions.bounds(), codec, from);
  from.onBehind?.(() => partitions.bounds().next.reduce((sum, next, i) => sum + Math.max(0, next - positions[i]), 0));
  let lastEntryMs = performance.now();
  /** An entry was given since the end was last reached, or it never was: the reader is to be told of it at once. */
  let endIsNews = true;
  const progressIsDue = (): boolean => performance.now() - lastEntryMs >= progressEveryMs;
  const progress = (caughtUp: boolean): LogEntry => {
    lastEntryMs = performance.now();
    return { type: 'progress', cursor: cursorOf(positions), caughtUp };
  };

  while (!signal.aborted) {
    let scanned = 0;
    for (const partition of positions.keys()) {
      const events = nextOf(partitions, partition, positions);
      scanned += events.length;
      for (const { offset, encoded } of events) {
        positions[partition] = offset + 1;
        if (!wantsAll && !passes(facetsOf(encoded), filter)) continue;
        yield eventEntry(cursorOf(positions), encoded);
        if (signal.aborted) return;
        lastEntryMs = performance.now();
        endIsNews = true;
      }
    }
    if (scanned > 0) {
      // A long stretch that the filter hides must neither hold up the process nor leave the reader without a bookmark.
      if (progressIsDue()) yield progress(false);
      await nextTurn();
      continue;
    }
    const { next } = partitions.bounds();
    if (!reached(next, positions)) continue;
    if (endIsNews || progressIsDue()) {
      endIsNews = false;
      yield progress(true);
    }
    if (untilEnd || signal.aborted) return;
    await partitions.grown(next, Math.max(0, progressEveryMs - (performance.now() - lastEntryMs)), signal);
  }
}

/** @throws BlinkstreamError `CURSOR_INVALID` (user) */
function startingPositions({ first, next }: Bounds, codec: CursorCodec, from: ReadFrom): number[] {
  if (from.cursor === undefined) return [...(from.start === 'latest' ? next : first)];
  const positions = codec.decode(from.cursor, from.filter ?? everything);
  positions.forEach((position, i) => {
    if (position > next[i]) throw cursorAhead(position, next[i]);
  });
  return positions;
}

/**
 * The next events of one partition; moves its position over a gap at its end.
 * @throws BlinkstreamError `CURSOR_EXPIRED` (user) where pruning has overtaken the reader: never a silent skip
 */
function nextOf(partitions: EventPartitions, partition: number, positions: number[]): readonly StoredEvent[] {
  const { first, next } = partitions.bounds();
  if (positions[partition] < first[partition]) throw cursorExpired(positions[partition], first[partition]);
  if (positions[partition] >= next[partition]) return [];
  const events = partitions.scan(partition, positions[partition], scanEvents);
  if (events.length === 0) positions[partition] = next[partition];
  return events;
}

const reached = (next: readonly number[], positions: readonly number[]): boolean =>
  positions.every((position, i) => position >= next[i]);
