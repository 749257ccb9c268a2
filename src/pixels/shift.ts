import { CELL, type CellGrid } from './cells.js';

/** A shift of the whole picture in plane samples, and how much of the difference it explains (0–1). */
export interface PlaneShift {
  readonly dx: number;
  readonly dy: number;
  readonly explained: number;
}

/** Samples that tell a shift well enough: two unknowns, so more of them cost time only. */
const SAMPLES = 9_600;
/** Larger differences are things, not a shift, grey levels. */
const MOST_DIFFERENCE = 60;

/**
 * Least-squares shift between two planes of the same scene by one Lucas–Kanade step over the whole picture; good below
 * about one and a half samples. `reference` is first brought to the light of `plane` by `gain` and `offset`.
 * Source: B. Lucas, T. Kanade, "An Iterative Image Registration Technique", IJCAI 1981.
 */
export function planeShift(
  reference: Uint8Array,
  plane: Uint8Array,
  { planeWidth, planeHeight }: Pick<CellGrid, 'planeWidth' | 'planeHeight'>,
  { gain, offset }: { readonly gain: number; readonly offset: number },
): PlaneShift {
  const step = Math.max(1, Math.floor((planeWidth * planeHeight) / SAMPLES));
  const slope = 0.5 * gain;
  let xx = 0;
  let xy = 0;
  let yy = 0;
  let xt = 0;
  let yt = 0;
  let tt = 0;
  for (let y = 1; y < planeHeight - 1; y++) {
    const row = y * planeWidth;
    // Each row begins elsewhere, so that a pattern of the scene cannot hide between the samples.
    for (let i = row + 1 + (y % step), end = row + planeWidth - 1; i < end; i += step) {
      const t = plane[i] - gain * reference[i] - offset;
      if (t > MOST_DIFFERENCE || t < -MOST_DIFFERENCE) continue;
      const gx = (reference[i + 1] - reference[i - 1]) * slope;
      const gy = (reference[i + planeWidth] - reference[i - planeWidth]) * slope;
      xx += gx * gx;
      xy += gx * gy;
      yy += gy * gy;
      xt += gx * t;
      yt += gy * t;
      tt += t * t;
    }
  }
  const determinant = xx * yy - xy * xy;
  if (determinant <= 1e-3 * xx * yy || determinant === 0) return { dx: 0, dy: 0, explained: 0 };
  // plane(x) ≈ reference(x - d): t = -(gx dx + gy dy)
  const dx = -(yy * xt - xy * yt) / determinant;
  const dy = -(xx * yt - xy * xt) / determinant;
  // What the normal equations leave of Σt².
  const left = tt + dx * xt + dy * yt;
  return { dx, dy, explained: tt === 0 ? 0 : Math.max(0, 1 - left / tt) };
}

/** Mean luma gradients of a plane in each cell, grey levels per sample. */
export function cellGradients(
  plane: Uint8Array,
  grid: CellGrid,
): { readonly x: Float32Array; readonly y: Float32Array } {
  const { planeWidth, planeHeight, columns, rows } = grid;
  const gradients = { x: new Float32Array(columns * rows), y: new Float32Array(columns * rows) };
  for (let row = 0, c = 0; row < rows; row++) {
    const top = Math.max(1, row * CELL);
    const bottom = Math.min(planeHeight - 2, row * CELL + CELL - 1);
    for (let column = 0; column < columns; column++, c++) {
      const left = Math.max(1, column * CELL);
      const right = Math.min(planeWidth - 2, column * CELL + CELL - 1);
      const samples = (bottom - top + 1) * (right - left + 1);
      if (bottom < top || right < left) continue;
      // Central differences of neighbours cancel out but for those at both ends.
      let across = 0;
      for (let y = top; y <= bottom; y++) {
        const i = y * planeWidth;
        across += plane[i + right + 1] + plane[i + right] - plane[i + left] - plane[i + left - 1];
      }
      let down = 0;
      for (let x = left; x <= right; x++) {
        const low = bottom * planeWidth + x;
        const high = top * planeWidth + x;
        down += plane[low + planeWidth] + plane[low] - plane[high] - plane[high - planeWidth];
      }
      gradients.x[c] = across / (2 * samples);
      gradients.y[c] = down / (2 * samples);
    }
  }
  return gradients;
}
