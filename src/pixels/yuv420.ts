import type { PictureU8, Yuv420Picture, YuvColour } from '../records/index.js';

/** The planes of a picture, views of its samples. */
export interface YuvPlanes {
  readonly y: Uint8Array;
  readonly u: Uint8Array;
  readonly v: Uint8Array;
  readonly chromaWidth: number;
  readonly chromaHeight: number;
}

export function planesOf({ width, height, data }: Yuv420Picture): YuvPlanes {
  const chromaWidth = Math.ceil(width / 2);
  const chromaHeight = Math.ceil(height / 2);
  const uAt = width * height;
  const vAt = uAt + chromaWidth * chromaHeight;
  return { y: data.subarray(0, uAt), u: data.subarray(uAt, vAt), v: data.subarray(vAt), chromaWidth, chromaHeight };
}

/** Shares of red and blue in luma. Source: ITU-R BT.601-7 and BT.709-6, each 2.5.1 and 3.2. */
const shares = { bt601: { red: 0.299, blue: 0.114 }, bt709: { red: 0.2126, blue: 0.0722 } } as const;

/** Samples to grey levels of 0–255: `luma * (y − black)`, `B − Y = blue * (u − 128)`, `R − Y = red * (v − 128)`. */
export function scalesOf({ matrix, range }: YuvColour): { luma: number; black: number; blue: number; red: number } {
  const { red, blue } = shares[matrix];
  const chroma = range === 'full' ? 1 : 255 / 224;
  return {
    luma: range === 'full' ? 1 : 255 / 219,
    black: range === 'full' ? 0 : 16,
    blue: 2 * (1 - blue) * chroma,
    red: 2 * (1 - red) * chroma,
  };
}

/** Bits after the point: products of a sample and the largest factor stay within 32 bits. */
const BITS = 16;

/**
 * RGB of a picture in planes. Each chroma sample holds for its 2×2 pixels, as players and ffmpeg do by default. Integer
 * arithmetic, so the same samples give the same picture on every machine.
 */
export function yuvToRgb(picture: Yuv420Picture): PictureU8 {
  const { width, height } = picture;
  const { y, u, v, chromaWidth } = planesOf(picture);
  const scales = scalesOf(picture);
  const share = shares[picture.matrix];
  const green = 1 - share.red - share.blue;
  const fixed = (factor: number) => Math.round(factor * (1 << BITS));
  const luma = fixed(scales.luma);
  const red = fixed(scales.red);
  const blue = fixed(scales.blue);
  const greenByU = fixed((-scales.blue * share.blue) / green);
  const greenByV = fixed((-scales.red * share.red) / green);
  const zero = (1 << (BITS - 1)) - scales.black * luma;
  const data = new Uint8Array(width * height * 3);
  // Same memory; stores clamp to 0–255.
  const out = new Uint8ClampedArray(data.buffer);
  for (let row = 0; row < height; row++) {
    const chromaAt = (row >> 1) * chromaWidth;
    let i = row * width;
    let o = 3 * i;
    for (let x = 0; x < width; x++, i++, o += 3) {
      const c = chromaAt + (x >> 1);
      const cu = u[c] - 128;
      const cv = v[c] - 128;
      const level = y[i] * luma + zero;
      out[o] = (level + cv * red) >> BITS;
      out[o + 1] = (level + cu * greenByU + cv * greenByV) >> BITS;
      out[o + 2] = (level + cu * blue) >> BITS;
    }
  }
  return { type: 'u8', width, height, channels: 3, data };
}
