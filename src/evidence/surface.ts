import type { Planes } from '../pixels/planes.js';

/** Correlation of detail from which a surface is the one that was there. Noise on either side lowers it. */
const SAME = 0.8;
/** So many neighbours of each direction correlate by chance as strongly as that hardly ever. */
const LEAST_PAIRS = 24;
/** Red over blue in a shadow, which the sky lights, differs from that beside it by no more than this factor. */
const MOST_TINT = 1.5;
/** A border that light has made is so many times stronger on one side. */
const NEW_BORDER = 2.5;
const DARK = 16;
/** An outline is a step so many times as large as those within. A lamp of soft borders has none on either side. */
const OUTLINED = 1.5;
/** So many samples along its border belong to neither side of it. */
const BORDER = 2;

/**
 * Whether some samples show the surface that they showed before, in another light: a shadow with a sharp border, or a lamp,
 * multiplies what is there, while a thing puts its own detail in its place, and its border where none was. Surfaces without detail tell nothing, and
 * another colour than light has is another coat of paint.
 * @param cells samples of both planes
 */
export function isSameSurface(cells: readonly number[], then: Planes, now: Planes): boolean {
  const { width } = now;
  const inner = innerOf(cells, width);
  // The outline of a thing that only changed its colour is there on both sides.
  const [before, after] = [then, now].map((planes) => stepAcrossBorder(cells, planes));
  const isOutlined = before > OUTLINED * stepWithin(inner, then) && after > OUTLINED * stepWithin(inner, now);
  if (isOutlined && Math.max(before, after) < NEW_BORDER * Math.min(before, after)) return false;
  const directions = [1, width].map((step) => detailAlong(inner, step, then, now));
  if (directions.some(({ pairs }) => pairs < LEAST_PAIRS)) return false;
  const sum = (part: 'own' | 'other' | 'shared') => directions.reduce((total, direction) => total + direction[part], 0);
  // What is quite even shares nothing with anything.
  const shared = sum('shared');
  if (shared <= 0 || shared < SAME * Math.sqrt(sum('own') * sum('other'))) return false;
  // A lamp of another colour tints all of the picture.
  const all = Array.from({ length: now.y.length }, (_, i) => i);
  const tint = redOverBlue(cells, now) / redOverBlue(cells, then);
  const tintOfAll = redOverBlue(all, now) / redOverBlue(all, then);
  return Math.abs(Math.log(tint / tintOfAll)) < Math.log(MOST_TINT);
}

/** Mean step from samples inside to those as far outside, grey levels. */
function stepAcrossBorder(cells: readonly number[], { y, width, height }: Planes): number {
  const all = new Set(cells);
  let [sum, pairs] = [0, 0];
  for (const i of cells) {
    const column = i % width;
    const ways = [
      [-1, column >= 2 * BORDER],
      [1, column < width - 2 * BORDER],
      [-width, i >= 2 * BORDER * width],
      [width, i < (height - 2 * BORDER) * width],
    ] as const;
    for (const [way, isInside] of ways) {
      if (!isInside || all.has(i + way)) continue;
      sum += Math.abs(y[i + BORDER * way] - y[i - BORDER * way]);
      pairs++;
    }
  }
  return sum / Math.max(1, pairs);
}

/** Mean step over the same distance within, grey levels. */
function stepWithin(inner: ReadonlySet<number>, { y, width }: Planes): number {
  let [sum, pairs] = [0, 0];
  for (const i of inner) {
    for (const way of [2 * BORDER, 2 * BORDER * width]) {
      if (!inner.has(i + way)) continue;
      sum += Math.abs(y[i + way] - y[i]);
      pairs++;
    }
  }
  return sum / Math.max(1, pairs);
}

/** Without the border, which is of the light's making. */
function innerOf(cells: readonly number[], width: number): ReadonlySet<number> {
  const all = new Set(cells);
  const isInner = (i: number): boolean => {
    for (let d = 1; d <= BORDER; d++) {
      if (!all.has(i - d) || !all.has(i + d) || !all.has(i - d * width) || !all.has(i + d * width)) return false;
    }
    return i % width >= BORDER && i % width < width - BORDER;
  };
  return new Set(cells.filter(isInner));
}

/**
 * Variances and covariance of the steps from sample to sample, summed up. Their means are left out: shading runs over a
 * wall and over what stands before it alike.
 */
function detailAlong(
  cells: ReadonlySet<number>,
  step: number,
  then: Planes,
  now: Planes,
): { readonly pairs: number; readonly own: number; readonly other: number; readonly shared: number } {
  let [pairs, a, b, aa, bb, ab] = [0, 0, 0, 0, 0, 0];
  for (const i of cells) {
    if (!cells.has(i + step)) continue;
    const before = then.y[i + step] - then.y[i];
    const after = now.y[i + step] - now.y[i];
    pairs++;
    a += before;
    b += after;
    aa += before * before;
    bb += after * after;
    ab += before * after;
  }
  const n = Math.max(1, pairs);
  return { pairs, own: aa - (a * a) / n, other: bb - (b * b) / n, shared: ab - (a * b) / n };
}

function redOverBlue(cells: readonly number[], { y, u, v }: Planes): number {
  let [red, blue] = [0, 0];
  for (const i of cells) {
    red += y[i] + v[i];
    blue += y[i] + u[i];
  }
  return (Math.max(0, red / cells.length) + DARK) / (Math.max(0, blue / cells.length) + DARK);
}
