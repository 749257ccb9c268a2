import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { normalSamples, randomOf } from '../../fixtures/random.js';
import { cellGrid, CellPlanes } from '../../src/pixels/cells.js';
import { noiseSigma } from '../../src/pixels/noise.js';
import { colourStep } from '../../src/pixels/colour.js';
import { components, regionOf, sharpness, type RatioPlane } from '../../src/pixels/components.js';
import { fitLight, sameLight } from '../../src/pixels/light.js';
import { medianPlanes, samplesOf, shiftPlanes, smooth3, yuvPlanes } from '../../src/pixels/planes.js';
import { planeShift } from '../../src/pixels/shift.js';
import type { PictureU8 } from '../../src/records/index.js';
import { Stage } from '../../fixtures/stage.js';

const flat = (width: number, height: number, rgb: readonly number[]): PictureU8 => ({
  type: 'u8',
  width,
  height,
  channels: 3,
  data: Uint8Array.from({ length: width * height * 3 }, (_, i) => rgb[i % 3]),
});

describe('cells', () => {
  it('divide a picture of any size into about 320×240 samples and square cells inside it', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5_000 }), fc.integer({ min: 1, max: 5_000 }), (width, height) => {
        const grid = cellGrid(width, height);
        expect(grid.columns * grid.rows).toBeGreaterThan(0);
        expect(grid.planeWidth * grid.shrink).toBeLessThanOrEqual(Math.max(width, grid.shrink));
        expect(grid.planeWidth * grid.planeHeight).toBeLessThanOrEqual(76_800 * 2.3);
        expect(grid.cellPx).toBe(4 * grid.shrink);
      }),
    );
  });

  it.each([
    [64, 48],
    [640, 360],
    [1_000, 700],
  ])('measure colours of a %i×%i picture, cell by cell', (width, height) => {
    const picture = flat(width, height, [200, 100, 40]);
    const luma = 0.299 * 200 + 0.587 * 100 + 0.114 * 40;
    const grid = cellGrid(width, height);
    const planes = new CellPlanes(grid);
    planes.measure(picture);
    for (const [values, expected] of [
      [planes.y, luma],
      [planes.u, 40 - luma],
      [planes.v, 200 - luma],
    ] as const) {
      expect(Math.max(...values.map((value) => Math.abs(value - expected)))).toBeLessThan(1);
    }
    // Measuring anew does not add to what was measured before.
    const before = structuredClone({ y: planes.y, u: planes.u, v: planes.v });
    planes.measure(picture);
    expect(planes).toMatchObject(before);
  });

  it('put a bright part into the cells it covers and no others', () => {
    const picture = flat(64, 48, [0, 0, 0]);
    for (let y = 8; y < 16; y++)
      for (let x = 20; x < 32; x++) picture.data.fill(255, (y * 64 + x) * 3, (y * 64 + x) * 3 + 3);
    const grid = cellGrid(64, 48);
    const planes = new CellPlanes(grid);
    planes.measure(picture);
    const lit = [...planes.y.entries()].filter(([, luma]) => luma > 0).map(([c]) => c);
    const [part, ...further] = components(
      Uint8Array.from(planes.y, (luma) => (luma > 0 ? 1 : 0)),
      grid.columns,
      grid.rows,
    );
    expect(further).toEqual([]);
    expect(part.cells).toHaveLength(lit.length);
    expect(regionOf(part, grid)).toEqual({ x: 20, y: 8, width: 12, height: 8 });
  });

  it('noise is measured on texture to within a third, and none where there is none', () => {
    const stage = new Stage();
    for (const sigma of [3, 6, 12]) {
      const measured = noiseSigma(stage.draw({ noiseSigma: sigma }));
      expect(measured).toBeGreaterThan(sigma * 0.67);
      expect(measured).toBeLessThan(sigma * 1.33);
    }
    expect(noiseSigma(flat(64, 48, [90, 90, 90]))).toBe(0);
    expect(noiseSigma(flat(2, 2, [90, 90, 90]))).toBe(0);
  });
});

