import { describe, expect, it } from 'vitest';
import { counterparts } from '../../src/changes/counterparts.js';
import type { ChangeEvent, Region } from '../../src/records/index.js';

interface Told {
  readonly source?: string;
  readonly kind?: ChangeEvent['kind'];
  readonly condition?: ChangeEvent['condition'];
  readonly ms?: readonly [number, number];
  readonly before?: Region;
  readonly after?: Region;
}

const box = (x: number, width = 100): Region => ({ x, y: 0, width, height: 100 });
const side = (name: 'before' | 'after', region: Region | undefined) => (region ? { [name]: { region } } : {});

/** One revision of a change; only what is looked at. */
const told = ({ source = 'yard', kind = 'APPEARED', condition, ms = [0, 1_000], before, after }: Told): ChangeEvent => {
  const point = (timeMs: number) => ({ frame: 0, timeMs, elapsedMs: timeMs });
  return {
    source,
    kind,
    ...(condition && { condition }),
    interval: { first: point(ms[0]), last: point(ms[1]) },
    ...side('before', before),
    ...side('after', after),
  } as unknown as ChangeEvent;
};

const same = (one: readonly Told[], other: readonly Told[]): boolean =>
  counterparts([one.map(told)], [other.map(told)]).both.length === 1;

describe('a change that is told twice', () => {
  it.each<[string, Told[], Told[]]>([
    ['in the same words', [{ after: box(0) }], [{ after: box(0) }]],
    ['a little to the side', [{ after: box(0) }], [{ after: box(40) }]],
    ['a moment later', [{ ms: [0, 1_000], after: box(0) }], [{ ms: [1_900, 3_000], after: box(0) }]],
    ['without a place', [{ kind: 'CONDITION', condition: 'LIGHTING' }], [{ kind: 'CONDITION', condition: 'LIGHTING' }]],
    ['by what it replaced', [{ before: box(0), after: box(500) }], [{ before: box(0), after: box(700) }]],
    ['and went on in one of them', [{ after: box(0) }, { ms: [9_000, 9_000], after: box(300) }], [{ after: box(0) }]],
    ['and is alike at its end alone', [{ after: box(300, 5) }, { after: box(300) }], [{ after: box(300) }]],
  ])('is known: %s', (_, one, other) => {
    expect(same(one, other)).toBe(true);
    expect(same(other, one)).toBe(true);
  });

  it.each<[string, Told, Told]>([
    ['of another camera', { after: box(0) }, { after: box(0), source: 'gate' }],
    ['of another kind', { after: box(0) }, { after: box(0), kind: 'MOVED' }],
    ['of another cause', { kind: 'CONDITION', condition: 'LIGHTING' }, { kind: 'CONDITION', condition: 'SHADOW' }],
    ['elsewhere', { after: box(0) }, { after: box(60) }],
    ['at another time', { after: box(0) }, { after: box(0), ms: [2_001, 3_000] }],
    ['with a place and without', { after: box(0) }, {}],
  ])('is another one: %s', (_, one, other) => {
    expect(same([one], [other])).toBe(false);
    expect(same([other], [one])).toBe(false);
  });

  it('has one counterpart, the one that is most alike, and what is left is told apart', () => {
    const [near, nearer, far] = [10, 5, 400].map((x) => [told({ after: box(x) })]);
    const [again, other] = [0, 900].map((x) => [told({ after: box(x) })]);
    expect(counterparts([near, nearer, far], [again, other])).toEqual({
      both: [{ one: nearer, other: again }],
      onlyOne: [near, far],
      onlyOther: [other],
    });
    expect(counterparts([], [])).toEqual({ both: [], onlyOne: [], onlyOther: [] });
  });
});
