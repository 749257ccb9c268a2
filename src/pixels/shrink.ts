import type { FrameContent } from '../records/index.js';
import { planesOf } from './yuv420.js';

export interface ShrunkSize {
  readonly width: number;
  readonly height: number;
  /** Each sample stands for so many in a row and as many in a column. */
  readonly block: number;
}

/** What `shrunk` makes of a size: sides are even, so that planes of chroma are halves of that of luma. */
export function shrunkSize(width: number, height: number, widestPx: number): ShrunkSize {
  const block = Math.ceil(width / widestPx);
  const side = (px: number) => Math.max(2, Math.floor(px / block / 2) * 2);
  return { width: side(width), height: side(height), block };
}

/**
 * A smaller copy of pixels, by the mean of whole blocks, at most `widestPx` wide: cheap enough for a thread that frames pass
 * through. Encoded pictures are given back as they are; undefined for samples of more than 8 bits.
 */
export function shrunk(content: FrameContent, widestPx: number): FrameContent | undefined {
  if (content.form === 'encoded') return content;
  const { picture } = content;
  const size = shrunkSize(picture.width, picture.height, widestPx);
  const { width, height } = size;
  if (picture.type === 'u8') {
    const data = new Uint8Array(width * height * picture.channels);
    meansInto(data, picture, size);
    return { form: 'pixels', picture: { ...picture, width, height, data } };
  }
  if (picture.type !== 'yuv420') return undefined;
  const { y, u, v, chromaWidth, chromaHeight } = planesOf(picture);
  const data = new Uint8Array(width * height * 1.5);
  meansInto(data, { ...picture, channels: 1, data: y }, size);
  const chroma = { width: chromaWidth, height: chromaHeight, channels: 1 };
  const half = { ...size, width: width / 2, height: height / 2 };
  meansInto(data.subarray(width * height), { ...chroma, data: u }, half);
  meansInto(data.subarray(width * height * 1.25), { ...chroma, data: v }, half);
  return { form: 'yuv420', picture: { ...picture, width, height, data } };
}

/** How many bytes `shrunk` comes to; undefined where it gives nothing. */
export function shrunkBytes(content: FrameContent, widestPx: number): number | undefined {
  if (content.form === 'encoded') return content.encoded.bytes.byteLength;
  const { picture } = content;
  const { width, height } = shrunkSize(picture.width, picture.height, widestPx);
  if (picture.type === 'yuv420') return width * height * 1.5;
  return picture.type === 'u8' ? width * height * picture.channels : undefined;
}

/** Blocks beyond the last row or column take its samples again. */
function meansInto(
  target: Uint8Array,
  source: { readonly width: number; readonly height: number; readonly channels: number; readonly data: Uint8Array },
  { width, height, block }: ShrunkSize,
): void {
  const { channels, data } = source;
  const wide = width * channels;
  if (block === 1 && width <= source.width && height <= source.height) {
    for (let y = 0; y < height; y++) {
      const row = y * source.width * channels;
      target.set(data.subarray(row, row + wide), y * wide);
    }
    return;
  }
  // Where each block's samples begin in their row, so that the border is asked for once and not sample by sample.
  const columns = Int32Array.from({ length: width * block }, (_, x) => Math.min(source.width - 1, x) * channels);
  const sums = new Uint32Array(wide);
  const area = block * block;
  for (let y = 0, o = 0; y < height; y++) {
    sums.fill(area >> 1);
    for (let dy = 0; dy < block; dy++) {
      const row = Math.min(source.height - 1, y * block + dy) * source.width * channels;
      for (let x = 0, k = 0; x < columns.length; k += channels) {
        for (const end = x + block; x < end; x++) {
          const i = row + columns[x];
          for (let c = 0; c < channels; c++) sums[k + c] += data[i + c];
        }
      }
    }
    for (let k = 0; k < sums.length; k++, o++) target[o] = sums[k] / area;
  }
}
