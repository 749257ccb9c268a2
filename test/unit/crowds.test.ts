import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { crowdsOf, isCountChanged, mayBeCrowd } from '../../src/evidence/crowds.js';
import type { DetectedObject } from '../../src/records/index.js';
import { box, thing } from '../support/scenes.js';

/** So many people in a row that begins at `x`, an arm's length between them. */
const people = (count: number, x = 10, label = 'person'): DetectedObject[] =>
  Array.from({ length: count }, (_, i) => thing(label, box(x + i * 30, 80, 20, 50)));

describe('a crowd', () => {
  it('is three or more of one living kind, close together; bottles on a shelf and people far apart are none', () => {
    expect(crowdsOf([people(3)], [people(3)])).toHaveLength(1);
    expect(crowdsOf([people(2)], [people(2)])).toEqual([]);
    expect(crowdsOf([people(5, 10, 'bottle')], [people(5, 10, 'bottle')])).toEqual([]);
    const apart = [10, 110, 210].map((x) => thing('person', box(x, 80, 20, 50)));
    expect(crowdsOf([apart], [apart])).toEqual([]);
    expect(mayBeCrowd([...people(2), ...people(2, 200, 'dog')])).toBe(false);
  });

  it('of two places is two', () => {
    const both = [...people(3), ...people(4, 190)];
    expect(crowdsOf([both], [both]).map(({ before }) => before.count)).toEqual([3, 4]);
  });

  it('is counted over several pictures, by the median of each side', () => {
    const [crowd] = crowdsOf([people(3), people(4), people(4)], [people(7), people(6), people(6), people(6)]);
    expect(crowd.before).toMatchObject({ count: 4, least: 3, most: 4, region: box(10, 80, 110, 50) });
    expect(crowd.after).toMatchObject({ count: 6, least: 6, most: 7 });
    expect(crowd.members.before).toHaveLength(4);
    expect(isCountChanged(crowd)).toBe(true);
  });

  it('has not changed in number while the counts before and after overlap', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 3, max: 9 }), { minLength: 1, maxLength: 5 }),
        fc.array(fc.integer({ min: 3, max: 9 }), { minLength: 1, maxLength: 5 }),
        (before, after) => {
          const [crowd] = crowdsOf(
            before.map((n) => people(n)),
            after.map((n) => people(n)),
          );
          const apart = Math.min(...before) > Math.max(...after) || Math.max(...before) < Math.min(...after);
          expect(isCountChanged(crowd)).toBe(apart);
        },
      ),
    );
  });

  it('that is gone, or has come, has a number on one side', () => {
    const [gone] = crowdsOf([people(4)], [[]]);
    expect(gone.after).toEqual({ count: 0, least: 0, most: 0 });
    const [come] = crowdsOf([[]], [people(4)]);
    expect(come.before.count).toBe(0);
  });
});
