import type { Region } from '../../records/index.js';
import type { Mark } from './marks.js';
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

/** Ink and the box around it. */
export interface Ink {
  readonly raster: Raster;
  readonly region: Region;
  readonly marks: readonly Mark[];
}

/**
 * Whether two pieces of ink have one form, whatever colours their parts have: where each pixel lies between the paper and
 * the colour of its mark, as a share. For boxes of one size.
 */
export function hasSameShape(a: Ink, b: Ink): boolean {
  if (a.region.width !== b.region.width || a.region.height !== b.region.height) return false;
  const [p, q] = [sharesOf(a), sharesOf(b)];
  let [apart, ink] = [0, 0];
  for (let at = 0; at < p.length; at++) {
    apart += Math.abs(p[at] - q[at]);
    ink += Math.max(p[at], q[at]);
  }
  return apart <= renderingShare * ink;
}

function sharesOf({ raster: { width, colours }, region, marks }: Ink): Float32Array {
  const shares = new Float32Array(region.width * region.height);
  for (const { pixels, paper, colour } of marks) {
    const whole = Math.max(1, contrastOf(colour, paper));
    for (const pixel of pixels) {
      const x = (pixel % width) - region.x;
      const y = Math.floor(pixel / width) - region.y;
      if (x < 0 || y < 0 || x >= region.width || y >= region.height) continue;
      shares[y * region.width + x] = Math.min(1, contrastOf(colours[pixel], paper) / whole);
    }
  }
  return shares;
}
