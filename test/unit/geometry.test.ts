import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  areaOf,
  centreOf,
  gapPx,
  grownBy,
  intersectionOf,
  iou,
  overlapOfSmaller,
  sharedArea,
  shareIn,
  unionOf,
} from '../../src/pixels/geometry.js';
import type { Region } from '../../src/records/index.js';

const coordinate = () => fc.integer({ min: -50, max: 50 });
const size = () => fc.integer({ min: 0, max: 40 });
const box = () => fc.record({ x: coordinate(), y: coordinate(), width: size(), height: size() });

/** The whole pixels of a box: the truth to which whole-numbered boxes are held. */
function pixelsOf({ x, y, width, height }: Region): Set<string> {
  const pixels = new Set<string>();
  for (let py = y; py < y + height; py++) for (let px = x; px < x + width; px++) pixels.add(`${px},${py}`);
  return pixels;
}

describe('geometry', () => {
  it('agrees with counting pixels', () => {
    fc.assert(
      fc.property(box(), box(), (a, b) => {
        const [own, other] = [pixelsOf(a), pixelsOf(b)];
        const shared = [...own].filter((pixel) => other.has(pixel)).length;
        expect(areaOf(a)).toBe(own.size);
        expect(sharedArea(a, b)).toBe(shared);
        expect(pixelsOf(intersectionOf(a, b)).size).toBe(shared);
        expect(shareIn(a, b)).toBeCloseTo(own.size === 0 ? 0 : shared / own.size);
        const smaller = Math.min(own.size, other.size);
        expect(overlapOfSmaller(a, b)).toBeCloseTo(smaller === 0 ? 0 : shared / smaller);
        const either = own.size + other.size - shared;
        expect(iou(a, b)).toBeCloseTo(either === 0 ? 0 : shared / either);
      }),
    );
  });

  it('is symmetric where it should be, and boxes are like themselves', () => {
    fc.assert(
      fc.property(box(), box(), (a, b) => {
        for (const measure of [sharedArea, iou, overlapOfSmaller, gapPx]) expect(measure(a, b)).toBe(measure(b, a));
        if (areaOf(a) > 0) expect(iou(a, a)).toBe(1);
        expect(gapPx(a, a)).toBe(0);
      }),
    );
  });

  it('a union holds all of its boxes and no smaller one does', () => {
    fc.assert(
      fc.property(fc.array(box(), { minLength: 1, maxLength: 5 }), (boxes) => {
        const all = unionOf(boxes);
        for (const one of boxes) expect(intersectionOf(one, all)).toEqual(one);
        expect(boxes.some(({ x }) => x === all.x)).toBe(true);
        expect(boxes.some(({ y, height }) => y + height === all.y + all.height)).toBe(true);
      }),
    );
    expect(() => unionOf([])).toThrow(RangeError);
  });

  it('the gap is how far one must move to touch the other', () => {
    const a = { x: 0, y: 0, width: 10, height: 10 };
    expect(gapPx(a, { x: 10, y: 0, width: 5, height: 5 })).toBe(0);
    expect(gapPx(a, { x: 13, y: 2, width: 5, height: 5 })).toBe(3);
    expect(gapPx(a, { x: 13, y: 30, width: 5, height: 5 })).toBe(20);
  });

  it('grows to all sides and stays in the picture', () => {
    const bounds = { width: 100, height: 50 };
    expect(grownBy({ x: 20, y: 20, width: 10, height: 10 }, 5, bounds)).toEqual({
      x: 15,
      y: 15,
      width: 20,
      height: 20,
    });
    expect(grownBy({ x: 0, y: 40, width: 100, height: 10 }, 5, bounds)).toEqual({
      x: 0,
      y: 35,
      width: 100,
      height: 15,
    });
    expect(centreOf({ x: 10, y: 20, width: 5, height: 8 })).toEqual({ x: 12.5, y: 24 });
  });
});
