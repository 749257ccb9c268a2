import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodePng } from '../../src/pixels/encode.js';
import type { FrameRef } from '../../src/records/index.js';
import { ReorderBuffer } from '../../src/sequences/reorder.js';
import { sliding, tumbling, type TimedState } from '../../src/sequences/windows/timed.js';
import type { ClosedWindow, Window, WindowSpec } from '../../src/sequences/windows/window.js';
import type { Source } from '../../src/sources/index.js';
import { frames } from '../../src/topology/operators/frames.js';
import { gate } from '../../src/topology/operators/gate.js';
import { reason } from '../../src/topology/operators/reason.js';
import { reorder } from '../../src/topology/operators/reorder.js';
import { track } from '../../src/topology/operators/track.js';
import { window } from '../../src/topology/operators/window.js';
import { topology } from '../../src/topology/topology.js';
import { evidenceOf } from '../support/evidence.js';
import { refOf, Stage } from '../../fixtures/stage.js';
import { ArraySource, fakeWorkers, framesOf, tickAt, TopologyTestDriver } from '../support/topology-driver.js';

const FRAME_BYTES = 1_000;
const START_MS = Date.UTC(2031, 4, 6, 7, 8, 9, 123);

const refAt = (index: number, elapsedMs: number): FrameRef => ({
  ...refOf(index),
  elapsedMs,
  eventTimeMs: START_MS + elapsedMs,
});

const feed = (of: Window<TimedState>, refs: readonly FrameRef[]): ClosedWindow[] =>
  refs.flatMap((ref) =>
    of.push({ type: 'frame', ref, bytes: FRAME_BYTES, ...(ref.index % 2 === 0 && { evidence: evidenceOf('a', 1) }) }),
  );
const windowsOf = (spec: WindowSpec<TimedState>, refs: readonly FrameRef[]): ClosedWindow[] => {
  const of = spec.open();
  return [...feed(of, refs), ...of.push({ type: 'end' })];
};
const indexes = ({ frames }: ClosedWindow): number[] => frames.map(({ ref }) => ref.index);

/** Frames in order, some at the same time, with pauses. */
const series = () =>
  fc
    .array(fc.oneof({ weight: 6, arbitrary: fc.integer({ min: 0, max: 400 }) }, fc.integer({ min: 0, max: 30_000 })), {
      minLength: 1,
      maxLength: 60,
    })
    .map((steps) => {
      let elapsedMs = 0;
      return steps.map((step, index) => refAt(index, (elapsedMs += step)));
    });

const specs = () =>
  fc
    .record({ sizeMs: fc.integer({ min: 1, max: 5_000 }), share: fc.double({ min: 0.05, max: 1, noNaN: true }) })
    .map(({ sizeMs, share }) => ({ sizeMs, everyMs: Math.max(1, Math.ceil(sizeMs * share)) }));

describe('tumbling', () => {
  it('puts every frame into exactly one window, by boundaries that only the epoch decides', () => {
    fc.assert(
      fc.property(series(), fc.integer({ min: 1, max: 8_000 }), fc.nat(59), (refs, sizeMs, from) => {
        const windows = windowsOf(tumbling({ sizeMs }), refs);
        expect(windows.flatMap(indexes)).toEqual(refs.map(({ index }) => index));
        const starts = windows.map(({ frames }) => {
          const own = new Set(frames.map(({ ref }) => Math.floor(ref.eventTimeMs / sizeMs)));
          expect(own.size).toBe(1);
          return [...own][0];
        });
        expect(starts).toEqual([...new Set(starts)].sort((a, b) => a - b));
        // Somebody who begins elsewhere in the stream draws the same lines.
        const later = windowsOf(tumbling({ sizeMs }), refs.slice(from));
        expect(later.slice(1).map(indexes)).toEqual(
          later.length > 1 ? windows.slice(1 - later.length).map(indexes) : [],
        );
      }),
    );
  });

  it('closes by time alone, and at the end of the source before its time', () => {
    const of = tumbling({ sizeMs: 1_000 }).open();
    const startMs = Math.ceil(START_MS / 1_000) * 1_000 - START_MS;
    expect(feed(of, [refAt(0, startMs), refAt(1, startMs + 500)])).toEqual([]);
    const tick = (elapsedMs: number) => of.push({ type: 'tick', eventTimeMs: START_MS + elapsedMs, elapsedMs });
    expect(tick(startMs + 999)).toEqual([]);
    const [closed, ...further] = tick(startMs + 1_000);
    expect(further).toEqual([]);
    expect(closed).toMatchObject({ trigger: 'whole', first: { frame: 0 }, last: { frame: 1 }, thinnedFrames: 0 });
    expect(of.kept()).toEqual(new Set());
    expect(tick(startMs + 99_000)).toEqual([]);
    expect(feed(of, [refAt(2, startMs + 99_100)])).toEqual([]);
    expect(of.push({ type: 'end' }).map(indexes)).toEqual([[2]]);
    expect(of.push({ type: 'end' })).toEqual([]);
  });

  it('refuses frames out of order, and sizes that are none', () => {
    const of = tumbling({ sizeMs: 1_000 }).open();
    feed(of, [refAt(0, 0), refAt(1, 5_000)]);
    for (const late of [refAt(2, 4_999), refAt(2, 100)]) {
      expect(() => feed(of, [late])).toThrow(expect.objectContaining({ code: 'FRAMES_OUT_OF_ORDER', class: 'user' }));
    }
    for (const sizeMs of [0, -1, 0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => tumbling({ sizeMs })).toThrow(expect.objectContaining({ code: 'WINDOW_OPTIONS' }));
    }
    expect(() => sliding({ sizeMs: 10, everyMs: 11 })).toThrow(expect.objectContaining({ code: 'WINDOW_OPTIONS' }));
  });
});

