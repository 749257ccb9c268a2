import type { CellGrid } from './cells.js';
import type { Region } from '../records/index.js';

/** Cells that belong together. */
export interface Component {
  readonly cells: readonly number[];
  readonly left: number;
  readonly top: number;
  /** Inclusive. */
  readonly right: number;
  readonly bottom: number;
}

/** Groups the cells of `mask` that touch or have at most one cell between them (8-neighbourhood of radius 2). */
export function components(mask: Uint8Array, columns: number, rows: number): Component[] {
  const seen = new Uint8Array(mask.length);
  const found: Component[] = [];
  const stack: number[] = [];
  for (let start = 0; start < mask.length; start++) {
    if (mask[start] === 0 || seen[start] === 1) continue;
    seen[start] = 1;
    stack.push(start);
    const cells: number[] = [];
    let left = columns;
    let right = 0;
    let top = rows;
    let bottom = 0;
    for (let c = stack.pop(); c !== undefined; c = stack.pop()) {
      cells.push(c);
      const x = c % columns;
      const y = (c - x) / columns;
      if (x < left) left = x;
      if (x > right) right = x;
      if (y < top) top = y;
      if (y > bottom) bottom = y;
      for (let ny = Math.max(0, y - 2); ny <= Math.min(rows - 1, y + 2); ny++) {
        for (let nx = Math.max(0, x - 2); nx <= Math.min(columns - 1, x + 2); nx++) {
          const n = ny * columns + nx;
          if (mask[n] === 1 && seen[n] === 0) {
            seen[n] = 1;
            stack.push(n);
          }
        }
      }
    }
    found.push({ cells, left, top, right, bottom });
  }
  return found;
}

/** The component's box in original pixels, cut at the picture's border. */
export function regionOf(part: Pick<Component, 'left' | 'top' | 'right' | 'bottom'>, grid: CellGrid): Region {
  const x = part.left * grid.cellPx;
  const y = part.top * grid.cellPx;
  const right = part.right === grid.columns - 1 ? grid.width : (part.right + 1) * grid.cellPx;
  const bottom = part.bottom === grid.rows - 1 ? grid.height : (part.bottom + 1) * grid.cellPx;
  return { x, y, width: right - x, height: bottom - y };
}

/** Samples of one plane over another, as the logarithm of their ratio. */
export interface RatioPlane {
  readonly width: number;
  readonly height: number;
  /** Samples along the side of a cell. */
  readonly cell: number;
  at(x: number, y: number): number;
}

/** Samples that a profile across a border spans, and samples along the border that it is the mean of. */
const PROFILE = 12;
const QUARTER = PROFILE / 4;
const WIDE = 4;

/**
 * How sharply a component or its core (the cells above half of its peak) stands out, 0–1: a thing ends within a few
 * samples whatever halo of light it has, a soft shadow or lamp nowhere does. As `steepness`.
 */
export function sharpness(
  part: Component,
  mask: Uint8Array,
  ratio: Float32Array,
  columns: number,
  plane: RatioPlane,
): number {
  const whole = steepness(part.cells, mask, ratio, columns, plane);
  const strengths = part.cells.map((c) => Math.abs(ratio[c])).sort((a, b) => a - b);
  const peak = strengths[Math.floor(strengths.length * 0.9)];
  const core = part.cells.filter((c) => Math.abs(ratio[c]) > 0.5 * peak);
  if (core.length === part.cells.length || core.length < 4) return whole;
  const coreMask = new Uint8Array(mask.length);
  for (const c of core) coreMask[c] = 1;
  return Math.max(whole, steepness(core, coreMask, ratio, columns, plane));
}

/**
 * Median over the border of how much of the fall from inside to outside happens within a quarter of the profile: a
 * quarter for a ramp, all of it for an edge. The ratio of frame and baseline makes it independent of the ground.
 */
function steepness(
  cells: readonly number[],
  mask: Uint8Array,
  ratio: Float32Array,
  columns: number,
  plane: RatioPlane,
): number {
  const rows = mask.length / columns;
  const steep: number[] = [];
  const { cell } = plane;
  const profile = new Float32Array(PROFILE);
  const sample = (x: number, y: number) =>
    plane.at(Math.min(plane.width - 1, Math.max(0, x)), Math.min(plane.height - 1, Math.max(0, y)));
  for (const c of cells) {
    const x = c % columns;
    const y = (c - x) / columns;
    for (const [dx, dy] of directions) {
      const ox = x + dx;
      const oy = y + dy;
      if (ox < 0 || oy < 0 || ox >= columns || oy >= rows || mask[oy * columns + ox] === 1) continue;
      // The first sample outside the cell, and the first of those along its side, centred where cells are narrow.
      const startX = dx === 0 ? x * cell - ((WIDE - cell) >> 1) : dx > 0 ? (x + 1) * cell : x * cell - 1;
      const startY = dy === 0 ? y * cell - ((WIDE - cell) >> 1) : dy > 0 ? (y + 1) * cell : y * cell - 1;
      for (let k = 0; k < PROFILE; k++) {
        const out = k - PROFILE / 2;
        let sum = 0;
        for (let w = 0; w < WIDE; w++) {
          sum += sample(startX + (dx === 0 ? w : dx * out), startY + (dy === 0 ? w : dy * out));
        }
        profile[k] = sum / WIDE;
      }
      const ends = mean(profile, 0, QUARTER) - mean(profile, PROFILE - QUARTER, PROFILE);
      let most = 0;
      for (let k = 0; k + QUARTER < PROFILE; k++) most = Math.max(most, Math.abs(profile[k + QUARTER] - profile[k]));
      steep.push(Math.min(1, most / Math.max(1e-3, Math.abs(ends), 0.5 * Math.abs(ratio[c]))));
    }
  }
  if (steep.length === 0) return 1;
  return steep.sort((a, b) => a - b)[steep.length >> 1];
}

function mean(values: Float32Array, from: number, to: number): number {
  let sum = 0;
  for (let i = from; i < to; i++) sum += values[i];
  return sum / (to - from);
}

const directions = [
  [1, 0],
  [-1, 0],
  [0, 1],
  [0, -1],
] as const;
