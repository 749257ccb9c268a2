import { describe, expect, it } from 'vitest';
import { killPoints } from '../../src/records/kill-points.js';
import { differenceOf } from '../chaos/comparison.js';
import { drawFaults } from '../chaos/faults.js';

describe('what chaos counts', () => {
  const expected = ['a', 'b', 'c'];
  it.each([
    ['the same', ['a', 'b', 'c'], 0, 0],
    ['one lost', ['a', 'c'], 1, 0],
    ['one twice', ['a', 'b', 'b', 'c'], 0, 1],
    ['one with other content', ['a', 'B', 'c'], 1, 1],
    ['one that was never expected', ['a', 'b', 'c', 'd'], 0, 1],
    ['two that changed places', ['b', 'a', 'c'], 2, 2],
    ['nothing', [], 3, 0],
  ])('%s', (_, found, lost, duplicated) => {
    expect(differenceOf(expected, found)).toMatchObject({ lost, duplicated });
  });
});

describe('the faults of a chaos run', () => {
  it('are the same for the same seed, and hit each point in its turn', () => {
    expect(drawFaults(7, 200, 240)).toEqual(drawFaults(7, 200, 240));
    expect(drawFaults(7, 200, 240)).not.toEqual(drawFaults(8, 200, 240));
    for (const point of killPoints) {
      expect(drawFaults(7, 200, 240).filter(({ at }) => at === point)).toHaveLength(25);
      expect(drawFaults(7, 7, 240).filter(({ at }) => at === point)).toHaveLength(1);
    }
  });
});
