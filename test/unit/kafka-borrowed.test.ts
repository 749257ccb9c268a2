import fc from 'fast-check';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Borrowed } from '../../src/sources/kafka/borrowed.js';

const pieceBytes = 10_000;

/** A fetch of so many pieces, each filled with its number. */
function fetchOf(pieces: number): Uint8Array[] {
  const fetch = new Uint8Array(pieces * pieceBytes);
  return Array.from({ length: pieces }, (_, n) => fetch.subarray(n * pieceBytes, (n + 1) * pieceBytes).fill(n % 251));
}

/** Bytes of all the memory that these hold on to. */
const pinnedBytes = (held: Iterable<Borrowed>): number =>
  [...new Set([...held].map(({ bytes }) => bytes.buffer))].reduce((sum, { byteLength }) => sum + byteLength, 0);

describe('bytes borrowed from a fetch', () => {
  it('are slices of it for as long as half of it is in use', async () => {
    const pieces = fetchOf(4);
    const all = pieces.map((piece) => Borrowed.of(piece));
    await turn();
    all[0].release();
    all[3].release();
    await turn();
    expect(all[1].bytes.buffer).toBe(pieces[1].buffer);
    all[1].release();
    await turn();
    expect(all[2].bytes.buffer).not.toBe(pieces[2].buffer);
    expect(Buffer.compare(all[2].bytes, pieces[2])).toBe(0);
    // And once more, when it does not matter any more.
    all[2].release();
    all[2].release();
  });

  it('are copied out of a fetch of which most was for nobody', async () => {
    const pieces = fetchOf(8);
    const few = pieces.slice(0, 3).map((piece) => Borrowed.of(piece));
    for (const [i, one] of few.entries()) expect(one.bytes.buffer).toBe(pieces[i].buffer);
    await turn();
    expect(pinnedBytes(few)).toBe(3 * pieceBytes);
  });

  it('are copied at once where they are few', () => {
    const key = new Uint8Array(1_000_000).subarray(500, 540).fill(7);
    const borrowed = Borrowed.of(key);
    expect(Buffer.compare(borrowed.bytes, key)).toBe(0);
    expect(borrowed.bytes.buffer.byteLength).toBe(40);
    borrowed.release();
  });

  it('never pin more than twice of what is in use, in whatever order they are released, and stay the same', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 5 }),
        fc.infiniteStream(fc.nat()),
        async (fetches, choices) => {
          const held = new Map<Borrowed, number>();
          for (const pieces of fetches) {
            for (const [n, piece] of fetchOf(pieces).entries()) held.set(Borrowed.of(piece), n % 251);
          }
          await turn();
          while (held.size > 0) {
            const [released] = [...held.keys()].splice(choices.next().value % held.size, 1);
            released.release();
            held.delete(released);
            await turn();
            expect(pinnedBytes(held.keys())).toBeLessThanOrEqual(2 * held.size * pieceBytes);
            for (const [{ bytes }, n] of held) {
              expect(bytes.byteLength).toBe(pieceBytes);
              expect(bytes[0]).toBe(n);
              expect(bytes[pieceBytes - 1]).toBe(n);
            }
          }
        },
      ),
    );
  });
});
