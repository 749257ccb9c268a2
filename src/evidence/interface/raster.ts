import { toRgb8 } from '../../pixels/rgb8.js';
import type { Picture } from '../../records/index.js';

/** A picture with one number a pixel, `r << 16 | g << 8 | b`: equal colours are equal numbers. */
export interface Raster {
  readonly width: number;
  readonly height: number;
  readonly colours: Uint32Array;
}

export function rasterOf(picture: Picture): Raster {
  const { width, height, data } = toRgb8(picture);
  const colours = new Uint32Array(width * height);
  for (let i = 0, o = 0; i < colours.length; i++, o += 3)
    colours[i] = (data[o] << 16) | (data[o + 1] << 8) | data[o + 2];
  return { width, height, colours };
}

/** The largest difference of two colours in a channel, levels. */
export function contrastOf(a: number, b: number): number {
  return Math.max(
    Math.abs(((a >> 16) & 255) - ((b >> 16) & 255)),
    Math.abs(((a >> 8) & 255) - ((b >> 8) & 255)),
    Math.abs((a & 255) - (b & 255)),
  );
}

/** `#rrggbb` */
export const hexOf = (colour: number): string => `#${colour.toString(16).padStart(6, '0')}`;
