import type { Retention } from './index.js';
import type { LmdbTables, Place } from './lmdb-tables.js';
import { removeBefore, storedEvent } from './lmdb-writes.js';

type Kept = 'events' | 'contradicted';

/**
 * For each partition that loses some, the offset before which retention keeps nothing: of the earliest over all
 * partitions, `limit` at most.
 */
export function expired(
  tables: LmdbTables,
  list: Kept,
  partitions: number,
  { maxEvents = Infinity, maxAgeMs = Infinity }: Retention,
  nowMs: number,
  limit = Infinity,
): { readonly count: number; readonly firsts: ReadonlyMap<number, number> } {
  const firsts = new Map<number, number>();
  const all = Array.from({ length: partitions }, (_, partition) => partition);
  const total = all.reduce((sum, partition) => sum + tables.extent(list, partition).count, 0);
  let count = 0;
  for (const { place, committedMs } of inOrderOfTime(tables, list, all)) {
    if (count === limit || (total - count <= maxEvents && nowMs - committedMs <= maxAgeMs)) break;
    const [partition, offset] = place;
    firsts.set(partition, offset + 1);
    count += 1;
  }
  return { count, firsts };
}

/** Removes what the embedded log need not keep: of events and of contradicted claims, `limit` at most of each. */
export function pruneSome(
  tables: LmdbTables,
  retention: Retention,
  nowMs: number,
  limit: number,
): { readonly removedEvents: number; readonly removedBlobs: number; readonly more: boolean } {
  const events = expired(tables, 'events', 1, retention, nowMs, limit);
  const claims = expired(tables, 'contradicted', 1, retention, nowMs, limit);
  let removedBlobs = 0;
  for (const [partition, first] of events.firsts) {
    removedBlobs += removeBefore(tables, 'events', partition, first).removedBlobs;
  }
  for (const [partition, first] of claims.firsts) removeBefore(tables, 'contradicted', partition, first);
  return { removedEvents: events.count, removedBlobs, more: events.count === limit || claims.count === limit };
}

interface Timed {
  readonly place: Place;
  readonly committedMs: number;
}

/** A partition is in order of time already: the earliest of their heads comes next. */
function* inOrderOfTime(tables: LmdbTables, list: Kept, partitions: readonly number[]): Generator<Timed> {
  const heads = partitions.flatMap((partition) => {
    const rest = timesOf(tables, list, partition);
    const head = rest.next();
    return head.done ? [] : [{ head: head.value, rest }];
  });
  try {
    while (heads.length > 0) {
      let earliest = 0;
      for (const [i, { head }] of heads.entries())
        if (head.committedMs < heads[earliest].head.committedMs) earliest = i;
      yield heads[earliest].head;
      const next = heads[earliest].rest.next();
      if (next.done) heads.splice(earliest, 1);
      else heads[earliest].head = next.value;
    }
  } finally {
    for (const { rest } of heads) rest.return(undefined);
  }
}

function* timesOf(tables: LmdbTables, list: Kept, partition: number): Generator<Timed, undefined> {
  for (const { key, value } of tables[list].getRange({ start: [partition, 0], end: [partition + 1, 0] })) {
    yield { place: key, committedMs: storedEvent(value).committedMs };
  }
}
