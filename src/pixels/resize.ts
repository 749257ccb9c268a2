import type { PictureU8 } from '../records/index.js';

/** For each target sample: where its source samples begin, and their weights, which add up to one. */
interface Taps {
  readonly count: number;
  readonly first: Int32Array;
  readonly weights: Float32Array;
}

/**
 * Triangle filter on half-pixel centres. Its half-width is one source sample when enlarging (bilinear) and one target
 * sample when shrinking, so that no source sample is skipped (no aliasing). Borders repeat by renormalised weights.
 */
function triangleTaps(from: number, to: number): Taps {
  const scale = from / to;
  const halfWidth = Math.max(1, scale);
  const count = Math.min(from, Math.ceil(halfWidth) * 2 + 1);
  const first = new Int32Array(to);
  const weights = new Float32Array(to * count);
  for (let i = 0; i < to; i++) {
    const centre = (i + 0.5) * scale - 0.5;
    const start = Math.max(0, Math.min(from - count, Math.ceil(centre - halfWidth)));
    first[i] = start;
    let sum = 0;
    for (let k = 0; k < count; k++) {
      const weight = Math.max(0, 1 - Math.abs(start + k - centre) / halfWidth);
      weights[i * count + k] = weight;
      sum += weight;
    }
    for (let k = 0; k < count; k++) weights[i * count + k] /= sum;
  }
  return { count, first, weights };
}

/**
 * `picture` at another size (px, ≥ 1 each), the aspect as the caller wants it: bilinear when enlarging, weighted area
 * mean when shrinking. Rounded to the nearest level; the same input gives the same bytes everywhere.
 */
export function resize(picture: PictureU8, width: number, height: number): PictureU8 {
  const { channels, data: source, height: sourceHeight } = picture;
  if (width === picture.width && height === sourceHeight) return picture;
  const across = triangleTaps(picture.width, width);
  const down = triangleTaps(sourceHeight, height);
  const rowSamples = width * channels;
  const narrowed = new Float32Array(rowSamples * sourceHeight);
  for (let y = 0, o = 0; y < sourceHeight; y++) {
    const row = y * picture.width * channels;
    for (let x = 0; x < width; x++) {
      const from = row + across.first[x] * channels;
      const w = x * across.count;
      for (let c = 0; c < channels; c++, o++) {
        let sum = 0;
        for (let k = 0, i = from + c; k < across.count; k++, i += channels) sum += source[i] * across.weights[w + k];
        narrowed[o] = sum;
      }
    }
  }
  const data = new Uint8Array(rowSamples * height);
  const line = new Float32Array(rowSamples);
  for (let y = 0; y < height; y++) {
    line.fill(0.5); // So that cutting off the fraction rounds.
    for (let k = 0; k < down.count; k++) {
      const weight = down.weights[y * down.count + k];
      if (weight === 0) continue;
      const from = (down.first[y] + k) * rowSamples;
      for (let i = 0; i < rowSamples; i++) line[i] += weight * narrowed[from + i];
    }
    data.set(line, y * rowSamples);
  }
  return { type: 'u8', width, height, channels, data };
}
