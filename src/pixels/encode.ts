import { BlinkstreamError, type Picture, type PictureU8 } from '../records/index.js';
import { toRgb8 } from './rgb8.js';
import { openPicture } from './sharp.js';

/** JPEG of the 8-bit view (`toRgb8`); `quality` 1–100. */
export async function encodeJpeg(picture: Picture, quality: number): Promise<Uint8Array> {
  const { data, width, height } = toRgb8(picture);
  return openPicture(data, { raw: { width, height, channels: 3 } })
    .jpeg({ quality })
    .toBuffer();
}

/**
 * A moving picture in WebP that repeats for ever: pictures of one size, three channels, each shown for `frameMs`. Encoded for
 * speed; `quality` 1–100.
 */
export async function encodeAnimation(
  pictures: readonly PictureU8[],
  frameMs: number,
  quality: number,
): Promise<Uint8Array> {
  const [{ width, height }] = pictures;
  const bytes = width * height * 3;
  const pages = new Uint8Array(bytes * pictures.length);
  for (const [i, { data }] of pictures.entries()) pages.set(data, i * bytes);
  const raw = { width, height: height * pictures.length, channels: 3, pageHeight: height } as const;
  return openPicture(pages, { raw })
    .webp({ quality, effort: 0, loop: 0, delay: pictures.map(() => frameMs) })
    .toBuffer();
}

/**
 * Lossless PNG, encoded for speed rather than size; 16 bit stays 16 bit.
 * @throws BlinkstreamError `PICTURE_TYPE` for `f32`, which PNG cannot hold
 */
export async function encodePng(picture: Picture): Promise<Uint8Array> {
  const { width, height, channels } = picture;
  if (picture.type === 'f32') {
    throw new BlinkstreamError('a floating point picture cannot be written as PNG', {
      code: 'PICTURE_TYPE',
      class: 'internal',
      stage: 'source',
      hint: 'encode toRgb8(picture), its 8-bit view',
    });
  }
  const grey = channels < 3;
  const space = picture.type === 'u16' ? (grey ? 'grey16' : 'rgb16') : grey ? 'b-w' : 'srgb';
  return openPicture(picture.data, { raw: { width, height, channels } })
    .toColourspace(space)
    .png({ compressionLevel: 2, adaptiveFiltering: false })
    .toBuffer();
}
