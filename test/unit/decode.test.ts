import fc from 'fast-check';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { decodePicture, mediaTypeOf, readHeader } from '../../src/pixels/decode.js';
import { encodeJpeg, encodePng } from '../../src/pixels/encode.js';
import type { Channels, EncodedPicture, Picture } from '../../src/records/index.js';
import { blackPng, tiffOf } from '../support/pictures.js';

const encodedOf = (bytes: Uint8Array): EncodedPicture => ({
  mediaType: mediaTypeOf(bytes) ?? 'image/png',
  bytes,
});

const pictures = fc
  .record({
    width: fc.integer({ min: 1, max: 9 }),
    height: fc.integer({ min: 1, max: 9 }),
    channels: fc.constantFrom<Channels>(1, 2, 3, 4),
    type: fc.constantFrom<Picture['type']>('u8', 'u16', 'f32'),
    seed: fc.integer({ min: 1, max: 2 ** 31 - 1 }),
  })
  .map(({ type, seed, ...size }): Picture => {
    const length = size.width * size.height * size.channels;
    const noise = Array.from({ length }, (_, i) => Math.imul(seed, i * 2_654_435_761 + 1) >>> 0);
    if (type === 'u8') return { ...size, type, data: Uint8Array.from(noise, (v) => v >>> 24) };
    if (type === 'u16') return { ...size, type, data: Uint16Array.from(noise, (v) => v >>> 16) };
    return { ...size, type, data: Float32Array.from(noise, (v) => v / 1_000 - 2_000_000) };
  });

describe('decodePicture', () => {
  test('gives the very samples of a TIFF: 8, 16 bit and float, grey and colour', async () => {
    await fc.assert(
      fc.asyncProperty(pictures, async (picture) => {
        expect(await decodePicture(encodedOf(tiffOf(picture)))).toEqual(picture);
      }),
      { numRuns: 60 },
    );
  });

  test('gives back what encodePng wrote', async () => {
    await fc.assert(
      fc.asyncProperty(
        pictures.filter((p) => p.type !== 'f32'),
        async (picture) => {
          expect(await decodePicture(encodedOf(await encodePng(picture)))).toEqual(picture);
        },
      ),
      { numRuns: 60 },
    );
  });

  test('applies the EXIF orientation, in header and pixels alike', async () => {
    const upright = await sharp({ create: { width: 40, height: 20, channels: 3, background: '#000' } })
      .composite([{ input: { create: { width: 20, height: 20, channels: 3, background: '#fff' } }, left: 0, top: 0 }])
      .jpeg()
      .withMetadata({ orientation: 6 })
      .toBuffer();
    expect(await readHeader(upright)).toEqual({ mediaType: 'image/jpeg', width: 20, height: 40, pages: 1 });
    const picture = await decodePicture(encodedOf(upright));
    expect([picture.width, picture.height]).toEqual([20, 40]);
    // Orientation 6 turns by 90° clockwise: the white left half comes to lie on top.
    expect(picture.data[0]).toBeGreaterThan(250);
    expect(picture.data[picture.data.length - 1]).toBeLessThan(5);
  });

  test('does not apply colour profiles', async () => {
    const data = Uint8Array.from([200, 30, 10]);
    const png = await sharp(data, { raw: { width: 1, height: 1, channels: 3 } })
      .withIccProfile('p3')
      .png()
      .toBuffer();
    const { data: stored } = await sharp(png, { ignoreIcc: true }).raw().toBuffer({ resolveWithObject: true });
    expect(Array.from((await decodePicture(encodedOf(png))).data)).toEqual(Array.from(stored));
  });

  test('fault 25: refuses a bomb by its header, naming file and limit', async () => {
    const bomb = await blackPng(5_000, 4_000);
    expect(bomb.byteLength).toBeLessThan(100_000);
    const options = { name: 'bomb.png', maxPixels: 16_000_000 };
    for (const attempt of [readHeader(bomb, options), decodePicture(encodedOf(bomb), options)]) {
      await expect(attempt).rejects.toMatchObject({
        code: 'PICTURE_TOO_LARGE',
        class: 'data',
        message: 'bomb.png has more than 16,000,000 pixels',
        exitCode: 3,
      });
    }
  });

  test.each(['png', 'jpeg', 'webp', 'tiff'] as const)('refuses a truncated %s', async (format) => {
    const noise = Buffer.from(Uint8Array.from({ length: 64 * 64 * 3 }, (_, i) => (i * 7919) % 251));
    const whole = await sharp(noise, { raw: { width: 64, height: 64, channels: 3 } })
      .toFormat(format)
      .toBuffer();
    const half = whole.subarray(0, Math.floor(whole.byteLength / 2));
    await expect(decodePicture(encodedOf(half), { name: 'half' })).rejects.toMatchObject({
      code: 'PICTURE_DAMAGED',
      message: expect.stringMatching(/^half cannot be decoded: [^\n]+$/) as string,
    });
  });

  test.each([
    ['SVG', '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'],
    ['GIF', 'GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff!\xf9\x04\x01\0\0\0\0,'],
    ['text', 'hello'],
    ['nothing', ''],
  ])('refuses %s', async (_, content) => {
    const bytes = Buffer.from(content, 'latin1');
    await expect(readHeader(bytes, { name: 'x' })).rejects.toMatchObject({ code: 'PICTURE_FORMAT' });
  });
});

describe('encode', () => {
  test('a JPEG of any picture has its size', async () => {
    await fc.assert(
      fc.asyncProperty(pictures, async (picture) => {
        const header = await readHeader(await encodeJpeg(picture, 90));
        expect(header).toMatchObject({ mediaType: 'image/jpeg', width: picture.width, height: picture.height });
      }),
      { numRuns: 30 },
    );
  });

  test('a float picture is not rounded into a PNG', async () => {
    const picture: Picture = { width: 1, height: 1, channels: 1, type: 'f32', data: Float32Array.of(0.5) };
    await expect(encodePng(picture)).rejects.toMatchObject({ code: 'PICTURE_TYPE' });
  });
});
