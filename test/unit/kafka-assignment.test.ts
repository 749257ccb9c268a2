import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { assignSticky, type Member } from '../../src/sources/kafka/assignment.js';

const members = fc
  .array(fc.dictionary(fc.integer({ min: 0, max: 14 }).map(String), fc.integer({ min: 0, max: 5 })), {
    minLength: 1,
    maxLength: 7,
  })
  .map((claims): Member[] =>
    claims.map((owned, i) => ({
      id: `member-${i}`,
      owned: new Map(Object.entries(owned).map(([partition, sinceMs]) => [Number(partition), sinceMs])),
    })),
  );
const partitions = fc.integer({ min: 0, max: 12 }).map((count) => Array.from({ length: count }, (_, i) => i));

/** Who holds what by the later claim, of the partitions that there are. */
function heldBy(all: readonly number[], group: readonly Member[]): Map<string, number[]> {
  const held = new Map<string, number[]>(group.map(({ id }) => [id, []]));
  for (const partition of all) {
    const claims = group
      .filter(({ owned }) => owned.has(partition))
      .sort((a, b) => (b.owned.get(partition) ?? 0) - (a.owned.get(partition) ?? 0) || (a.id < b.id ? -1 : 1));
    if (claims.length > 0) held.get(claims[0].id)?.push(partition);
  }
  return held;
}

describe('assignSticky', () => {
  test('gives each partition to one member, in equal shares', () => {
    fc.assert(
      fc.property(partitions, members, (all, group) => {
        const shares = [...assignSticky(all, group).values()];
        expect(shares.flat().sort((a, b) => a - b)).toEqual(all);
        const sizes = shares.map((share) => share.length);
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
      }),
    );
  });

  test('lets stay as many as equal shares allow', () => {
    fc.assert(
      fc.property(partitions, members, (all, group) => {
        const held = heldBy(all, group);
        const assigned = assignSticky(all, group);
        let stayed = 0;
        for (const [id, own] of held) stayed += own.filter((p) => assigned.get(id)?.includes(p)).length;
        const least = Math.floor(all.length / group.length);
        const owned = [...held.values()].map((own) => own.length);
        const most = owned.reduce((sum, n) => sum + Math.min(n, least), 0);
        const larger = Math.min(all.length % group.length, owned.filter((n) => n > least).length);
        expect(stayed).toBe(most + larger);
      }),
    );
  });

  test('does not depend on the order of members', () => {
    fc.assert(
      fc.property(partitions, members, fc.infiniteStream(fc.nat()), (all, group, order) => {
        const shuffled = group
          .map((member) => ({ member, at: order.next().value as number }))
          .sort((a, b) => a.at - b.at)
          .map(({ member }) => member);
        expect(assignSticky(all, shuffled)).toEqual(assignSticky(all, group));
      }),
    );
  });

  test('one that joins takes only its share, one that leaves disturbs nobody', () => {
    const own = (id: string, ...held: number[]): Member => ({ id, owned: new Map(held.map((p) => [p, 1])) });
    const joined = assignSticky([0, 1, 2, 3, 4, 5], [own('a', 0, 1, 2), own('b', 3, 4, 5), own('c')]);
    expect(joined).toEqual(
      new Map([
        ['a', [0, 1]],
        ['b', [3, 4]],
        ['c', [2, 5]],
      ]),
    );
    const left = assignSticky([0, 1, 2, 3, 4, 5], [own('a', 0, 1), own('b', 3, 4)]);
    expect(left).toEqual(
      new Map([
        ['a', [0, 1, 2]],
        ['b', [3, 4, 5]],
      ]),
    );
  });
});
