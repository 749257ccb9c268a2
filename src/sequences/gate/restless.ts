import type { CellGrid } from '../../pixels/cells.js';
import { components, regionOf } from '../../pixels/components.js';
import type { Region } from '../../records/index.js';

/** At rest for this long, a cell has rested, ms. */
const REST_MS = 500;
/**
 * What hardly ever rests, over some seconds, is restless by nature: water, foliage, an escalator. Where traffic is dense, the
 * road rests between two cars; somebody who talks and gestures does so between two words.
 */
const RESTLESS_SHARE = 0.8;
const SHARE_MS = 6_000;
/**
 * What has not rested for so long, ms, or not for most of the time lately, has no look that could be held against another;
 * unless it rests by now, as a car does that has broken down on a busy road.
 */
const UNRESTED_MS = 1_000;
const OFTEN_SHARE = 0.5;
const RESTED_MS = 1_000;
/** What has not rested for so long tells nothing of the picture as a whole. */
const UNSETTLED_MS = 3_000;
/** Where it lies is told anew this often, ms, in no more boxes than these. */
const TOLD_MS = 1_000;
const MOST_BOXES = 32;

/** How long cells have not rested, and where those lie that have not for a while; plain, lives in the checkpoint. */
export interface RestlessState {
  /** Since each cell stirred, by the noise of the whole picture: what is restless by nature comes to be its own noise. */
  readonly stillMs: Float32Array;
  readonly ms: Float32Array;
  /** Share of the time in which it did not, lately. */
  readonly share: Float32Array;
  regions: readonly Region[];
  toldMs: number;
}

export const freshRestless = ({ columns, rows }: Pick<CellGrid, 'columns' | 'rows'>): RestlessState => ({
  stillMs: new Float32Array(columns * rows),
  ms: new Float32Array(columns * rows),
  share: new Float32Array(columns * rows),
  regions: [],
  toldMs: Number.NEGATIVE_INFINITY,
});

/** Keeps the time since each cell rested. */
export function countRestless(
  restless: RestlessState,
  stirring: Uint8Array,
  grid: CellGrid,
  { elapsedMs, dtMs }: { readonly elapsedMs: number; readonly dtMs: number },
): void {
  const { ms, share, stillMs } = restless;
  const blend = 1 - Math.exp(-dtMs / SHARE_MS);
  for (let c = 0; c < ms.length; c++) {
    stillMs[c] = stirring[c] === 1 ? 0 : stillMs[c] + dtMs;
    const rests = stillMs[c] >= REST_MS;
    ms[c] = rests ? 0 : ms[c] + dtMs;
    share[c] += blend * (Number(!rests) - share[c]);
  }
  if (elapsedMs - restless.toldMs < TOLD_MS) return;
  restless.toldMs = elapsedMs;
  restless.regions = regionsOf(restless, grid);
}

export const isRestless = ({ share }: RestlessState, c: number): boolean => share[c] >= RESTLESS_SHARE;

export const isUnsettled = ({ ms }: RestlessState, c: number): boolean => ms[c] >= UNSETTLED_MS;

/** Whether it had a look of its own until a moment ago. */
export const hasRested = ({ stillMs }: RestlessState, c: number): boolean => stillMs[c] >= REST_MS;

/** 1 for cells of `mask` and for those that have not rested for a while. */
export function withUnsettled(mask: Uint8Array, { ms }: RestlessState): Uint8Array {
  const all = mask.slice();
  for (let c = 0; c < all.length; c++) if (ms[c] >= UNSETTLED_MS) all[c] = 1;
  return all;
}

/** Boxes over what hardly rests, a cell around it included: row by row, where that is not too ragged. */
function regionsOf(state: RestlessState, grid: CellGrid): readonly Region[] {
  const { ms, share, stillMs } = state;
  const often = Uint8Array.from(ms, (value, c) => (value >= UNRESTED_MS || share[c] >= OFTEN_SHARE ? 1 : 0));
  if (!often.includes(1)) return [];
  const wide = spread(
    often.map((value, c) =>
      value === 1 && !(stillMs[c] >= RESTED_MS && restsAround(c, often, stillMs, grid)) ? 1 : 0,
    ),
    grid,
  );
  const boxes = runsOf(wide, grid);
  return (boxes.length > MOST_BOXES ? components(wide, grid.columns, grid.rows) : boxes).map((box) =>
    regionOf(box, grid),
  );
}

/** Whether most of what is often restless around a cell rests by now: a single leaf that does is still one of a crown. */
function restsAround(c: number, often: Uint8Array, stillMs: Float32Array, { columns, rows }: CellGrid): boolean {
  const x = c % columns;
  const y = (c - x) / columns;
  let [all, resting] = [0, 0];
  for (let ny = Math.max(0, y - 2); ny <= Math.min(rows - 1, y + 2); ny++) {
    for (let nx = Math.max(0, x - 2); nx <= Math.min(columns - 1, x + 2); nx++) {
      const n = ny * columns + nx;
      if (often[n] === 0) continue;
      all++;
      if (stillMs[n] >= RESTED_MS) resting++;
    }
  }
  return resting * 2 > all;
}

function spread(mask: Uint8Array, { columns, rows }: CellGrid): Uint8Array {
  const wide = new Uint8Array(mask.length);
  for (let c = 0; c < mask.length; c++) {
    if (mask[c] === 0) continue;
    const x = c % columns;
    const y = (c - x) / columns;
    for (let ny = Math.max(0, y - 1); ny <= Math.min(rows - 1, y + 1); ny++)
      wide.fill(1, ny * columns + Math.max(0, x - 1), ny * columns + Math.min(columns, x + 2));
  }
  return wide;
}

interface Box {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  /** Inclusive, as `right`. */
  readonly bottom: number;
}

/** Runs of a row, together with those of the rows above that are as wide. */
function runsOf(mask: Uint8Array, { columns, rows }: CellGrid): Box[] {
  const done: Box[] = [];
  let open: Box[] = [];
  for (let y = 0; y < rows; y++) {
    const runs: Box[] = [];
    for (let x = 0; x < columns; x++) {
      if (mask[y * columns + x] === 0) continue;
      const left = x;
      while (x + 1 < columns && mask[y * columns + x + 1] === 1) x++;
      const above = open.find((box) => box.left === left && box.right === x);
      runs.push({ left, right: x, top: above?.top ?? y, bottom: y });
    }
    done.push(
      ...open.filter(
        (box) => !runs.some(({ left, right, top }) => left === box.left && right === box.right && top === box.top),
      ),
    );
    open = runs;
  }
  return [...done, ...open];
}
