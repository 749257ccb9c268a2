import type { Region } from '../../records/index.js';
import { contrastOf, type Raster } from './raster.js';

/**
 * Letters that are drawn anew differ in how their edges are smoothed. Smoothed over 3 px a stroke of one pixel that moves
 * by half a pixel changes by a sixth of its contrast; one that is moved by one pixel, or is not there, by a third.
 */
const renderingShare = 0.2;
/** Noise of a lossy picture, levels. */
const noiseLevels = 6;

/**
 * Whether two parts of the same size look the same but for how edges are smoothed, each with a margin of a pixel.
 * @param contrast of ink to paper, levels
 */
export function looksSame(
  a: Raster,
  at: Region,
  b: Raster,
  offset: { dx: number; dy: number },
  contrast: number,
): boolean {
  const limit = Math.max(noiseLevels, renderingShare * contrast);
  for (let y = at.y; y < at.y + at.height; y++) {
    for (let x = at.x; x < at.x + at.width; x++) {
      for (const shift of [16, 8, 0]) {
        const difference = smoothed(a, x, y, shift) - smoothed(b, x + offset.dx, y + offset.dy, shift);
        if (Math.abs(difference) > limit) return false;
      }
    }
  }
  return true;
}

/** Mean of a channel over 3 × 3 px; what is beyond the border looks as the border does. */
function smoothed({ width, height, colours }: Raster, x: number, y: number, shift: number): number {
  let sum = 0;
  for (let dy = -1; dy <= 1; dy++) {
    const row = Math.min(height - 1, Math.max(0, y + dy)) * width;
    for (let dx = -1; dx <= 1; dx++) {
      sum += (colours[row + Math.min(width - 1, Math.max(0, x + dx))] >> shift) & 255;
    }
  }
  return sum / 9;
}

/**
 * Of two pieces of ink, whether one is the other in another colour: where each pixel lies between paper and ink, as a
 * share, smoothed as `looksSame` does it.
 */
export function hasSameShape(
  a: { raster: Raster; region: Region; paper: number; colour: number },
  b: { raster: Raster; region: Region; paper: number; colour: number },
): boolean {
  if (a.region.width !== b.region.width || a.region.height !== b.region.height) return false;
  const share = (one: typeof a, x: number, y: number): number =>
    contrastOf(one.raster.colours[(one.region.y + y) * one.raster.width + one.region.x + x], one.paper) /
    Math.max(1, contrastOf(one.colour, one.paper));
  let [apart, ink] = [0, 0];
  for (let y = 0; y < a.region.height; y++) {
    for (let x = 0; x < a.region.width; x++) {
      const [p, q] = [Math.min(1, share(a, x, y)), Math.min(1, share(b, x, y))];
      apart += Math.abs(p - q);
      ink += Math.max(p, q);
    }
  }
  return apart <= renderingShare * ink;
}
