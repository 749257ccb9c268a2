import { describe, expect, it } from 'vitest';
import type { Region, TrackPoint } from '../../src/records/index.js';
import { linkTracks, type TracksState } from '../../src/sequences/gate/tracks.js';

const box = (x: number, y: number, width = 24, height = 20): Region => ({ x, y, width, height });

/** The tracks of each frame, whose moving boxes `boxesAt` tells. */
function followed(frames: number, boxesAt: (index: number) => readonly Region[], dtMs = 40): TrackPoint[][] {
  const state: TracksState = { nextId: 1, tracks: [] };
  return Array.from({ length: frames }, (_, frame) => {
    const boxes = boxesAt(frame).map((region) => ({ region, moving: true }));
    return linkTracks(state, boxes, { frame, timeMs: frame * dtMs, elapsedMs: frame * dtMs }, dtMs);
  });
}

const idsOf = (all: readonly TrackPoint[][]) => [...new Set(all.flat().map(({ id }) => id))];
const lastOf = (all: readonly TrackPoint[][], id: number) => all.flat().findLast((point) => point.id === id);

describe('tracks', () => {
  it('go on as they went while two things that meet make one box', () => {
    const all = followed(60, (i) => {
      const [a, b] = [box(4 * i, 40), box(240 - 4 * i, 44)];
      const apart = Math.abs(a.x - b.x) > 30;
      return apart ? [a, b] : [box(Math.min(a.x, b.x), 40, Math.abs(a.x - b.x) + 24, 24)];
    });
    expect(idsOf(all)).toEqual([1, 2]);
    expect(lastOf(all, 1)?.region.x).toBeGreaterThan(200);
    expect(lastOf(all, 2)?.region.x).toBeLessThan(40);
  });

  it('do not take a box many times their size: it is of something else as well', () => {
    const all = followed(40, (i) => (i < 20 ? [box(2 * i, 40)] : [box(2 * i - 60, 0, 160, 120)]));
    expect(lastOf(all, 1)?.region).toEqual(box(38, 40));
    expect(idsOf(all)).toHaveLength(2);
  });

  it('grow with a thing that comes nearer', () => {
    const all = followed(50, (i) => [box(100 - i, 40 + i, 10 + 3 * i, 8 + 2.5 * i)]);
    expect(idsOf(all)).toEqual([1]);
  });

  it('keep the parts of one thing together, and leave what only lies near it to itself', () => {
    const legs = (i: number): Region[] => [box(3 * i, 40, 24, 18), box(3 * i + 4, 60, 16, 14)];
    const whole = followed(30, (i) => (i < 8 ? [box(3 * i, 40, 24, 34)] : legs(i)));
    expect(idsOf(whole)).toEqual([1]);
    const far = followed(30, (i) => [box(3 * i, 40), ...(i < 8 ? [] : [box(3 * i, 90)])]);
    expect(idsOf(far)).toHaveLength(2);
  });

  it('that were seen a few times only end soon, and those of a known thing later', () => {
    const gapAt = (from: number, frames: number) => (i: number) =>
      i >= from && i < from + frames ? [] : [box(60, 40)];
    expect(idsOf(followed(30, gapAt(2, 9)))).toHaveLength(2);
    expect(idsOf(followed(30, gapAt(8, 9)))).toHaveLength(1);
    expect(idsOf(followed(50, gapAt(8, 20)))).toHaveLength(2);
  });

  it('outlast a frame in which the thing is not seen also where frames are seconds apart', () => {
    const missing = (frames: number) => (i: number) => (i >= 3 && i < 3 + frames ? [] : [box(60 + i, 40)]);
    expect(idsOf(followed(10, missing(1), 2_000))).toHaveLength(1);
    expect(idsOf(followed(10, missing(2), 2_000))).toHaveLength(2);
  });
});
