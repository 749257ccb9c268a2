import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { blackOut } from '../../src/pixels/black-out.js';
import { pictureOf } from '../../src/pixels/content.js';
import { encodeJpeg, encodePng } from '../../src/pixels/encode.js';
import { isInPolygon, spansAt } from '../../src/pixels/polygon.js';
import { hiddenMask, unwatchedMask, zoneOf, zonesAt } from '../../src/pixels/zones.js';
import {
  yuv420Bytes,
  type FrameContent,
  type Picture,
  type Yuv420Picture,
  type Zone,
} from '../../src/records/index.js';
import { ByteBudget } from '../../src/sources/budget.js';
import { zoned } from '../../src/sources/zoned.js';
import { ArraySource, tickAt, type ArrayFrame } from '../support/topology-driver.js';
import { refOf } from '../../fixtures/stage.js';

const rectangle = (left: number, top: number, right: number, bottom: number): Zone['polygon'] => [
  [left, top],
  [right, top],
  [right, bottom],
  [left, bottom],
];
const zone = (name: string, use: Zone['use'], polygon: Zone['polygon']): Zone => ({ name, use, polygon });
const samples = [0.02, 0.25, 0.5, 0.75, 0.98].flatMap((dx) =>
  [0.02, 0.1, 0.3, 0.5, 0.8, 0.98].map((dy) => [dx, dy] as const),
);
const share = () => fc.double({ min: 0, max: 1, noNaN: true });
const polygons = () => fc.array(fc.tuple(share(), share()), { minLength: 3, maxLength: 7 });
const white = (width: number, height: number): Picture => ({
  ...{ type: 'u8', width, height, channels: 3 },
  data: new Uint8Array(width * height * 3).fill(255),
});

describe('polygons', () => {
  it('hold what lies between their crossings, row by row', () => {
    fc.assert(
      fc.property(polygons(), share(), share(), (polygon, x, y) => {
        const within = spansAt(polygon, y).some(([from, to]) => x >= from && x < to);
        fc.pre(!spansAt(polygon, y).some(([from, to]) => Math.abs(x - from) < 1e-9 || Math.abs(x - to) < 1e-9));
        expect(isInPolygon(polygon, x, y)).toBe(within);
      }),
    );
  });

  it('that cross themselves are outside where the border is crossed twice', () => {
    const star: Zone['polygon'] = [
      [0.5, 0],
      [0.8, 1],
      [0, 0.4],
      [1, 0.4],
      [0.2, 1],
    ];
    expect(isInPolygon(star, 0.5, 0.2)).toBe(true);
    expect(isInPolygon(star, 0.5, 0.55)).toBe(false);
  });
});

describe('areas that are black', () => {
  it('are so in every pixel that they touch, and nowhere far from it', () => {
    fc.assert(
      fc.property(polygons(), fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 30 }), (polygon, w, h) => {
        const picture = white(w, h);
        blackOut(picture, [polygon]);
        for (let y = 0; y < h; y++) {
          for (let x = 0; x < w; x++) {
            const isBlack = picture.data[(y * w + x) * 3] === 0;
            // Also where it only just reaches into the pixel.
            const touched = samples.some(([dx, dy]) => isInPolygon(polygon, (x + dx) / w, (y + dy) / h));
            if (touched) expect(isBlack, `${x},${y}`).toBe(true);
            const [left, right] = [Math.min(...polygon.map(([px]) => px)), Math.max(...polygon.map(([px]) => px))];
            if (x + 1 < left * w || x > right * w) expect(isBlack, `${x},${y}`).toBe(false);
          }
        }
      }),
    );
  });

  it('leave alpha, and 16 bit, as they are', () => {
    const grey: Picture = { type: 'u16', width: 4, height: 2, channels: 2, data: new Uint16Array(16).fill(60_000) };
    blackOut(grey, [rectangle(0, 0, 0.5, 1)]);
    expect([...grey.data]).toEqual(
      [0, 60_000, 0, 60_000, 60_000, 60_000, 60_000, 60_000]
        .flatMap((v) => v)
        .concat([0, 60_000, 0, 60_000, 60_000, 60_000, 60_000, 60_000]),
    );
  });

  it.each([
    ['limited', 16],
    ['full', 0],
  ] as const)('are so in the planes of video of %s range', (range, black) => {
    const [width, height] = [9, 7];
    const picture: Yuv420Picture = {
      ...{ type: 'yuv420', width, height, matrix: 'bt601', range },
      data: new Uint8Array(yuv420Bytes(width, height)).fill(200),
    };
    blackOut(picture, [rectangle(0, 0, 1, 1)]);
    expect(new Set(picture.data.subarray(0, width * height))).toEqual(new Set([black]));
    expect(new Set(picture.data.subarray(width * height))).toEqual(new Set([128]));
  });
});

