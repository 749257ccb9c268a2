import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { crop, wholePixels } from '../../src/pixels/crop.js';
import { resize } from '../../src/pixels/resize.js';
import { toRgb8 } from '../../src/pixels/rgb8.js';
import type { PictureU8 } from '../../src/records/index.js';

const grey = (width: number, height: number, levels: readonly number[]): PictureU8 => ({
  type: 'u8',
  width,
  height,
  channels: 1,
  data: Uint8Array.from(levels),
});

describe('resize', () => {
  test('enlarges bilinearly on half-pixel centres', () => {
    expect([...resize(grey(2, 1, [0, 100]), 4, 1).data]).toEqual([0, 25, 75, 100]);
  });

  test('shrinks without skipping samples', () => {
    const stripes = grey(8, 1, [0, 200, 0, 200, 0, 200, 0, 200]);
    for (const level of resize(stripes, 2, 1).data) expect(Math.abs(level - 100)).toBeLessThanOrEqual(15);
  });

  test('keeps one level one level, and every level within those of the source', () => {
    const side = fc.integer({ min: 1, max: 12 });
    const source = fc
      .tuple(side, side)
      .chain(([w, h]) =>
        fc.array(fc.nat(255), { minLength: w * h, maxLength: w * h }).map((levels) => grey(w, h, levels)),
      );
    fc.assert(
      fc.property(source, side, side, (picture, width, height) => {
        const flat = { ...picture, data: picture.data.map(() => picture.data[0]) };
        expect(new Set(resize(flat, width, height).data)).toEqual(new Set([picture.data[0]]));
        const { data } = resize(picture, width, height);
        expect(data).toHaveLength(width * height);
        expect(Math.min(...data)).toBeGreaterThanOrEqual(Math.min(...picture.data));
        expect(Math.max(...data)).toBeLessThanOrEqual(Math.max(...picture.data));
      }),
    );
  });

  test('keeps channels apart', () => {
    const rgb: PictureU8 = { type: 'u8', width: 1, height: 1, channels: 3, data: Uint8Array.from([1, 2, 3]) };
    expect([...resize(rgb, 2, 2).data]).toEqual([1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3]);
  });
});

describe('crop', () => {
  const picture = grey(3, 2, [1, 2, 3, 4, 5, 6]);

  test('cuts whole pixels that cover the region', () => {
    const part = crop(picture, { x: 1.2, y: 0.5, width: 5, height: 1 });
    expect([part.width, part.height, ...part.data]).toEqual([2, 2, 2, 3, 5, 6]);
  });

  test('widens by the margin up to the border', () => {
    const region = { x: 1, y: 1, width: 1, height: 1 };
    expect(wholePixels(region, picture, 1)).toEqual({ x: 0, y: 0, width: 3, height: 2 });
  });

  test('refuses a region outside', () => {
    expect(() => crop(picture, { x: 3, y: 0, width: 2, height: 1 })).toThrow(/region 2×1 at \(3, 0\) lies outside/);
  });
});

describe('toRgb8', () => {
  test('leaves 8-bit RGB alone', () => {
    const rgb: PictureU8 = { type: 'u8', width: 1, height: 1, channels: 3, data: Uint8Array.from([1, 2, 3]) };
    expect(toRgb8(rgb)).toBe(rgb);
  });

  test('stretches 16 bit from its least to its greatest sample', () => {
    const deep = { type: 'u16', width: 3, height: 1, channels: 1, data: Uint16Array.from([1000, 1500, 2000]) } as const;
    expect([...toRgb8(deep).data]).toEqual([0, 0, 0, 128, 128, 128, 255, 255, 255]);
  });

  test('stretches floats and shows what is not finite as black', () => {
    const data = Float32Array.from([-1, 1, NaN, Infinity]);
    expect([...toRgb8({ type: 'f32', width: 4, height: 1, channels: 1, data }).data]).toEqual([
      0, 0, 0, 255, 255, 255, 0, 0, 0, 0, 0, 0,
    ]);
  });

  test('lays alpha over white', () => {
    const data = Uint8Array.from([10, 20, 30, 0, 10, 20, 30, 255]);
    expect([...toRgb8({ type: 'u8', width: 2, height: 1, channels: 4, data }).data]).toEqual([
      255, 255, 255, 10, 20, 30,
    ]);
  });
});
