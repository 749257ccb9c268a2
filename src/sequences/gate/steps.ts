import { CELL, type CellGrid, type CellPlanes } from '../../pixels/cells.js';
import { components } from '../../pixels/components.js';
import { planeShift } from '../../pixels/shift.js';

/** Time between looks, ms: what moves is elsewhere by the next, what stepped looks the same. */
const LOOK_MS = 200;
/** Looks further apart cannot tell a step from something that came and stopped. */
const LONGEST_LOOK_MS = 500;
/**
 * Mean absolute difference of a cell's samples from one look to the next, grey levels, from which it has changed and up to
 * which it is calm; noise adds to both what it does to a mean of 16 at two deviations (1.13 σ ± 0.21 σ each).
 */
const CHANGED = 10;
const CALM = 5;
const NOISE = 1.6;
/** What steps as one and covers a larger share of the picture is no digit; where more changes in all, the light may have. */
const MOST_OF_PICTURE = 0.02;
const MOST_CHANGED = 0.1;
/** This share of a group must have been calm before and after. */
const KEPT = 0.7;
/** How many cells around a group must be calm before and after, and which share of them: an encoder disturbs a few. */
const RING = 2;
const CALM_RING = 0.9;

/** A camera that moved makes every edge step: a shift of the plane of so many pixels explains so much of what differs. */
const MOVED_PX = 0.1;
const EXPLAINED = 0.3;
const SAME_LIGHT = { gain: 1, offset: 0 };

/** What cells did from one look to the next. */
const [calm, restless, changed] = [0, 1, 2];

/** A picture as a look saw it. */
interface Seen {
  /** Luma of the shrunken picture. */
  readonly plane: Uint8Array;
  /** Cell means of blue and red difference: what passes may be as light as what is behind it. */
  readonly u: Float32Array;
  readonly v: Float32Array;
}

/** The last look, and what cells did in the two before; plain, lives in the checkpoint. */
export interface StepsState extends Seen {
  atMs: number;
  last: Uint8Array;
  secondLast: Uint8Array;
}

export const freshSteps = ({ planeWidth, planeHeight, columns, rows }: CellGrid): StepsState => ({
  atMs: Number.NEGATIVE_INFINITY,
  plane: new Uint8Array(planeWidth * planeHeight),
  u: new Float32Array(columns * rows),
  v: new Float32Array(columns * rows),
  last: new Uint8Array(columns * rows).fill(restless),
  secondLast: new Uint8Array(columns * rows).fill(restless),
});

/** Looks at every frame would tell nothing more. */
export const isLookDue = ({ atMs }: StepsState, elapsedMs: number): boolean => elapsedMs - atMs >= LOOK_MS - 1;

/**
 * Finds cells that stepped: they looked the same for a while, looked different in the next look, and look that way still,
 * while nothing around them changed before or after. Digits of a clock do, whatever moves elsewhere; what moves comes from
 * beside and goes on, and drops and noise do not stay. Samples are compared, not means: another digit has as much ink.
 * Nothing is told of looks between which the camera moved.
 * @param sigma noise of the picture, grey levels
 * @returns the cells that stepped one look ago
 */
export function look(
  steps: StepsState,
  planes: CellPlanes,
  grid: CellGrid,
  { elapsedMs, sigma }: { readonly elapsedMs: number; readonly sigma: number },
): number[] {
  const seen: Seen = { plane: planes.plane(), u: planes.u, v: planes.v };
  const isTooLate = elapsedMs - steps.atMs > LONGEST_LOOK_MS;
  const moves = isTooLate ? undefined : movesBetween(steps, seen, grid, sigma);
  const now = moves === undefined || hasMoved(moves, steps, seen, grid) ? steps.last.map(() => restless) : moves;
  const found = stepped(steps, now, grid);
  steps.atMs = elapsedMs;
  steps.plane.set(seen.plane);
  steps.u.set(seen.u);
  steps.v.set(seen.v);
  steps.secondLast = steps.last;
  steps.last = now;
  return found;
}

/** Whether the camera did, between two looks. */
function hasMoved(moves: Uint8Array, before: Seen, after: Seen, grid: CellGrid): boolean {
  if (!moves.includes(changed)) return false;
  const { dx, dy, explained } = planeShift(before.plane, after.plane, grid, SAME_LIGHT);
  return explained > EXPLAINED && Math.hypot(dx, dy) > MOVED_PX;
}

function stepped({ last, secondLast }: StepsState, now: Uint8Array, grid: CellGrid): number[] {
  const mask = new Uint8Array(last.length);
  let count = 0;
  for (let c = 0; c < mask.length; c++) {
    if (last[c] !== changed) continue;
    mask[c] = 1;
    count++;
  }
  if (count === 0 || count > MOST_CHANGED * mask.length) return [];
  const isCalm = (c: number) => secondLast[c] === calm && now[c] === calm;
  return components(mask, grid.columns, grid.rows).flatMap(({ cells, left, right, top, bottom }) => {
    const kept = cells.filter(isCalm);
    if (cells.length > MOST_OF_PICTURE * mask.length || kept.length < KEPT * cells.length) return [];
    const own = new Set(cells);
    let [around, calmAround] = [0, 0];
    for (let y = Math.max(0, top - RING); y <= Math.min(grid.rows - 1, bottom + RING); y++) {
      for (let x = Math.max(0, left - RING); x <= Math.min(grid.columns - 1, right + RING); x++) {
        const c = y * grid.columns + x;
        if (own.has(c)) continue;
        around++;
        if (isCalm(c)) calmAround++;
      }
    }
    return calmAround >= CALM_RING * around ? kept : [];
  });
}

/** What each cell did between two looks. */
function movesBetween(before: Seen, after: Seen, grid: CellGrid, sigma: number): Uint8Array {
  const { columns, rows, planeWidth, planeHeight } = grid;
  const moves = new Uint8Array(columns * rows);
  // Of a plane smaller than a cell there is nothing to tell.
  if (planeWidth < CELL || planeHeight < CELL) return moves.fill(restless);
  const [from, to] = [before.plane, after.plane];
  const samples = CELL * CELL;
  const atRest = samples * (CALM + NOISE * sigma);
  const other = samples * (CHANGED + NOISE * sigma);
  for (let row = 0, c = 0; row < rows; row++) {
    let at = row * CELL * planeWidth;
    for (let column = 0; column < columns; column++, c++, at += CELL) {
      let sum = 0;
      for (let y = 0, i = at; y < CELL; y++, i += planeWidth) {
        sum +=
          Math.abs(to[i] - from[i]) +
          Math.abs(to[i + 1] - from[i + 1]) +
          Math.abs(to[i + 2] - from[i + 2]) +
          Math.abs(to[i + 3] - from[i + 3]);
      }
      const colour = Math.max(Math.abs(after.u[c] - before.u[c]), Math.abs(after.v[c] - before.v[c]));
      sum = Math.max(sum, samples * colour);
      moves[c] = sum > other ? changed : sum > atRest ? restless : calm;
    }
  }
  return moves;
}
