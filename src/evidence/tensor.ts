import type { PictureU8 } from '../records/index.js';
import type { Tensor } from './models.js';

/** Per channel of the model: `value = (level - mean) / std`. */
export interface Normalisation {
  readonly mean: readonly [number, number, number];
  readonly std: readonly [number, number, number];
}

/**
 * An RGB picture as `[1, 3, height, width]` planes in the order blue, green, red, as OpenCV-trained models want them.
 * `normalisation` is in that order too.
 */
export function bgrPlanes(picture: PictureU8, { mean, std }: Normalisation): Tensor {
  const { width, height, data } = picture;
  const plane = width * height;
  const values = new Float32Array(3 * plane);
  for (let c = 0; c < 3; c++) {
    for (let i = 0, from = 2 - c; i < plane; i++, from += 3) values[c * plane + i] = (data[from] - mean[c]) / std[c];
  }
  return { dims: [1, 3, height, width], values };
}

/** An RGB picture as `[1, height, width, 3]` in 0–1. */
export function rgbUnit(picture: PictureU8): Tensor {
  const values = new Float32Array(picture.data.length);
  for (let i = 0; i < values.length; i++) values[i] = picture.data[i] / 255;
  return { dims: [1, picture.height, picture.width, 3], values };
}
