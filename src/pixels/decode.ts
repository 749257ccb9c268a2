import type { Metadata } from 'sharp';
import { BlinkstreamError, messageOf, type EncodedPicture, type Picture, type PictureU8 } from '../records/index.js';
import { plainHeader } from './plain-header.js';
import { toRgb8 } from './rgb8.js';
import { DEFAULT_MAX_PIXELS, openPicture } from './sharp.js';

export interface DecodeOptions {
  /** How errors call the picture; its file name, say. */
  readonly name?: string;
  /** Pixels that it may have at most; default 100,000,000. */
  readonly maxPixels?: number;
}

export interface PictureHeader {
  readonly mediaType: EncodedPicture['mediaType'];
  /** As decoded: after the EXIF orientation. */
  readonly width: number;
  readonly height: number;
  /** Pages of a TIFF, frames of an animation; 1 for everything else. */
  readonly pages: number;
}

/** The format by the first bytes, whatever the name says; undefined where it is none that is read. */
export function mediaTypeOf(bytes: Uint8Array): EncodedPicture['mediaType'] | undefined {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(16, bytes.byteLength)).toString('latin1');
  if (head.startsWith('\xff\xd8\xff')) return 'image/jpeg';
  if (head.startsWith('\x89PNG\r\n\x1a\n')) return 'image/png';
  if (head.startsWith('RIFF') && head.slice(8, 12) === 'WEBP') return 'image/webp';
  // Little and big endian, each also as BigTIFF.
  if (/^(?:II[*+]\0|MM\0[*+])/.test(head)) return 'image/tiff';
  return undefined;
}

/**
 * What the header says; no pixel is decoded.
 * @throws BlinkstreamError class `data`: `PICTURE_FORMAT`, `PICTURE_TOO_LARGE`, `PICTURE_DAMAGED`
 */
export async function readHeader(bytes: Uint8Array, options: DecodeOptions = {}): Promise<PictureHeader> {
  const plain = plainHeader(bytes);
  if (plain !== undefined) {
    if (plain.width * plain.height > (options.maxPixels ?? DEFAULT_MAX_PIXELS)) throw tooLarge(options);
    const { mediaType, width, height } = plain;
    return { mediaType, width, height, pages: 1 };
  }
  const { metadata, mediaType } = await metadataOf(bytes, options);
  const { width, height } = metadata.autoOrient;
  return { mediaType, width, height, pages: metadata.pages ?? 1 };
}

/**
 * The picture with its samples as they are: 16 bit stays `u16`; float and other depths come as `f32`; alpha is kept as
 * the last channel; grey stays one channel. The EXIF orientation is applied. Colour profiles are not: the samples are
 * those of the file (only CMYK and the like become sRGB). Of several pages the first is decoded.
 * @throws BlinkstreamError class `data`: `PICTURE_FORMAT`, `PICTURE_TOO_LARGE`, `PICTURE_DAMAGED`
 */
export async function decodePicture(encoded: EncodedPicture, options: DecodeOptions = {}): Promise<Picture> {
  const { depth, space, hasAlpha } = await samplesOf(encoded.bytes, options);
  // libvips's plain grey loses alpha on output, so grey + alpha goes out as RGBA with three equal channels.
  const greyAlpha = space === 'b-w' && hasAlpha;
  try {
    const { data, info } = await openPicture(encoded.bytes, decodeLimits(options))
      .autoOrient()
      .toColourspace(greyAlpha ? 'srgb' : space)
      .raw({ depth })
      .toBuffer({ resolveWithObject: true });
    const size = { width: info.width, height: info.height };
    const picture = pictureOf(size, info.channels, depth, data);
    return greyAlpha ? withoutRepeatedGrey(picture) : picture;
  } catch (error) {
    throw decodeError(error, options);
  }
}

/**
 * A picture as a browser shows it: 8-bit sRGB, upright, over white. Samples of 16 bit lose their lower half.
 * @throws BlinkstreamError as `decodePicture`
 */
export async function decodeShown(encoded: EncodedPicture, options: DecodeOptions = {}): Promise<PictureU8> {
  await metadataOf(encoded.bytes, options);
  try {
    const { data, info } = await openPicture(encoded.bytes, decodeLimits(options))
      .autoOrient()
      .flatten({ background: '#ffffff' })
      .toColourspace('srgb')
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true });
    const picture = pictureOf({ width: info.width, height: info.height }, info.channels, 'uchar', data);
    return toRgb8(picture);
  } catch (error) {
    throw decodeError(error, options);
  }
}

/**
 * An 8-bit view of a picture, sRGB and upright, shrunk to this size: for people only. JPEG is not even decoded larger.
 * @throws BlinkstreamError as `decodePicture`
 */
