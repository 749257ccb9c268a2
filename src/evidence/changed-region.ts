import type { Planes } from '../pixels/planes.js';
import type { Region } from '../records/index.js';

/** A part of the scene that looks different after than before, light and camera shift allowed for. */
export interface ChangedRegion {
  readonly region: Region;
  /** The samples of the comparison that belong to it. */
  readonly samples: readonly number[];
  readonly areaPx: number;
  /** Mean difference in its noise, 1 = threshold. */
  readonly score: number;
  /** Contrast of its outline against what lies around it, grey levels: where a thing is, there is an outline. */
  readonly outline: { readonly before: number; readonly after: number };
  /** Mean colour, `#rrggbb`. */
  readonly color: { readonly before: string; readonly after: string };
}

/** What a group of samples that differ looks like on both sides. */
export function describeChange(
  cells: readonly number[],
  score: Float32Array,
  mask: Uint8Array,
  then: Planes,
  now: Planes,
): ChangedRegion {
  const own = new Set(cells);
  const { width, height } = now;
  let before = 0;
  let after = 0;
  let pairs = 0;
  for (const i of cells) {
    const x = i % width;
    const y = (i - x) / width;
    for (const [dx, dy] of [
      [1, 0],
      [-1, 0],
      [0, 1],
      [0, -1],
    ]) {
      const ox = x + dx;
      const oy = y + dy;
      if (ox < 0 || oy < 0 || ox >= width || oy >= height || own.has(oy * width + ox) || mask[oy * width + ox] === 1)
        continue;
      const far = Math.min(height - 1, Math.max(0, y + 3 * dy)) * width + Math.min(width - 1, Math.max(0, x + 3 * dx));
      const near = Math.min(height - 1, Math.max(0, y - dy)) * width + Math.min(width - 1, Math.max(0, x - dx));
      before += contrast(then, near, far);
      after += contrast(now, near, far);
      pairs++;
    }
  }
  return {
    region: boxOf(cells, now),
    samples: cells,
    areaPx: cells.length * now.shrink * now.shrink,
    score: cells.reduce((sum, i) => sum + score[i], 0) / cells.length,
    outline: { before: before / Math.max(1, pairs), after: after / Math.max(1, pairs) },
    color: { before: colorOf(cells, then), after: colorOf(cells, now) },
  };
}

const contrast = (planes: Planes, a: number, b: number): number =>
  Math.max(
    Math.abs(planes.y[a] - planes.y[b]),
    Math.abs(planes.u[a] - planes.u[b]),
    Math.abs(planes.v[a] - planes.v[b]),
  );

function colorOf(cells: readonly number[], planes: Planes): string {
  let y = 0;
  let u = 0;
  let v = 0;
  for (const i of cells) {
    y += planes.y[i];
    u += planes.u[i];
    v += planes.v[i];
  }
  const red = (y + v) / cells.length;
  const blue = (y + u) / cells.length;
  const green = (y / cells.length - 0.299 * red - 0.114 * blue) / 0.587;
  return `#${[red, green, blue]
    .map((c) =>
      Math.min(255, Math.max(0, Math.round(c)))
        .toString(16)
        .padStart(2, '0'),
    )
    .join('')}`;
}

/** The box of samples, in px of the original picture. */
export function boxOf(cells: readonly number[], planes: Planes): Region {
  let left = planes.width;
  let right = 0;
  let top = planes.height;
  let bottom = 0;
  for (const i of cells) {
    const x = i % planes.width;
    const y = (i - x) / planes.width;
    if (x < left) left = x;
    if (x > right) right = x;
    if (y < top) top = y;
    if (y > bottom) bottom = y;
  }
  const { shrink } = planes;
  return { x: left * shrink, y: top * shrink, width: (right - left + 1) * shrink, height: (bottom - top + 1) * shrink };
}
