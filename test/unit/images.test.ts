import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ByteBudget } from '../../src/sources/budget.js';
import { timeReader } from '../../src/sources/image-times.js';
import { imagesSource } from '../../src/sources/images.js';
import { openSource } from '../../src/sources/open.js';
import { blackPng } from '../support/pictures.js';
import { readAll } from '../support/sources.js';

const root = mkdtempSync(path.join(tmpdir(), 'blinkstream-test-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const at = (...parts: string[]) => path.join(root, ...parts);

const png = (width: number, height: number) => blackPng(width, height);
const photo = (taken: Record<string, string>) =>
  sharp({ create: { width: 8, height: 6, channels: 3, background: '#777' } })
    .jpeg()
    .withExif({ IFD2: taken })
    .toBuffer();

beforeAll(async () => {
  for (const folder of ['series', 'photos', 'dated', 'mixed', 'none', 'bombs']) mkdirSync(at(folder));
  for (const i of [10, 2, 1, 33]) writeFileSync(at('series', `frame_${i}.png`), await png(i, 5));
  writeFileSync(at('series', 'notes.json'), '{}');
  writeFileSync(
    at('photos', 'b.jpg'),
    await photo({ DateTimeOriginal: '2024:05:06 07:08:09', OffsetTimeOriginal: '+02:00' }),
  );
  writeFileSync(
    at('photos', 'c.jpg'),
    await photo({ DateTimeOriginal: '2024:05:06 05:08:11', SubSecTimeOriginal: '25' }),
  );
  for (const name of ['cam_20240101_235959.png', 'cam_20240102_000001.png'])
    writeFileSync(at('dated', name), await png(4, 4));
  writeFileSync(at('mixed', '1.png'), await png(40, 40));
  writeFileSync(at('mixed', '2.png'), 'not a picture at all');
  writeFileSync(at('mixed', '3.jpg'), await png(50, 30));
  writeFileSync(at('mixed', '4.png'), '');
  writeFileSync(at('bombs', 'bomb.png'), await png(5_000, 4_000));
});

const steady = { intervalMs: 1_000 };

describe('imagesSource', () => {
  test('gives a folder in natural order, undecoded, with interval times', async () => {
    const { frames, report } = await readAll(imagesSource({ input: at('series'), times: steady }));
    expect(frames.map(({ ref }) => [ref.index, ref.width, ref.height, ref.eventTimeMs, ref.elapsedMs])).toEqual([
      [0, 1, 5, 0, 0],
      [1, 2, 5, 1_000, 1_000],
      [2, 10, 5, 2_000, 2_000],
      [3, 33, 5, 3_000, 3_000],
    ]);
    expect(frames[0].ref.source).toBe('series');
    expect(report).toEqual({ framesRead: 4, framesExpected: 4, complete: true, unreadable: [] });
  });

  test('gives what a glob matches', async () => {
    const { frames } = await readAll(imagesSource({ input: at('series', 'frame_?.png'), times: steady }));
    expect(frames.map(({ ref }) => ref.width)).toEqual([1, 2]);
  });

  test('takes times from EXIF unasked, with offset and fraction', async () => {
    const { frames } = await readAll(imagesSource({ input: at('photos') }));
    expect(frames.map(({ ref }) => [ref.eventTimeMs, ref.elapsedMs])).toEqual([
      [Date.UTC(2024, 4, 6, 5, 8, 9), 0],
      [Date.UTC(2024, 4, 6, 5, 8, 11, 250), 2_250],
    ]);
  });

  test('takes times from names', async () => {
    const times = { pattern: '{YYYY}{MM}{DD}_{hh}{mm}{ss}' };
    const { frames } = await readAll(imagesSource({ input: at('dated'), times }));
    expect(frames.map(({ ref }) => ref.eventTimeMs)).toEqual([
      Date.UTC(2024, 0, 1, 23, 59, 59),
      Date.UTC(2024, 0, 2, 0, 0, 1),
    ]);
    expect(frames.map(({ ref }) => ref.elapsedMs)).toEqual([0, 2_000]);
  });

  test('without known times names the ways to give them', async () => {
    await expect(readAll(imagesSource({ input: at('series') }))).rejects.toMatchObject({
      code: 'SOURCE_TIMES_UNKNOWN',
      hint: expect.stringMatching(/--interval.*\{YYYY\}.*EXIF/) as string,
      exitCode: 3,
    });
  });

  test('reports every file that cannot be read, and tells formats by content', async () => {
    const budget = new ByteBudget(1 << 20);
    const { frames, report } = await readAll(imagesSource({ input: at('mixed'), times: steady }), { budget });
    expect(frames.map(({ ref }) => [ref.index, ref.width, ref.eventTimeMs])).toEqual([
      [0, 40, 0],
      [2, 50, 2_000],
    ]);
    expect(report).toMatchObject({ framesRead: 2, framesExpected: 4, complete: false });
    expect(report?.unreadable.map(({ where }) => path.basename(where))).toEqual(['2.png', '4.png']);
    expect(report?.problem).toMatch(/^read 2 of 4 images; .*2\.png: .* and 1 more$/);
    expect(budget.inFlightBytes).toBe(0);
  });

  test('a bomb, a truncated folder and nothing at all are refused', async () => {
    await expect(
      readAll(imagesSource({ input: at('bombs'), times: steady, maxPixels: 1_000_000 })),
    ).rejects.toMatchObject({
      code: 'SOURCE_NOT_IMAGES',
      message: expect.stringMatching(/bomb\.png has more than 1,000,000 pixels/) as string,
    });
    await expect(readAll(imagesSource({ input: at('none'), times: steady }))).rejects.toMatchObject({
      code: 'SOURCE_EMPTY',
    });
    await expect(readAll(imagesSource({ input: at('gone'), times: steady }))).rejects.toMatchObject({
      code: 'SOURCE_NOT_FOUND',
    });
    await expect(readAll(imagesSource({ input: at('none', '*.png'), times: steady }))).rejects.toMatchObject({
      code: 'SOURCE_EMPTY',
    });
  });

  test('goes on from a position, and refuses another series', async () => {
    const source = () => imagesSource({ input: at('photos') });
    const { frames } = await readAll(source());
    expect((await readAll(source(), { from: frames[1].ref.position })).frames).toEqual(frames.slice(1));
    const other = imagesSource({ input: at('series'), times: steady });
    await expect(readAll(other, { from: frames[1].ref.position })).rejects.toMatchObject({ code: 'SOURCE_CHANGED' });
  });

  test('waits for credit', async () => {
    const budget = new ByteBudget(1);
    const reading = imagesSource({ input: at('series'), times: steady }).read({
      budget,
      signal: new AbortController().signal,
    });
    const first = await reading.next();
    if (first.done) throw new Error('too short');
    expect(budget.inFlightBytes).toBe(first.value.lease.bytes);
    let secondCame = false;
    const second = reading.next().then((step) => ((secondCame = true), step));
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(secondCame).toBe(false);
    first.value.lease.release();
    expect((await second).done).toBe(false);
  });
});

describe('timeReader', () => {
  const read = (pattern: string, name: string) => timeReader({ pattern })({ name, index: 0, bytes: new Uint8Array() });

  test('reads back any moment that a pattern wrote', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.date({ min: new Date(0), max: new Date('2999-12-31'), noInvalidDate: true }),
        async (date) => {
          const [YYYY, MM, DD, hh, mm, ss, ms] = date.toISOString().split(/\D/);
          const name = `x.1+${YYYY}-${MM}-${DD}T${hh}${mm}${ss},${ms}.png`;
          expect(await read('{YYYY}-{MM}-{DD}*{hh}{mm}{ss},{ms}', name)).toBe(date.getTime());
        },
      ),
    );
  });

  test.each(['20240631_000000', '20241301_000000', '20240101_250000'])('%s does not exist', async (name) => {
    await expect(read('{YYYY}{MM}{DD}_{hh}{mm}{ss}', name)).rejects.toThrow('does not hold a time');
  });

  test.each(['{YYYY}{MM}', '{YYYY}{MM}{DD}{DD}', '{YYYY}{MM}{DD}{hour}'])('the pattern %s is refused', (pattern) => {
    expect(() => timeReader({ pattern })).toThrow(
      expect.objectContaining({ code: 'SOURCE_TIMES', exitCode: 2 }) as Error,
    );
  });
});

