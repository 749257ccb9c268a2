import { crop } from '../pixels/crop.js';
import { resize } from '../pixels/resize.js';
import { toRgb8 } from '../pixels/rgb8.js';
import type { Picture, Region } from '../records/index.js';
import type { Models } from './models.js';
import { rgbUnit } from './tensor.js';

const INPUT_PX = 224;
/** Looks agree above this, cosine: one thing in another place, in another colour or in other light. */
export const SAME_LOOK = 0.6;

/**
 * What a picture, or the part of it under `region` (px), looks like: 1,792 values of unit length (all zero where the
 * network gives nothing). Compare two with `cosine`.
 *
 * Method: feature vector of MobileNetV2 on the part stretched to 224×224 in 0–1; `u16` and `f32` pictures as `toRgb8`
 * shows them.
 *
 * @throws BlinkstreamError as `Models.run`; `REGION_OUTSIDE`
 */
export async function embed(
  models: Models,
  picture: Picture,
  { region }: { readonly region?: Region } = {},
): Promise<Float32Array> {
  const rgb = toRgb8(picture);
  const [features] = await models.run(
    'embedding',
    rgbUnit(resize(region ? crop(rgb, region) : rgb, INPUT_PX, INPUT_PX)),
  );
  return unitLength(features.values);
}

function unitLength(vector: Float32Array): Float32Array {
  const length = Math.sqrt(dot(vector, vector));
  return length > 0 ? vector.map((value) => value / length) : vector;
}

/** Cosine of the angle between two vectors of the same length, −1…1; 1 is the same direction. 0 if one is zero. */
export function cosine(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const lengths = Math.sqrt(dot(a, a) * dot(b, b));
  return lengths > 0 ? dot(a, b) / lengths : 0;
}

/** A look in a byte a value, for keeping: as long as it is compared by `cosine`, its scale does not matter. */
export const compactLook = (look: ArrayLike<number>): Int8Array => {
  let largest = 0;
  for (let i = 0; i < look.length; i++) largest = Math.max(largest, Math.abs(look[i]));
  return Int8Array.from(look, (value) => (largest > 0 ? Math.round((value / largest) * 127) : 0));
};

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}