describe('sliding', () => {
  it('puts every frame into all windows that are open at its time, each told once and in order', () => {
    fc.assert(
      fc.property(series(), specs(), (refs, { sizeMs, everyMs }) => {
        const expected: number[][] = [];
        const last = Math.floor(refs[refs.length - 1].eventTimeMs / everyMs);
        for (let k = Math.floor((refs[0].eventTimeMs - sizeMs) / everyMs) + 1; k <= last; k++) {
          const own = refs.filter((r) => r.eventTimeMs >= k * everyMs && r.eventTimeMs < k * everyMs + sizeMs);
          if (own.length > 0) expected.push(own.map(({ index }) => index));
        }
        const windows = windowsOf(sliding({ sizeMs, everyMs }), refs);
        expect(windows.map(indexes)).toEqual(expected);
        for (const { first, last, frames } of windows) {
          expect([first.frame, last.frame]).toEqual([frames[0].ref.index, frames[frames.length - 1].ref.index]);
        }
      }),
    );
  });

  it('tells the same whatever the order of arrival within the bound of reorder', () => {
    fc.assert(
      fc.property(
        series(),
        specs(),
        fc.array(fc.double({ min: 0, max: 0.99, noNaN: true }), { minLength: 60, maxLength: 60 }),
        (refs, options, delays) => {
          const latenessMs = 700;
          const arrival = (ref: FrameRef) => ref.eventTimeMs + latenessMs * delays[ref.index];
          const arrived = [...refs].sort((a, b) => arrival(a) - arrival(b));
          const buffer = new ReorderBuffer<{ ref: FrameRef }>(latenessMs);
          const inOrder = [...arrived.flatMap((ref) => buffer.push({ ref }).ready), ...buffer.end().ready];
          const told = (some: readonly FrameRef[]) => windowsOf(sliding(options), some);
          expect(told(inOrder.map(({ ref }) => ref))).toEqual(told(refs));
        },
      ),
    );
  });

  it('goes on from its state after any push as if nothing had been, and does not touch the state it was given', () => {
    const options = fc.tuple(specs(), fc.integer({ min: 2, max: 20 }));
    fc.assert(
      fc.property(series(), options, fc.nat(60), (refs, [sizes, room], at) => {
        const spec = sliding({ ...sizes, maxBytes: room * FRAME_BYTES });
        const first = spec.open();
        feed(first, refs.slice(0, at));
        const state = structuredClone(first.state);
        const untouched = structuredClone(state);
        const second = spec.open(state);
        expect([second.kept(), second.keptPositions()]).toEqual([first.kept(), first.keptPositions()]);
        const rest = (of: Window<TimedState>) => [...feed(of, refs.slice(at)), ...of.push({ type: 'end' })];
        expect(rest(second)).toEqual(rest(first));
        expect(state).toEqual(untouched);
        expect(second.state).toMatchObject({ frames: [], bytes: {} });
      }),
    );
  });

  it('knows how many windows are open: as many as close with the source', () => {
    fc.assert(
      fc.property(series(), specs(), fc.nat(60), (refs, sizes, at) => {
        const of = sliding(sizes).open();
        expect(of.openWindows).toBe(0);
        feed(of, refs.slice(0, at));
        const open = of.openWindows;
        expect(of.push({ type: 'end' })).toHaveLength(open);
        expect(of.openWindows).toBe(0);
      }),
    );
  });

  it('holds no more bytes than it may, thins evenly, and counts what it gave up', () => {
    fc.assert(
      fc.property(series(), specs(), fc.integer({ min: 2, max: 20 }), (refs, sizes, room) => {
        const of = sliding({ ...sizes, maxBytes: room * FRAME_BYTES }).open();
        const check = (windows: readonly ClosedWindow[]) => {
          expect(of.kept().size).toBeLessThanOrEqual(room);
          for (const { frames, thinnedFrames } of windows) {
            expect(thinnedFrames).toBe(frames.filter(({ role }) => role === undefined).length);
          }
        };
        for (const ref of refs) check(feed(of, [ref]));
        check(of.push({ type: 'end' }));
      }),
    );
    const steady = Array.from({ length: 100 }, (_, i) => refAt(i, i * 10));
    const [told] = windowsOf(tumbling({ sizeMs: 3_600_000, maxBytes: 10 * FRAME_BYTES }), steady);
    const kept = told.frames.filter(({ role }) => role === 'whole').map(({ ref }) => ref.index);
    expect(kept).toHaveLength(10);
    expect([kept[0], kept[9]]).toEqual([0, 99]);
    const steps = kept.slice(1).map((index, i) => index - kept[i]);
    expect(Math.max(...steps)).toBeLessThanOrEqual(4 * Math.min(...steps));
    expect(told.thinnedFrames).toBe(90);
  });

  it('goes on without pixels that are lost', () => {
    const of = tumbling({ sizeMs: 3_600_000 }).open();
    feed(of, [refAt(0, 0), refAt(1, 10), refAt(2, 20)]);
    expect(of.push({ type: 'lost', frames: new Set([0, 1]) })).toEqual([]);
    expect(of.kept()).toEqual(new Set([2]));
    const [told] = of.push({ type: 'end' });
    expect(told.frames.map(({ role }) => role)).toEqual([undefined, undefined, 'whole']);
    expect(told.thinnedFrames).toBe(2);
  });
});