export async function decodeSmall(encoded: EncodedPicture, width: number, height: number): Promise<PictureU8> {
  try {
    const { data } = await openPicture(encoded.bytes, decodeLimits({}))
      .autoOrient()
      .resize(width, height, { fit: 'fill', kernel: 'linear' })
      .flatten({ background: '#ffffff' })
      .toColourspace('srgb')
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true });
    return pictureOf({ width, height }, 3, 'uchar', data) as PictureU8;
  } catch (error) {
    throw decodeError(error, {});
  }
}

interface Samples {
  readonly depth: 'uchar' | 'ushort' | 'float';
  /** libvips converts to 8-bit sRGB unless told to stay where it is, and from there back up to the depth asked for. */
  readonly space: Metadata['space'];
  readonly hasAlpha: boolean;
}

/** How the picture is to come out. Asking the library costs a tenth of decoding, so a plain JPEG is not asked about. */
async function samplesOf(bytes: Uint8Array, options: DecodeOptions): Promise<Samples> {
  const plain = plainHeader(bytes)?.space;
  if (plain !== undefined) return { depth: 'uchar', space: plain, hasAlpha: false };
  const { metadata } = await metadataOf(bytes, options);
  return {
    depth: metadata.depth === 'uchar' || metadata.depth === 'ushort' ? metadata.depth : 'float',
    space: ownSpaces.has(metadata.space) ? metadata.space : 'srgb',
    hasAlpha: metadata.hasAlpha,
  };
}

/** Colour spaces that come out unchanged. */
const ownSpaces = new Set<Metadata['space']>(['b-w', 'grey16', 'srgb', 'rgb16', 'scrgb']);

const decodeLimits = ({ maxPixels = DEFAULT_MAX_PIXELS }: DecodeOptions) => ({
  limitInputPixels: maxPixels,
  ignoreIcc: true,
});

async function metadataOf(bytes: Uint8Array, options: DecodeOptions) {
  const mediaType = mediaTypeOf(bytes);
  if (mediaType === undefined) {
    const problem = bytes.byteLength === 0 ? 'is empty' : 'is not a picture of a format that is read';
    throw new BlinkstreamError(`${nameOf(options)} ${problem}`, {
      code: 'PICTURE_FORMAT',
      class: 'data',
      stage: 'source',
      hint: 'give JPEG, PNG, WebP or TIFF',
    });
  }
  try {
    const metadata = await openPicture(bytes, decodeLimits(options)).metadata();
    return { metadata, mediaType };
  } catch (error) {
    throw decodeError(error, options);
  }
}

function pictureOf(
  size: { width: number; height: number },
  channels: 1 | 2 | 3 | 4,
  depth: 'uchar' | 'ushort' | 'float',
  data: Buffer,
): Picture {
  const { buffer, byteOffset, byteLength } = data;
  if (depth === 'uchar') {
    return { ...size, channels, type: 'u8', data: new Uint8Array(buffer, byteOffset, byteLength) };
  }
  if (depth === 'ushort') {
    return { ...size, channels, type: 'u16', data: new Uint16Array(buffer, byteOffset, byteLength / 2) };
  }
  return { ...size, channels, type: 'f32', data: new Float32Array(buffer, byteOffset, byteLength / 4) };
}

/** RGBA with equal colours to grey + alpha, in place of the same array. */
function withoutRepeatedGrey(picture: Picture): Picture {
  const { data } = picture;
  const pixels = data.length / 4;
  for (let i = 0; i < pixels; i++) {
    data[2 * i] = data[4 * i];
    data[2 * i + 1] = data[4 * i + 3];
  }
  return { ...picture, channels: 2, data: data.slice(0, 2 * pixels) } as Picture;
}

const nameOf = (options: DecodeOptions): string => options.name ?? 'the picture';

function decodeError(error: unknown, options: DecodeOptions): BlinkstreamError {
  const reason = (messageOf(error).split('\n').at(0) ?? '').trim();
  if (/pixel limit/i.test(reason)) return tooLarge(options, error);
  return new BlinkstreamError(`${nameOf(options)} cannot be decoded: ${reason}`, {
    code: 'PICTURE_DAMAGED',
    class: 'data',
    stage: 'source',
    hint: 'the file is truncated or damaged: write it again',
    cause: error,
  });
}

function tooLarge(options: DecodeOptions, cause?: unknown): BlinkstreamError {
  const limit = (options.maxPixels ?? DEFAULT_MAX_PIXELS).toLocaleString('en-US');
  return new BlinkstreamError(`${nameOf(options)} has more than ${limit} pixels`, {
    code: 'PICTURE_TOO_LARGE',
    class: 'data',
    stage: 'source',
    hint: 'scale it down, or raise maxPixels if you trust where it comes from',
    cause,
  });
}