describe('openSource', () => {
  test('tells folders, globs and pictures from videos', async () => {
    for (const input of [at('series'), at('series', '*.png'), at('mixed', '3.jpg')]) {
      expect((await readAll(await openSource(input, { times: steady }))).frames.length).toBeGreaterThan(0);
    }
    await expect(readAll(await openSource(at('series', 'notes.json')))).rejects.toMatchObject({
      code: 'SOURCE_NOT_VIDEO',
    });
  });

  test.each([
    ['srt://user:secret@camera/1', 'SOURCE_KIND'],
    ['gone.mp4', 'SOURCE_NOT_FOUND'],
  ])('refuses %s', async (input, code) => {
    await expect(openSource(input)).rejects.toMatchObject({
      code,
      message: expect.not.stringContaining('secret') as string,
    });
  });

  test('what cannot be looked at is not told as missing', async () => {
    symlinkSync('loop', at('loop'));
    const inputs = [at('loop'), at('loop', '*.png'), at('x'.repeat(300)), at('loop', 'frame.png')];
    for (const input of inputs) {
      await expect(openSource(input)).rejects.toMatchObject({ code: 'SOURCE_UNREADABLE', class: 'user' });
      const source = imagesSource({ input, times: steady });
      await expect(readAll(source)).rejects.toMatchObject({ code: 'SOURCE_UNREADABLE', class: 'user' });
    }
  });

  test('what lies below a file is not there', async () => {
    await expect(openSource(at('series', 'notes.json', 'x.mp4'))).rejects.toMatchObject({ code: 'SOURCE_NOT_FOUND' });
  });

  test('a glob may be longer than a name', async () => {
    const input = at('series', `{frame_1,${'x'.repeat(300)}}.png`);
    expect((await readAll(await openSource(input, { times: steady }))).frames).toHaveLength(1);
  });

  test('a picture cut short is reported, not given', async () => {
    const file = at('cut.png');
    writeFileSync(file, await png(30, 30));
    truncateSync(file, 20);
    await expect(readAll(await openSource(file, { times: steady }))).rejects.toMatchObject({
      code: 'SOURCE_NOT_IMAGES',
    });
  });
});
