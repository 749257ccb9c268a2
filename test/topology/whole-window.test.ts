import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { whole, type WholeState } from '../../src/sequences/windows/whole.js';
import type { ClosedWindow, Window } from '../../src/sequences/windows/window.js';
import { evidenceOf } from '../support/evidence.js';
import { refOf } from '../../fixtures/stage.js';

const FRAME_BYTES = 1_000;
const spec = (maxFrames: number) => whole({ maxBytes: maxFrames * FRAME_BYTES });

function feed(window: Window<WholeState>, from: number, to: number): ClosedWindow[] {
  return Array.from({ length: to - from }, (_, i) => from + i).flatMap((index) =>
    window.push({ type: 'frame', ref: refOf(index), bytes: FRAME_BYTES, evidence: evidenceOf('s', index) }),
  );
}
const end = (window: Window<WholeState>): ClosedWindow[] => window.push({ type: 'end' });

describe('whole', () => {
  it('is one window over every frame in order, whatever time passes', () => {
    const window = spec(100).open();
    expect(window.openWindows).toBe(0);
    expect(feed(window, 0, 30)).toEqual([]);
    expect(window.openWindows).toBe(1);
    expect(window.push({ type: 'tick', eventTimeMs: 2e9, elapsedMs: 1e9 })).toEqual([]);
    const [told, ...further] = end(window);
    expect(further).toEqual([]);
    expect(told).toMatchObject({
      trigger: 'whole',
      first: { frame: 0 },
      last: { frame: 29 },
      thinnedFrames: 0,
    });
    expect(told.frames.map(({ ref, role }) => [ref.index, role])).toEqual(
      Array.from({ length: 30 }, (_, i) => [i, 'whole']),
    );
    expect(told.settled).toHaveLength(30);
  });

  it('of a source without frames is no window', () => {
    expect(end(spec(10).open())).toEqual([]);
  });

  it('gives up pixels evenly beyond its bytes: first frame kept, evidence and count of all told', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 120 }), fc.integer({ min: 2, max: 40 }), (frames, room) => {
        const window = spec(room).open();
        for (let i = 0; i < frames; i++) {
          feed(window, i, i + 1);
          expect(window.kept().size).toBeLessThanOrEqual(room);
        }
        const [told] = end(window);
        const kept = told.frames.filter(({ role }) => role === 'whole').map(({ ref }) => ref.index);
        expect(new Set(kept)).toEqual(window.kept());
        expect(kept[0]).toBe(0);
        expect(new Set(kept.slice(1).map((index, i) => index - kept[i])).size).toBeLessThanOrEqual(1);
        expect(kept.length).toBeGreaterThanOrEqual(Math.min(frames, Math.floor(room / 2)));
        expect(told.frames.map(({ ref }) => ref.index)).toEqual(Array.from({ length: frames }, (_, i) => i));
        expect(told.thinnedFrames).toBe(frames - kept.length);
        expect(told.frames.every(({ evidence }) => evidence !== undefined)).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  it('goes on from its state after any push', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 60 }), fc.nat(60), fc.integer({ min: 2, max: 20 }), (frames, at, room) => {
        const stop = Math.min(at, frames);
        const first = spec(room).open();
        feed(first, 0, stop);
        const state = structuredClone(first.state);
        const second = spec(room).open(state);
        feed(second, stop, frames);
        feed(first, stop, frames);
        expect(end(second)).toEqual(end(first));
      }),
      { numRuns: 60 },
    );
  });
});
