import type { CellGrid } from '../../pixels/cells.js';
import { components, regionOf, type Component } from '../../pixels/components.js';
import type { Region } from '../../records/index.js';
import type { GateState } from './state.js';

/** Taking another look in place this often within the fading time is what a clock or a counter does, and nothing else. */
const FLIPS = 2.5;
const MOST_FLIPS = 8;
const FADE_MS = 20_000;
/** One that is known is not forgotten while it rests for so long, ms: a headline comes once in a while. */
const KNOWN_MS = 600_000;
/** Fewer flips than this are none. */
const FORGOTTEN = 1e-6;
/** Cells of a line of text differ within by at least this share of what the flipping cells do. */
const INK = 0.5;
/** Spaces between the words of a line are no wider than this, cells. */
const SPACE = 3;

export function fadeFlips({ flips, overlayMs }: GateState, dtMs: number): void {
  const keep = Math.exp(-dtMs / FADE_MS);
  for (let c = 0; c < flips.length; c++) {
    if (flips[c] >= FLIPS) overlayMs[c] = KNOWN_MS;
    else if (overlayMs[c] > 0) overlayMs[c] -= dtMs;
    // Forgotten before they become denormal, with which a processor reckons many times slower.
    if (flips[c] !== 0) flips[c] = flips[c] < FORGOTTEN ? 0 : flips[c] * keep;
  }
}

/** Counts a look that the cells took in place. */
export function countFlips({ flips }: GateState, cells: readonly number[]): void {
  for (const c of cells) flips[c] = Math.min(MOST_FLIPS, flips[c] + 1);
}

/** Where a picture shows the hour, a counter or the like. */
export interface Overlays {
  /** 1 where a cell belongs to one. */
  readonly mask: Uint8Array;
  readonly regions: readonly Region[];
  /** Those of them that have changed lately. */
  readonly changing: readonly Region[];
}

/**
 * Cells that flip again and again, and the line of text that they stand in, because the digits beside the seconds will
 * flip too, only later.
 */
export function overlaysOf(state: GateState, grid: CellGrid): Overlays {
  const mask = new Uint8Array(state.flips.length);
  const { flips, overlayMs } = state;
  const isKnown = (_: number, c: number): number => (flips[c] >= FLIPS || overlayMs[c] > 0 ? 1 : 0);
  const known = mask.map(isKnown);
  if (!known.includes(1)) return { mask, regions: [], changing: [] };
  const { columns, rows } = grid;
  for (const part of components(known, columns, rows)) {
    const least = INK * Math.max(...part.cells.map((c) => inkOf(state.reference, grid, c)));
    const top = Math.max(0, part.top - 1);
    const bottom = Math.min(rows - 1, part.bottom + 1);
    const inked = (x: number) => {
      for (let y = part.top; y <= part.bottom; y++)
        if (inkOf(state.reference, grid, y * columns + x) >= least) return true;
      return false;
    };
    const reach = (from: number, step: number) => {
      let last = from;
      for (let x = from + step; x >= 0 && x < columns && Math.abs(x - last) <= SPACE; x += step) if (inked(x)) last = x;
      return last;
    };
    const left = Math.max(0, reach(part.left, -1) - 1);
    const right = Math.min(columns - 1, reach(part.right, 1) + 1);
    for (let y = top; y <= bottom; y++) mask.fill(1, y * columns + left, y * columns + right + 1);
  }
  const lines = components(mask, columns, rows);
  const told = (parts: readonly Component[]): Region[] => parts.map((part) => regionOf(part, grid));
  return {
    mask,
    regions: told(lines),
    changing: told(lines.filter(({ cells }) => cells.some((c) => flips[c] >= FLIPS))),
  };
}

/** Largest difference of luma within a cell of the reference plane. */
function inkOf(plane: Uint8Array, grid: CellGrid, c: number): number {
  const x0 = (c % grid.columns) * 4;
  const y0 = Math.floor(c / grid.columns) * 4;
  let least = 255;
  let most = 0;
  for (let y = y0; y < Math.min(grid.planeHeight, y0 + 4); y++) {
    for (let x = x0; x < Math.min(grid.planeWidth, x0 + 4); x++) {
      const value = plane[y * grid.planeWidth + x];
      if (value < least) least = value;
      if (value > most) most = value;
    }
  }
  return most - least;
}
