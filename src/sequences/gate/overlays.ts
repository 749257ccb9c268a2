import type { CellGrid } from '../../pixels/cells.js';
import type { Region } from '../../records/index.js';
import { components, regionOf } from '../../pixels/components.js';
import type { GateState } from './state.js';

/** Taking another look in place this often within the fading time is what a clock or a counter does, and nothing else. */
const FLIPS = 2.5;
const FADE_MS = 20_000;

export function fadeFlips(state: GateState, dtMs: number): void {
  const keep = Math.exp(-dtMs / FADE_MS);
  for (let c = 0; c < state.flips.length; c++) state.flips[c] *= keep;
}

/**
 * 1 where a cell belongs to an overlay: cells that flip again and again, and their line as far as it goes on to both
 * sides, because the digits beside the seconds will flip too, only later.
 */
export function overlayCells(state: GateState, grid: CellGrid): Uint8Array {
  const { columns, rows } = grid;
  const mask = new Uint8Array(state.flips.length);
  for (let c = 0; c < mask.length; c++) {
    if (state.flips[c] < FLIPS) continue;
    const x = c % columns;
    const y = (c - x) / columns;
    for (let ny = Math.max(0, y - 1); ny <= Math.min(rows - 1, y + 1); ny++) {
      for (let nx = Math.max(0, x - 6); nx <= Math.min(columns - 1, x + 6); nx++) mask[ny * columns + nx] = 1;
    }
  }
  return mask;
}

export function overlayRegions(mask: Uint8Array, grid: CellGrid): Region[] {
  return components(mask, grid.columns, grid.rows).map((part) => regionOf(part, grid));
}
