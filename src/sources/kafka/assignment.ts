/** A member of the group, and what it says it reads now: partition to when it took it over, ms since the epoch. */
export interface Member {
  readonly id: string;
  readonly owned: ReadonlyMap<number, number>;
}

/**
 * Shares partitions among members: each partition once, no member with two more than another, and within that as many
 * as possible stay where they are, so that members who join and leave do not interrupt the others. Depends on nothing
 * but its arguments, whatever their order.
 *
 * Where two members claim a partition, one was shut out for a while and does not know yet: the later claim holds.
 */
export function assignSticky(partitions: readonly number[], members: readonly Member[]): Map<string, number[]> {
  const sorted = [...members].sort((a, b) => (a.id < b.id ? -1 : 1));
  const all = [...new Set(partitions)].sort((a, b) => a - b);
  const kept = new Map<string, number[]>(sorted.map(({ id }) => [id, []]));
  if (sorted.length === 0) return kept;
  const free: number[] = [];
  for (const partition of all) {
    const owner = ownerOf(partition, sorted);
    if (owner === undefined) free.push(partition);
    else kept.get(owner)?.push(partition);
  }
  const least = Math.floor(all.length / sorted.length);
  let larger = all.length % sorted.length;
  // Who has most keeps one more than the least, while there are such shares to give.
  const byOwned = [...kept.values()].sort((a, b) => b.length - a.length);
  for (const own of byOwned) {
    const quota = larger > 0 && own.length > least ? least + 1 : least;
    if (quota > least) larger -= 1;
    free.push(...own.splice(quota));
  }
  for (const own of byOwned) own.push(...free.splice(0, least - own.length));
  for (const own of byOwned) if (own.length === least) own.push(...free.splice(0, 1));
  for (const own of byOwned) own.sort((a, b) => a - b);
  return kept;
}

function ownerOf(partition: number, members: readonly Member[]): string | undefined {
  let latest: { id: string; sinceMs: number } | undefined;
  for (const { id, owned } of members) {
    const sinceMs = owned.get(partition);
    if (sinceMs !== undefined && (latest === undefined || sinceMs > latest.sinceMs)) latest = { id, sinceMs };
  }
  return latest?.id;
}