describe('zones', () => {
  const desk = zone('desk', 'name', rectangle(0, 0.5, 1, 1));
  const drawer = zone('drawer', 'include', rectangle(0.4, 0.6, 0.6, 0.8));
  const street = zone('street', 'exclude', rectangle(0, 0, 1, 0.25));
  const window = zone('window', 'private', rectangle(0, 0, 0.25, 1));

  it('name places, the smallest first, by the middle of a box; what is left out has no name', () => {
    const picture = { width: 200, height: 100 };
    expect(zonesAt([desk, drawer, street], 100, 70, picture)).toEqual(['drawer', 'desk']);
    expect(zoneOf([desk, drawer], { x: 90, y: 60, width: 20, height: 20 }, picture)).toBe('drawer');
    expect(zoneOf([desk, street], { x: 90, y: 10, width: 20, height: 10 }, picture)).toBeUndefined();
  });

  it('say cell by cell of what nothing is told', () => {
    const grid = { width: 8, height: 4 };
    const rows = (mask: Uint8Array | undefined) =>
      Array.from({ length: grid.height }, (_, y) => mask?.subarray(y * 8, y * 8 + 8).join(''));
    expect(unwatchedMask([], grid)).toBeUndefined();
    expect(rows(unwatchedMask([desk], grid))).toEqual(['00000000', '00000000', '00000000', '00000000']);
    expect(rows(unwatchedMask([street, window], grid))).toEqual(['11111111', '11000000', '11000000', '11000000']);
    expect(rows(hiddenMask([street, window], grid))).toEqual(['11000000', '11000000', '11000000', '11000000']);
    const yard = zone('yard', 'include', rectangle(0, 0, 0.5, 1));
    expect(rows(unwatchedMask([yard, street], grid))).toEqual(['11111111', '00001111', '00001111', '00001111']);
  });

  it('that are private are black in every frame of a source, in whatever form it comes', async () => {
    const picture = white(40, 20);
    const yuv: Yuv420Picture = {
      ...{ type: 'yuv420', width: 40, height: 20, matrix: 'bt709', range: 'full' },
      data: new Uint8Array(yuv420Bytes(40, 20)).fill(255),
    };
    const contents: FrameContent[] = [
      { form: 'pixels', picture: white(40, 20) },
      { form: 'yuv420', picture: yuv },
      { form: 'encoded', encoded: { mediaType: 'image/png', bytes: await encodePng(picture) } },
      { form: 'encoded', encoded: { mediaType: 'image/jpeg', bytes: await encodeJpeg(picture, 95) } },
    ];
    const frames = contents.map((content, i): ArrayFrame => ({ ref: refOf(i, { width: 40, height: 20 }), content }));
    const inner = new ArraySource([...frames, tickAt(9_000)]);
    const source = zoned(inner, [window, desk]);
    expect(source.zones).toEqual([window, desk]);
    const reading = source.read({ budget: new ByteBudget(1e6), signal: new AbortController().signal });
    const seen: string[] = [];
    for (let next = await reading.next(); next.done !== true; next = await reading.next()) {
      if ('type' in next.value) {
        seen.push('tick');
        continue;
      }
      const content = next.value.lease.content();
      const { data } = await pictureOf(content);
      seen.push(content.form);
      // JPEG rings beside the border, within a block of 8.
      for (const x of [0, 4, 9]) expect(data[(10 * 40 + x) * 3], `${content.form} at ${x}`).toBeLessThan(12);
      for (const x of [20, 39]) expect(data[(10 * 40 + x) * 3], `${content.form} at ${x}`).toBeGreaterThan(150);
      next.value.lease.release();
    }
    expect(seen).toEqual(['pixels', 'yuv420', 'encoded', 'encoded', 'tick']);
    expect(inner.outstanding.size).toBe(0);
  });

  it('hand on a picture that cannot be decoded: nobody else can decode it either', async () => {
    const bytes = (await encodePng(white(8, 8))).slice(0, 40);
    const damaged: ArrayFrame = {
      ref: refOf(0, { width: 8, height: 8 }),
      content: { form: 'encoded', encoded: { mediaType: 'image/png', bytes } },
    };
    const source = zoned(new ArraySource([damaged]), [window]);
    const { value } = await source.read({ budget: new ByteBudget(1e6), signal: new AbortController().signal }).next();
    if (value === undefined || !('lease' in value)) throw new Error('no frame came');
    await expect(pictureOf(value.lease.content())).rejects.toMatchObject({ class: 'data' });
    value.lease.release();
  });

  it('change nothing where there are none', () => {
    const source = new ArraySource([]);
    expect(zoned(source, [])).toBe(source);
  });
});
