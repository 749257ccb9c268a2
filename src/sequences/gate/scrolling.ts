import { CELL, type CellGrid } from '../../pixels/cells.js';
import { components, type Component } from '../../pixels/components.js';

/** A band of text is no higher than this share of the picture, and this many times as wide as high. */
const HIGHEST = 0.15;
const FLAT = 4;
/** It fills its box, and the ground that the text is written on is of one look: so much of it lies within these levels. */
const FILLED = 0.7;
const GROUND_SHARE = 0.4;
const GROUND_LEVELS = 16;
/** From one look to the next it goes no further than this, samples, and what then still differs is less than this share. */
const FURTHEST = 32;
const LEFT_OVER = 0.35;
/** What does not rest for this share of the time is looked at. */
const RESTLESS = 0.5;

/**
 * Cells of text that scrolls: a flat band that hardly rests, of one ground, and shows in each look what it showed in the look
 * before a little further along. Traffic passes before a road that stays where it is.
 * @param share of the time in which a cell does not rest, lately
 */
export function scrolled(before: Uint8Array, after: Uint8Array, share: Float32Array, grid: CellGrid): number[] {
  const mask = Uint8Array.from(share, (value) => (value >= RESTLESS ? 1 : 0));
  if (!mask.includes(1)) return [];
  return components(mask, grid.columns, grid.rows).flatMap((part) =>
    isBand(part, grid) && hasGround(part, after, grid) && scrolls(part, before, after, grid) ? part.cells : [],
  );
}

function isBand({ cells, left, right, top, bottom }: Component, { columns, rows }: CellGrid): boolean {
  const [width, height] = [right - left + 1, bottom - top + 1];
  return (
    height <= Math.max(1, HIGHEST * rows) &&
    width >= FLAT * height &&
    width * FLAT >= columns &&
    cells.length >= FILLED * width * height
  );
}

function hasGround(part: Component, plane: Uint8Array, grid: CellGrid): boolean {
  const counts = new Uint32Array(256 / GROUND_LEVELS + 1);
  let all = 0;
  eachRow(part, grid, (from, to) => {
    for (let i = from; i < to; i++) counts[Math.round(plane[i] / GROUND_LEVELS)]++;
    all += to - from;
  });
  return Math.max(...counts) >= GROUND_SHARE * all;
}

function scrolls(part: Component, before: Uint8Array, after: Uint8Array, grid: CellGrid): boolean {
  const still = difference(part, before, after, grid, 0);
  if (still === 0) return false;
  for (let shift = 1; shift <= FURTHEST; shift++) {
    if (difference(part, before, after, grid, shift) < LEFT_OVER * still) return true;
    if (difference(part, before, after, grid, -shift) < LEFT_OVER * still) return true;
  }
  return false;
}

/** Mean difference of what both looks show of the band, where the second is moved along by so many samples. */
function difference(part: Component, before: Uint8Array, after: Uint8Array, grid: CellGrid, shift: number): number {
  let [sum, count] = [0, 0];
  eachRow(part, grid, (from, to) => {
    for (let i = Math.max(from, from + shift); i < Math.min(to, to + shift); i++) {
      sum += Math.abs(after[i] - before[i - shift]);
      count++;
    }
  });
  return count === 0 ? Infinity : sum / count;
}

/** The samples of a part's box, row by row. */
function eachRow(
  { left, right, top, bottom }: Component,
  { planeWidth, planeHeight }: CellGrid,
  visit: (from: number, to: number) => void,
): void {
  for (let y = top * CELL; y < Math.min(planeHeight, (bottom + 1) * CELL); y++) {
    const row = y * planeWidth;
    visit(row + left * CELL, row + Math.min(planeWidth, (right + 1) * CELL));
  }
}
