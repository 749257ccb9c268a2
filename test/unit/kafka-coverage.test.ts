import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Coverage, type CoveredTo } from '../../src/sources/kafka/coverage.js';

const sources = ['a', 'b', 'c'] as const;
type Source = (typeof sources)[number];
const source = fc.constantFrom(...sources);

/** What happens to a partition. `at`: which of the source's messages so far a checkpoint names. */
type Happening =
  | { readonly type: 'message'; readonly source: Source; readonly gap: number }
  | { readonly type: 'control'; readonly gap: number }
  | { readonly type: 'commit'; readonly source: Source; readonly at: number; readonly after: boolean };

const happenings: fc.Arbitrary<Happening[]> = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: fc.record({ type: fc.constant('message' as const), source, gap: fc.nat(3) }) },
    { weight: 1, arbitrary: fc.record({ type: fc.constant('control' as const), gap: fc.nat(3) }) },
    {
      weight: 4,
      arbitrary: fc.record({ type: fc.constant('commit' as const), source, at: fc.nat(30), after: fc.boolean() }),
    },
  ),
  { maxLength: 60 },
);

/** The definition, without any cleverness: every message ever taken, and the furthest that each source committed. */
class Model {
  readonly taken: { source: Source; offset: bigint }[] = [];
  readonly covered = new Map<Source, CoveredTo>();
  next: bigint;

  constructor(start: bigint) {
    this.next = start;
  }

  safe(covered: ReadonlyMap<string, CoveredTo> = this.covered): bigint {
    const open = this.taken.filter(({ source, offset }) => {
      const to = covered.get(source);
      return to === undefined || offset > to.offset || (offset === to.offset && !to.after);
    });
    return open.reduce((least, { offset }) => (offset < least ? offset : least), this.next);
  }
}

describe('Coverage', () => {
  test('is safe up to the first message that no checkpoint covers, and never goes back', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 62n }), happenings, (start, all) => {
        const coverage = new Coverage(start);
        const model = new Model(start);
        let before = start;
        for (const happening of all) {
          if (happening.type === 'message') {
            const offset = model.next + BigInt(happening.gap);
            model.taken.push({ source: happening.source, offset });
            model.next = offset + 1n;
            coverage.take(happening.source, offset);
          } else if (happening.type === 'control') {
            model.next += BigInt(happening.gap);
            coverage.pass(model.next);
          } else {
            const own = model.taken.filter((message) => message.source === happening.source);
            const named = own.at(happening.at % Math.max(1, own.length));
            const last = model.covered.get(happening.source);
            // Checkpoints of one source go forward.
            if (named === undefined || (last !== undefined && named.offset <= last.offset)) continue;
            const to = { offset: named.offset, after: happening.after };
            const also = new Map<string, CoveredTo>([...model.covered, [happening.source, to]]);
            expect(coverage.safeOffset(new Map([[happening.source, to]]))).toBe(model.safe(also));
            // Asking is not committing.
            expect(coverage.safeOffset()).toBe(model.safe());
            model.covered.set(happening.source, to);
            coverage.cover(happening.source, to);
          }
          expect(coverage.safeOffset()).toBe(model.safe());
          expect(coverage.safeOffset()).toBeGreaterThanOrEqual(before);
          before = coverage.safeOffset();
        }
      }),
      { numRuns: 500 },
    );
  });

  test('a source that is covered whole holds nothing back, and holds again from its next message', () => {
    const coverage = new Coverage(10n);
    coverage.take('quiet', 10n);
    coverage.take('busy', 11n);
    coverage.cover('quiet', { offset: 10n, after: true });
    coverage.cover('busy', { offset: 11n, after: true });
    for (let offset = 12n; offset < 1_000n; offset++) {
      coverage.take('busy', offset);
      coverage.cover('busy', { offset, after: true });
    }
    expect(coverage.safeOffset()).toBe(1_000n);
    coverage.take('quiet', 1_000n);
    coverage.pass(2_000n);
    expect(coverage.safeOffset()).toBe(1_000n);
  });

  test('a source that is read again holds from where it is read', () => {
    const coverage = new Coverage(0n);
    for (let offset = 0n; offset < 6n; offset++) coverage.take(offset % 2n === 0n ? 'a' : 'b', offset);
    coverage.cover('a', { offset: 4n, after: false });
    expect(coverage.firstOpen('b')).toBe(1n);
    coverage.rewind('b', 1n);
    expect([coverage.next, coverage.safeOffset()]).toEqual([1n, 1n]);
    coverage.take('b', 1n);
    coverage.pass(6n);
    coverage.cover('b', { offset: 1n, after: true });
    expect(coverage.safeOffset()).toBe(4n);
  });
});