describe('windows of time in a topology', () => {
  const pictures = Array.from({ length: 60 }, () => new Stage({ width: 32, height: 24 }).draw());
  const counting = (measured: boolean) =>
    topology('count', ({ source }: { readonly source: Source }) => {
      const given = frames(source).pipe(reorder({ allowedLatenessMs: 0 }));
      const timed = sliding({ sizeMs: 1_000, everyMs: 400 });
      const windows = measured ? given.pipe(gate(), window(timed)) : given.pipe(window(timed));
      return windows.pipe(reason({ question: 'How many?' }), track());
    });

  it.each([true, false])('group frames with a gate before them (%s), with all their pixels', async (measured) => {
    const driver = new TopologyTestDriver({ topology: counting(measured) });
    await driver.run(new ArraySource([...framesOf(pictures), tickAt(4_000)]));
    const { seen } = driver.workers;
    // 2.4 s from event time 1,000 s on, which is a boundary: windows that began before it have fewer.
    expect(seen.map(({ shown }) => shown.length)).toEqual([5, 15, 25, 25, 25, 25, 20, 10]);
    for (const { shown, thinnedFrames } of seen) {
      expect(thinnedFrames).toBe(0);
      for (const one of shown) expect(one).toMatch(/^\d+ whole [0-9a-f]{8}$/);
    }
    expect(seen.map(({ ordinal }) => ordinal)).toEqual(seen.map((_, i) => i));
  });

  it('hand on undecoded originals where nobody decoded them', async () => {
    const forms = new Set<string>();
    const workers = fakeWorkers(({ frames: shown }) => {
      for (const { lease } of shown) forms.add(lease?.content().form ?? 'none');
      return { findings: [], contradicted: [], blobs: [], reasoner: 'fake', elapsedMs: 0 };
    });
    const encoded = await Promise.all(
      framesOf(pictures).map(async ({ ref }, i) => {
        const bytes = await encodePng(pictures[i]);
        return { ref, content: { form: 'encoded' as const, encoded: { mediaType: 'image/png' as const, bytes } } };
      }),
    );
    await new TopologyTestDriver({ topology: counting(false), workers }).run(new ArraySource(encoded));
    expect(forms).toEqual(new Set(['encoded']));
  });
});
