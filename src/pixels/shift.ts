import type { CellGrid } from './cells.js';

/** A shift of the whole picture in plane samples, and how much of the difference it explains (0–1). */
export interface PlaneShift {
  readonly dx: number;
  readonly dy: number;
  readonly explained: number;
  /** Mean luma gradients of the reference in each cell, per plane sample. */
  readonly gradientX: Float32Array;
  readonly gradientY: Float32Array;
}

/**
 * Least-squares shift between two planes of the same scene by one Lucas–Kanade step over the whole picture; good below
 * about one and a half samples. `reference` is first brought to the light of `plane` by `gain` and `offset`.
 * Source: B. Lucas, T. Kanade, "An Iterative Image Registration Technique", IJCAI 1981.
 */
export function planeShift(
  reference: Uint8Array,
  plane: Uint8Array,
  grid: Pick<CellGrid, 'planeWidth' | 'planeHeight' | 'columns' | 'rows'>,
  light: { readonly gain: number; readonly offset: number },
): PlaneShift {
  const { planeWidth, planeHeight, columns, rows } = grid;
  const gradientX = new Float32Array(columns * rows);
  const gradientY = new Float32Array(columns * rows);
  const { gain, offset } = light;
  let xx = 0;
  let xy = 0;
  let yy = 0;
  let xt = 0;
  let yt = 0;
  for (let y = 1; y < planeHeight - 1; y++) {
    const row = Math.min(rows - 1, y >> 2) * columns;
    for (let x = 1; x < planeWidth - 1; x++) {
      const i = y * planeWidth + x;
      const gx = (reference[i + 1] - reference[i - 1]) * 0.5 * gain;
      const gy = (reference[i + planeWidth] - reference[i - planeWidth]) * 0.5 * gain;
      const c = row + Math.min(columns - 1, x >> 2);
      gradientX[c] += gx;
      gradientY[c] += gy;
      const t = plane[i] - gain * reference[i] - offset;
      // Large differences are things, not a shift.
      if (t > 60 || t < -60) continue;
      xx += gx * gx;
      xy += gx * gy;
      yy += gy * gy;
      xt += gx * t;
      yt += gy * t;
    }
  }
  for (let c = 0; c < gradientX.length; c++) {
    gradientX[c] /= 16;
    gradientY[c] /= 16;
  }
  const determinant = xx * yy - xy * xy;
  if (determinant <= 1e-3 * xx * yy || determinant === 0) return { dx: 0, dy: 0, explained: 0, gradientX, gradientY };
  // plane(x) ≈ reference(x - d): t = -(gx dx + gy dy)
  const dx = -(yy * xt - xy * yt) / determinant;
  const dy = -(xx * yt - xy * xt) / determinant;
  let before = 0;
  let after = 0;
  for (let y = 1; y < planeHeight - 1; y += 2) {
    for (let x = 1; x < planeWidth - 1; x += 2) {
      const i = y * planeWidth + x;
      const gx = (reference[i + 1] - reference[i - 1]) * 0.5 * gain;
      const gy = (reference[i + planeWidth] - reference[i - planeWidth]) * 0.5 * gain;
      const t = plane[i] - gain * reference[i] - offset;
      if (t > 60 || t < -60) continue;
      before += t * t;
      const rest = t + gx * dx + gy * dy;
      after += rest * rest;
    }
  }
  return { dx, dy, explained: before === 0 ? 0 : Math.max(0, 1 - after / before), gradientX, gradientY };
}
