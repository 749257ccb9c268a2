import { CELL, type CellGrid } from '../../pixels/cells.js';

/** Keeps the logarithm calm in the dark, grey levels. */
export const DARK = 16;

/** Differences of neighbouring samples in a cell. */
export const DIFFERENCES = 2 * CELL * (CELL - 1);

/** What noise adds to a cell's energy; each sample of a shrunken plane is the mean of four. */
export const noiseEnergy = (sigma: number, { shrink }: CellGrid): number =>
  (2 * DIFFERENCES * sigma * sigma) / (shrink === 1 ? 1 : 4);

/** Sum of the squared differences between neighbouring samples of a cell; `CELL` samples a row, written out for speed. */
export function energyAt(plane: Uint8Array, at: number, width: number): number {
  let [a, b, c, d] = [plane[at], plane[at + 1], plane[at + 2], plane[at + 3]];
  let sum = (b - a) * (b - a) + (c - b) * (c - b) + (d - c) * (d - c);
  for (let y = 1, i = at + width; y < CELL; y++, i += width) {
    const [e, f, g, h] = [plane[i], plane[i + 1], plane[i + 2], plane[i + 3]];
    sum += (f - e) * (f - e) + (g - f) * (g - f) + (h - g) * (h - g);
    sum += (e - a) * (e - a) + (f - b) * (f - b) + (g - c) * (g - c) + (h - d) * (h - d);
    [a, b, c, d] = [e, f, g, h];
  }
  return sum;
}
