import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cellGrid, CellPlanes } from '../../src/pixels/cells.js';
import { noiseSigma } from '../../src/pixels/noise.js';
import { yuvToRgb } from '../../src/pixels/yuv420.js';
import { yuv420Bytes, type Yuv420Picture, type YuvColour } from '../../src/records/index.js';

const shares = { bt601: [0.299, 0.114], bt709: [0.2126, 0.0722] } as const;
const colours = fc.record(
  { matrix: fc.constantFrom('bt601' as const, 'bt709' as const), range: fc.constantFrom('limited', 'full') },
  { noNullPrototype: true },
) as fc.Arbitrary<YuvColour>;

/** The definition of the recommendations, in real numbers. */
function rgbOf(y: number, u: number, v: number, { matrix, range }: YuvColour): number[] {
  const [red, blue] = shares[matrix];
  const full = range === 'full';
  const luma = full ? y : ((y - 16) * 255) / 219;
  const pb = (u - 128) / (full ? 255 : 224);
  const pr = (v - 128) / (full ? 255 : 224);
  const r = luma + 255 * 2 * (1 - red) * pr;
  const b = luma + 255 * 2 * (1 - blue) * pb;
  const g = (luma - red * r - blue * b) / (1 - red - blue);
  return [r, g, b].map((level) => Math.min(255, Math.max(0, level)));
}

/** Smooth colours within RGB's reach and a little noise, the same at every call. */
function scene(width: number, height: number, colour: YuvColour): Yuv420Picture {
  const data = new Uint8Array(yuv420Bytes(width, height));
  let seed = 7;
  const noise = () => {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
    return (seed / 2 ** 31) * 6 - 3;
  };
  const chromaWidth = Math.ceil(width / 2);
  const chroma = data.length - width * height;
  for (let i = 0; i < width * height; i++) data[i] = 120 + 40 * Math.sin(i / width / 9) + noise();
  for (let c = 0; c < chroma; c++) data[width * height + c] = 128 + 12 * Math.sin((c % chromaWidth) / 7) + noise();
  return { type: 'yuv420', width, height, ...colour, data };
}

describe('yuvToRgb', () => {
  it('is the recommendation, rounded', () => {
    const byte = fc.integer({ min: 0, max: 255 });
    fc.assert(
      fc.property(byte, byte, byte, colours, (y, u, v, colour) => {
        const picture = { type: 'yuv420' as const, width: 1, height: 1, ...colour, data: Uint8Array.of(y, u, v) };
        const wanted = rgbOf(y, u, v, colour);
        yuvToRgb(picture).data.forEach((level, i) => expect(Math.abs(level - wanted[i])).toBeLessThan(0.51));
      }),
      { numRuns: 1_000 },
    );
  });

  it('gives every chroma sample to its 2×2 pixels, also at odd sizes', () => {
    const luma = [10, 20, 30, 40, 50, 60, 70, 80, 90];
    const data = Uint8Array.of(...luma, ...[100, 110, 120, 130], ...[140, 150, 160, 170]);
    const rgb = yuvToRgb({ type: 'yuv420', width: 3, height: 3, matrix: 'bt601', range: 'full', data }).data;
    [0, 0, 1, 0, 0, 1, 2, 2, 3].forEach((c, i) => {
      const wanted = rgbOf(luma[i], data[9 + c], data[13 + c], { matrix: 'bt601', range: 'full' });
      expect([...rgb.subarray(3 * i, 3 * i + 3)]).toEqual(wanted.map(Math.round));
    });
  });
});

describe('cells of planes', () => {
  it.each([
    [320, 240],
    [641, 359],
    [1280, 720],
    [37, 23],
  ])('are those of the same picture in RGB, in the same units (%i×%i)', (width, height) => {
    const picture = scene(width, height, { matrix: 'bt601', range: 'limited' });
    const grid = cellGrid(width, height);
    const planar = new CellPlanes(grid);
    const rgb = new CellPlanes(grid);
    planar.measure(picture);
    rgb.measure(yuvToRgb(picture));
    const worst = (a: ArrayLike<number>, b: ArrayLike<number>) =>
      Array.from(a).reduce((most, value, i) => Math.max(most, Math.abs(value - b[i])), 0);
    expect(worst(planar.plane(), rgb.plane())).toBeLessThanOrEqual(2);
    expect(worst(planar.y, rgb.y)).toBeLessThan(1);
    expect(worst(planar.u, rgb.u)).toBeLessThan(2);
    expect(worst(planar.v, rgb.v)).toBeLessThan(2);
  });

  it.each(['bt601', 'bt709'] as const)('grey levels span 0–255 whatever the range (%s)', (matrix) => {
    for (const [range, white, black] of [
      ['limited', 235, 16],
      ['full', 255, 0],
    ] as const) {
      const grid = cellGrid(8, 8);
      const data = new Uint8Array(yuv420Bytes(8, 8)).fill(128);
      const out = new CellPlanes(grid);
      for (const [sample, level] of [
        [white, 255],
        [black, 0],
      ] as const) {
        data.fill(sample, 0, 64);
        out.measure({ type: 'yuv420', width: 8, height: 8, matrix, range, data });
        expect([...out.y, ...out.plane()]).toEqual(Array.from({ length: 4 + 64 }, () => level));
        expect([...out.u, ...out.v]).toEqual(Array.from({ length: 8 }, () => 0));
      }
    }
  });

  it('holds pictures smaller than a cell', () => {
    for (const [width, height] of [
      [1, 1],
      [2, 3],
      [5, 1],
    ]) {
      const data = new Uint8Array(yuv420Bytes(width, height)).fill(128);
      const grid = cellGrid(width, height);
      const out = new CellPlanes(grid);
      out.measure({ type: 'yuv420', width, height, matrix: 'bt601', range: 'full', data });
      expect([...out.u, ...out.v].every((value) => value === 0)).toBe(true);
    }
  });

  it('noise of luma is that of green', () => {
    const picture = scene(320, 240, { matrix: 'bt601', range: 'limited' });
    const sigma = noiseSigma(picture);
    expect(sigma).toBeGreaterThan(1.5);
    expect(Math.abs(sigma / noiseSigma(yuvToRgb(picture)) - 1)).toBeLessThan(0.15);
  });
});