describe('light fit', () => {
  const baseline = Float32Array.from({ length: 1_000 }, (_, i) => 40 + ((i * 37) % 140));
  const all = Int32Array.from({ length: 1_000 }, (_, i) => i);
  const noise = normalSamples(1_000, randomOf(3));

  it.each([
    [1, 0],
    [0.7, 0],
    [1.3, 0],
    [0.8, 15],
    [1.1, -12],
  ])('finds a gain of %f and an offset of %f under noise', (gain, offset) => {
    const frame = baseline.map((b, i) => gain * b + offset + 2 * noise[i]);
    const fit = fitLight(frame, baseline, all, sameLight);
    for (const level of [50, 110, 170])
      expect(Math.abs(fit.gain * level + fit.offset - gain * level - offset)).toBeLessThan(3);
  });

  it('is not drawn by a thing that covers a fifth of the picture', () => {
    const frame = baseline.map((b, i) => (i % 5 === 0 ? 240 : 0.9 * b + noise[i]));
    const fit = fitLight(frame, baseline, all, sameLight);
    for (const level of [50, 110, 170]) expect(Math.abs(fit.gain * level + fit.offset - 0.9 * level)).toBeLessThan(4);
  });

  it('takes light of a scene without contrast for gain', () => {
    const flatScene = new Float32Array(100).fill(100);
    const fit = fitLight(new Float32Array(100).fill(120), flatScene, all.subarray(0, 100), sameLight);
    expect(fit.gain * 100 + fit.offset).toBeCloseTo(120, 0);
    expect(fit.gain).toBeGreaterThan(1.15);
  });

  it('keeps to what it knew where too little is seen', () => {
    const before = { gain: 1.2, offset: 3 };
    expect(fitLight(baseline, baseline, new Int32Array(0), before)).toEqual(before);
    expect(fitLight(new Float32Array(1_000), baseline, all, before)).toEqual(before);
    expect(fitLight(new Float32Array(1_000).fill(255), baseline, all, before)).toEqual(before);
  });
});

describe('shift', () => {
  const grid = cellGrid(160, 120);
  const planeOf = (picture: PictureU8) => {
    const planes = new CellPlanes(grid);
    planes.measure(picture);
    return planes.plane();
  };

  it('finds small shifts of a textured scene, whatever the light', () => {
    fc.assert(
      fc.property(
        fc.double({ min: -1, max: 1, noNaN: true }),
        fc.double({ min: -1, max: 1, noNaN: true }),
        fc.constantFrom(0.8, 1, 1.2),
        (dx, dy, gain) => {
          fc.pre(Math.hypot(dx, dy) > 0.3);
          const stage = new Stage();
          const found = planeShift(planeOf(stage.draw()), planeOf(stage.draw({ shift: { dx, dy }, gain })), grid, {
            gain,
            offset: 0,
          });
          expect(Math.hypot(found.dx - dx, found.dy - dy)).toBeLessThan(0.35);
          expect(found.explained).toBeGreaterThan(0.3);
        },
      ),
      { numRuns: 25 },
    );
  });

  it('is not drawn by a thing that appears', () => {
    const stage = new Stage();
    const box = { x: 60, y: 40, width: 40, height: 40, colour: [230, 230, 230] } as const;
    const found = planeShift(planeOf(stage.draw()), planeOf(stage.draw({ boxes: [box] })), grid, sameLight);
    expect(Math.hypot(found.dx, found.dy)).toBeLessThan(0.25);
  });

  it('of a scene without texture is none', () => {
    const plane = new Uint8Array(grid.planeWidth * grid.planeHeight).fill(100);
    expect(
      planeShift(
        plane,
        plane.map((v) => v + 9),
        grid,
        sameLight,
      ),
    ).toMatchObject({ dx: 0, dy: 0, explained: 0 });
  });
});

