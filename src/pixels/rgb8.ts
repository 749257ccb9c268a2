import type { Picture, PictureU8 } from '../records/index.js';

/**
 * A picture as a viewer would show it: 8 bit, three channels. For models and people only; measures keep their samples.
 *
 * Rule: `u8` stays as it is; `u16` and `f32` are stretched linearly from their own least to their own greatest finite
 * colour sample onto 0–255 (not finite: 0; a picture of one value: 0). Grey is repeated. Alpha (0–255, 0–65,535, 0–1)
 * lays the picture over white.
 */
export function toRgb8(picture: Picture): PictureU8 {
  if (picture.type === 'u8' && picture.channels === 3) return picture;
  const { width, height, channels, data: source } = picture;
  const hasAlpha = channels % 2 === 0;
  const colours = hasAlpha ? channels - 1 : channels;
  const opaque = picture.type === 'u8' ? 255 : picture.type === 'u16' ? 65_535 : 1;
  const [low, scale] = picture.type === 'u8' ? [0, 1] : stretchOf(source, channels, colours);
  const data = new Uint8Array(width * height * 3);
  for (let i = 0, o = 0; i < source.length; i += channels) {
    const alpha = hasAlpha ? Math.min(1, Math.max(0, source[i + colours] / opaque)) : 1;
    for (let c = 0; c < 3; c++, o++) {
      const sample = source[colours === 3 ? i + c : i];
      const level = Number.isFinite(sample) ? (sample - low) * scale : 0;
      data[o] = Math.round(level * alpha + 255 * (1 - alpha));
    }
  }
  return { type: 'u8', width, height, channels: 3, data };
}

/** Least finite colour sample, and levels of 255 per unit above it. */
function stretchOf(source: Picture['data'], channels: number, colours: number): [low: number, scale: number] {
  let low = Infinity;
  let high = -Infinity;
  for (let i = 0; i < source.length; i++) {
    if (i % channels >= colours || !Number.isFinite(source[i])) continue;
    if (source[i] < low) low = source[i];
    if (source[i] > high) high = source[i];
  }
  return high > low ? [low, 255 / (high - low)] : [Number.isFinite(low) ? low : 0, 0];
}
