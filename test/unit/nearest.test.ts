import { expect, test } from 'vitest';
import { nearest } from '../../src/records/nearest.js';

const kinds = ['APPEARED', 'DISAPPEARED', 'MOVED', 'RESIZED'];

test.each([
  ['apeared', 'APPEARED'],
  ['DISAPPEARD', 'DISAPPEARED'],
  ['mvoed', 'MOVED'],
  ['reszied', 'RESIZED'],
])('%s was meant to be %s', (word, meant) => {
  expect(nearest(word, kinds)).toBe(meant);
});

test('nothing is near to another word', () => {
  expect(nearest('banana', kinds)).toBeUndefined();
  expect(nearest('', kinds)).toBeUndefined();
});