describe('components', () => {
  const columns = 12;
  const rows = 9;
  const masks = () => fc.array(fc.boolean(), { minLength: columns * rows, maxLength: columns * rows });

  it('hold each marked cell once; cells of two components are further apart than one cell between', () => {
    fc.assert(
      fc.property(masks(), (marked) => {
        const mask = Uint8Array.from(marked, Number);
        const found = components(mask, columns, rows);
        const cells = found.flatMap((part) => part.cells);
        expect([...cells].sort((a, b) => a - b)).toEqual(marked.flatMap((one, c) => (one ? [c] : [])));
        const owner = new Map(found.flatMap((part, i) => part.cells.map((c) => [c, i] as const)));
        for (const [a, i] of owner) {
          for (const [b, k] of owner) {
            const apart = Math.max(
              Math.abs((a % columns) - (b % columns)),
              Math.abs(Math.floor(a / columns) - Math.floor(b / columns)),
            );
            if (apart <= 2) expect(i).toBe(k);
          }
        }
        for (const { cells: own, left, right, top, bottom } of found) {
          expect([left, right]).toEqual([
            Math.min(...own.map((c) => c % columns)),
            Math.max(...own.map((c) => c % columns)),
          ]);
          const rowsOf = own.map((c) => Math.floor(c / columns));
          expect([top, bottom]).toEqual([Math.min(...rowsOf), Math.max(...rowsOf)]);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('cover the picture to its border, where cells do not come out even', () => {
    const grid = cellGrid(75, 50);
    const all = { left: 0, top: 0, right: grid.columns - 1, bottom: grid.rows - 1 };
    expect(regionOf(all, grid)).toEqual({ x: 0, y: 0, width: 75, height: 50 });
  });

  it('a thing on any ground has sharp borders, a shadow with soft ones has not', () => {
    const size = 40;
    const cell = 4;
    const across = size * cell;
    const ratioOf = (at: (distancePx: number) => number) => {
      const plane: RatioPlane = { width: across, height: across, cell, at: (x, y) => at(Math.hypot(x - 80, y - 80)) };
      const ratio = new Float32Array(size * size);
      for (let c = 0; c < ratio.length; c++) {
        ratio[c] = plane.at((c % size) * cell + 2, Math.floor(c / size) * cell + 2);
      }
      const mask = Uint8Array.from(ratio, (value) => (Math.abs(value) > 0.05 ? 1 : 0));
      const [part] = components(mask, size, size);
      return sharpness(part, mask, ratio, size, plane);
    };
    const disc = ratioOf((px) => (px < 24 ? 0.6 : 0));
    const shadow = ratioOf((px) => -0.5 * Math.max(0, 1 - px / 60));
    expect(disc).toBeGreaterThan(0.8);
    expect(shadow).toBeLessThan(0.6);
    const haloed = ratioOf((px) => (px < 20 ? 1 : 0.2 * Math.max(0, 1 - px / 60)));
    expect(haloed, 'a thing in a halo of light').toBeGreaterThan(0.65);
  });
});

describe('planes', () => {
  const picture = new Stage({ width: 60, height: 44 }).draw({ noiseSigma: 3 });

  it('are means of blocks, luma by BT.601', () => {
    const planes = yuvPlanes(picture, 2);
    const block = (px: number, py: number, channel: number) =>
      [0, 1]
        .flatMap((y) => [0, 1].map((x) => picture.data[((py * 2 + y) * 60 + px * 2 + x) * 3 + channel]))
        .reduce((a, b) => a + b) / 4;
    for (const [px, py] of [
      [0, 0],
      [29, 21],
      [7, 13],
    ]) {
      const [r, g, b] = [0, 1, 2].map((channel) => block(px, py, channel));
      const luma = 0.299 * r + 0.587 * g + 0.114 * b;
      const i = py * planes.width + px;
      expect(planes.y[i]).toBeCloseTo(luma, 3);
      expect(planes.u[i]).toBeCloseTo(b - luma, 3);
      expect(planes.v[i]).toBeCloseTo(r - luma, 3);
    }
  });

  it('their median is free of what fewer than half of them show', () => {
    const scene = yuvPlanes(picture, 1);
    const spoiled = { ...scene, y: scene.y.map((value, i) => (i % 3 === 0 ? 255 : value)) };
    expect(medianPlanes([scene, spoiled, scene]).y).toEqual(scene.y);
    expect(medianPlanes([scene])).toBe(scene);
    const brighter = { ...scene, y: scene.y.map((value) => value + 2) };
    expect(medianPlanes([scene, brighter]).y[5]).toBeCloseTo(scene.y[5] + 1, 4);
  });

  it('shifted by whole samples are moved exactly, and back again inside the border', () => {
    const scene = yuvPlanes(picture, 1);
    const moved = shiftPlanes(scene, 3, -2);
    for (let y = 5; y < 35; y++)
      for (let x = 5; x < 50; x++) expect(moved.y[y * 60 + x]).toBe(scene.y[(y + 2) * 60 + x - 3]);
    const back = shiftPlanes(moved, -3, 2);
    for (let y = 5; y < 35; y++) for (let x = 5; x < 50; x++) expect(back.v[y * 60 + x]).toBe(scene.v[y * 60 + x]);
    expect(shiftPlanes(scene, 0, 0).y).toEqual(scene.y);
  });

  it('smoothing keeps what is flat, keeps the mean, and takes noise down to a third', () => {
    const level = new Float32Array(60 * 44).fill(7);
    expect(Math.max(...smooth3(level, 60, 44).map((v) => Math.abs(v - 7)))).toBeLessThan(1e-5);
    const noise = normalSamples(60 * 44, randomOf(5));
    const spread = (values: Float32Array) => Math.sqrt(values.reduce((sum, v) => sum + v * v, 0) / values.length);
    expect(spread(smooth3(noise, 60, 44)) / spread(noise)).toBeCloseTo(1 / 3, 1);
  });

  it('the samples of a region lie inside the planes and cover it', () => {
    const planes = { width: 20, height: 10, shrink: 4 };
    expect(samplesOf({ x: 8, y: 4, width: 9, height: 4 }, planes)).toEqual({ left: 2, top: 1, right: 4, bottom: 1 });
    expect(samplesOf({ x: -9, y: -9, width: 999, height: 999 }, planes)).toEqual({
      left: 0,
      top: 0,
      right: 19,
      bottom: 9,
    });
  });
});

describe('colour step', () => {
  it('is the largest difference of a channel', () => {
    expect(colourStep('#102030', '#102030')).toBe(0);
    expect(colourStep('#102030', '#12ff2f')).toBe(0xff - 0x20);
  });
});
