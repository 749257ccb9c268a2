import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CursorCodec } from '../../src/log/cursor.js';
import { facetsOf } from '../../src/log/filter.js';
import type { EventFilter } from '../../src/log/index.js';
import { encodeChangeEvent } from '../../src/records/convert/change.js';
import { changeKinds } from '../../src/records/index.js';
import { changeEvent } from '../support/arbitraries.js';

const filters = (): fc.Arbitrary<EventFilter> =>
  fc.record({
    sources: fc.array(fc.string(), { maxLength: 3 }),
    kinds: fc.subarray([...changeKinds]),
    topologies: fc.array(fc.string(), { maxLength: 3 }),
  });
const vectors = (): fc.Arbitrary<number[]> => fc.array(fc.maxSafeNat(), { minLength: 1, maxLength: 5 });
const codecOf = (partitions: number, epoch = 'epoch', secret = randomBytes(32)): CursorCodec =>
  new CursorCodec(epoch, secret, partitions);
const invalid = (words: string): unknown =>
  expect.objectContaining({ code: 'CURSOR_INVALID', class: 'user', message: expect.stringContaining(words) as string });

describe('cursor', () => {
  it('gives back what it was made of', () => {
    fc.assert(
      fc.property(filters(), vectors(), (filter, offsets) => {
        const codec = codecOf(offsets.length);
        expect(codec.decode(codec.encoder(filter)(offsets), filter)).toEqual(offsets);
      }),
    );
  });

  it('is refused with any bit flipped, any byte cut off or added', () => {
    fc.assert(
      fc.property(filters(), vectors(), fc.nat(), (filter, offsets, at) => {
        const codec = codecOf(offsets.length);
        const cursor = codec.encoder(filter)(offsets);
        const flipped = Buffer.from(cursor);
        flipped[(at >> 3) % flipped.length] ^= 1 << (at & 7);
        for (const forged of [flipped, cursor.subarray(0, at % cursor.length), Buffer.concat([cursor, Buffer.of(0)])]) {
          expect(() => codec.decode(forged, filter)).toThrow(invalid('cursor'));
        }
      }),
    );
  });

  it('is refused in other hands, and says whose it is', () => {
    const everything: EventFilter = { sources: [], kinds: [], topologies: [] };
    const cursor = codecOf(2).encoder(everything)([1, 2]);
    expect(() => codecOf(2, 'another').decode(cursor, everything)).toThrow(invalid('of another log'));
    expect(() => codecOf(2).decode(cursor, everything)).toThrow(invalid('damaged or forged'));
    expect(() => codecOf(1).decode(cursor, everything)).toThrow(invalid('not one that this version'));
  });

  it('is of one filter: words in another list, or run together, are another', () => {
    const codec = codecOf(1);
    const cursor = codec.encoder({ sources: ['a', 'b'], kinds: [], topologies: [] })([7]);
    for (const other of [
      { sources: ['ab'], kinds: [], topologies: [] },
      { sources: [], kinds: [], topologies: ['a', 'b'] },
      { sources: ['a'], kinds: [], topologies: ['b'] },
      { sources: ['a,b'], kinds: [], topologies: [] },
    ]) {
      expect(() => codec.decode(cursor, other)).toThrow(invalid('another filter'));
    }
    expect(codec.decode(cursor, { sources: ['b', 'a', 'b'], kinds: [], topologies: [] })).toEqual([7]);
  });
});

describe('what a filter looks at', () => {
  it('is read from an encoded event without decoding the rest', () => {
    fc.assert(
      fc.property(changeEvent(), (event) => {
        const { topology, source, kind } = event;
        expect(facetsOf(encodeChangeEvent(event))).toEqual({ topology, source, kind });
      }),
    );
  });
});
