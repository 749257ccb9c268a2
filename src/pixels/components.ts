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

/**
 * How sharply a component or its core (the part above half of its peak) stands out, 0–1: a thing in a halo of light has
 * a sharp core, a shadow has none. As `borderSharpness`.
 */
export function sharpness(
  part: Component,
  mask: Uint8Array,
  ratio: Float32Array,
  columns: number,
  rows: number,
): number {
  const whole = borderSharpness(part, mask, ratio, columns, rows);
  const peak = peakOf(part, ratio);
  const core = part.cells.filter((c) => Math.abs(ratio[c]) > 0.5 * peak);
  if (core.length === part.cells.length || core.length < 4) return whole;
  const coreMask = new Uint8Array(mask.length);
  for (const c of core) coreMask[c] = 1;
  return Math.max(whole, borderSharpness({ ...part, cells: core }, coreMask, ratio, columns, rows));
}

function peakOf(part: Component, ratio: Float32Array): number {
  const strengths = part.cells.map((c) => Math.abs(ratio[c])).sort((a, b) => a - b);
  return strengths[Math.floor(strengths.length * 0.9)];
}

/**
 * The share of a component's border where the change falls off within two cells.
 * `ratio` is the logarithm of frame over baseline, so that a soft shadow or lamp is smooth whatever ground it lies on
 * (about 0) while a thing ends at its edge (about 1).
 */
function borderSharpness(
  part: Component,
  mask: Uint8Array,
  ratio: Float32Array,
  columns: number,
  rows: number,
): number {
  const peak = peakOf(part, ratio);
  let border = 0;
  let sharp = 0;
  for (const c of part.cells) {
    const x = c % columns;
    const y = (c - x) / columns;
    for (const [dx, dy] of directions) {
      const ox = x + dx;
      const oy = y + dy;
      if (ox < 0 || oy < 0 || ox >= columns || oy >= rows || mask[oy * columns + ox] === 1) continue;
      border++;
      const fx = Math.min(columns - 1, Math.max(0, ox + dx));
      const fy = Math.min(rows - 1, Math.max(0, oy + dy));
      const ix = Math.min(columns - 1, Math.max(0, x - dx));
      const iy = Math.min(rows - 1, Math.max(0, y - dy));
      const outside = ratio[fy * columns + fx];
      const inner = ratio[iy * columns + ix];
      const step = Math.max(
        Math.abs(ratio[c] - outside),
        mask[iy * columns + ix] === 1 ? Math.abs(inner - outside) : 0,
      );
      if (step > 0.5 * peak) sharp++;
    }
  }
  return border === 0 ? 1 : sharp / border;
}

const directions = [
  [1, 0],
  [-1, 0],
  [0, 1],
  [0, -1],
] as const;
