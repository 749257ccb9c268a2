import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isAfter, ReorderBuffer } from '../../src/sequences/reorder.js';
import { isTick, type FrameRef, type Tick } from '../../src/records/index.js';
import { refOf } from '../../fixtures/stage.js';

interface Item {
  readonly ref: FrameRef;
}

const item = (eventTimeMs: number, index: number): Item => ({ ref: { ...refOf(index), eventTimeMs } });
const tick = (eventTimeMs: number): Tick => ({ type: 'tick', source: 'stage', eventTimeMs, elapsedMs: eventTimeMs });
const key = (one: Item | Tick): string =>
  isTick(one) ? `${one.eventTimeMs}/tick` : `${one.ref.eventTimeMs}/${one.ref.index}`;
const sorted = (items: readonly Item[]): Item[] => [...items].sort((a, b) => (isAfter(a.ref, b.ref) ? 1 : -1));

function through(items: readonly Item[], latenessMs: number): { ready: Item[]; late: Item[]; mostWaiting: number } {
  const buffer = new ReorderBuffer<Item>(latenessMs);
  const ready: Item[] = [];
  const late: Item[] = [];
  let mostWaiting = 0;
  for (const one of items) {
    const out = buffer.push(one);
    ready.push(...out.ready);
    late.push(...out.late);
    mostWaiting = Math.max(mostWaiting, buffer.waiting.length);
  }
  ready.push(...buffer.end().ready);
  expect(buffer.waiting).toEqual([]);
  return { ready, late, mostWaiting };
}

/** Items in order, indexes by arrival aside: some share a time. */
const series = () =>
  fc
    .array(fc.integer({ min: 0, max: 60 }), { maxLength: 40 })
    .map((steps) =>
      steps.reduce<Item[]>((all, step, i) => [...all, item((all.at(-1)?.ref.eventTimeMs ?? 0) + step, i)], []),
    );

describe('reorder buffer', () => {
  it('gives the same as sorted for any order of arrival within the bound', () => {
    fc.assert(
      fc.property(
        series(),
        fc.array(fc.double({ min: 0, max: 0.99, noNaN: true }), { minLength: 40, maxLength: 40 }),
        (items, delays) => {
          // Each arrives less than the bound after its event time, so none comes later than the bound behind another.
          const latenessMs = 100;
          const arrival = new Map(items.map((one, i) => [one, one.ref.eventTimeMs + latenessMs * delays[i]]));
          const arrived = [...items].sort((a, b) => (arrival.get(a) ?? 0) - (arrival.get(b) ?? 0));
          const { ready, late } = through(arrived, latenessMs);
          expect(late).toEqual([]);
          expect(ready.map(key)).toEqual(items.map(key));
        },
      ),
    );
  });

  it('loses nothing: in any order each comes out once, in order or as late, and late only what is', () => {
    fc.assert(
      fc.property(
        series().chain((items) => fc.shuffledSubarray(items, { minLength: items.length })),
        fc.integer({ min: 0, max: 300 }),
        (arrived, latenessMs) => {
          const { ready, late } = through(arrived, latenessMs);
          expect(ready.map(key)).toEqual(sorted(ready).map(key));
          expect([...ready, ...late].map(key).sort()).toEqual(arrived.map(key).sort());
          for (const one of late) {
            const before = arrived.slice(0, arrived.indexOf(one));
            const latest = Math.max(...before.map(({ ref }) => ref.eventTimeMs));
            expect(one.ref.eventTimeMs).toBeLessThanOrEqual(latest - latenessMs);
          }
        },
      ),
    );
  });

  it('passes what comes in order at once where no lateness is allowed, equal times included', () => {
    const buffer = new ReorderBuffer<Item | Tick>(0);
    for (const one of [item(0, 0), item(5, 1), item(5, 2), item(9, 3)]) {
      expect(buffer.push(one)).toEqual({ ready: [one], late: [] });
    }
  });

  it('reports as late what a frame of the same time should have followed', () => {
    const buffer = new ReorderBuffer<Item | Tick>(0);
    buffer.push(item(5, 2));
    expect(buffer.push(item(5, 1)).late.map(key)).toEqual(['5/1']);
  });

  it('lets go by time alone', () => {
    const buffer = new ReorderBuffer<Item | Tick>(100);
    expect(buffer.push(item(50, 0)).ready).toEqual([]);
    expect(buffer.push(tick(149)).ready).toEqual([]);
    expect(buffer.push(tick(150)).ready.map(key)).toEqual(['50/0']);
    expect(buffer.push(item(40, 1)).late.map(key)).toEqual(['40/1']);
  });

  it('waits for nothing where there is no signal: a gap lets everything before it go, and follows', () => {
    const buffer = new ReorderBuffer<Item | Tick>(100);
    buffer.push(item(60, 1));
    buffer.push(item(50, 0));
    const gap = { ...tick(61), gap: { sinceMs: 60, reason: 'nobody pushed', over: false } };
    expect(buffer.push(gap).ready.map(key)).toEqual(['50/0', '60/1', '61/tick']);
    // In order behind it they wait as before.
    expect(buffer.push(item(80, 3)).ready).toEqual([]);
    expect(buffer.push(item(70, 2)).ready).toEqual([]);
    expect(buffer.end().ready.map(key)).toEqual(['70/2', '80/3']);
  });
});
