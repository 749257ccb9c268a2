import type { Region } from '../../records/index.js';
import { contrastOf, type Raster } from './raster.js';

/** A surface of one colour, or of one that changes gradually: a page, a button, the fill of a field. */
export interface Panel {
  /** The box around all of it, with what lies upon it. */
  readonly region: Region;
  /** The commonest of its colours. */
  readonly colour: number;
  readonly areaPx: number;
}

export interface Panels {
  readonly panels: readonly Panel[];
  /** For every pixel the number of its panel, -1 where it belongs to none: ink. */
  readonly panelAt: Int32Array;
}

/** Neighbours that differ by no more belong to one surface: steps of a gradient, and of a lossy picture's flat parts. */
const stepLevels = 2;
/** A surface has room for squares of 3 px: strokes of letters and borders have none, those of headlines a few. */
const leastCores = 96;
const leastSidePx = 8;

/** The surfaces of a picture. What is on none is ink: letters, icons, borders, photographs. */
export function panelsOf({ width, height, colours }: Raster): Panels {
  const labels = new Int32Array(width * height).fill(-1);
  const panelAt = new Int32Array(width * height).fill(-1);
  const panels: Panel[] = [];
  const members = new Int32Array(width * height);
  for (let start = 0; start < labels.length; start++) {
    if (labels[start] !== -1) continue;
    let count = 0;
    let [left, right, top, bottom] = [width, -1, height, -1];
    labels[start] = start;
    members[count++] = start;
    for (let next = 0; next < count; next++) {
      const at = members[next];
      const x = at % width;
      const y = (at - x) / width;
      if (x < left) left = x;
      if (x > right) right = x;
      if (y < top) top = y;
      if (y > bottom) bottom = y;
      const colour = colours[at];
      const reach = (to: number): void => {
        if (labels[to] !== -1 || (colours[to] !== colour && contrastOf(colours[to], colour) > stepLevels)) return;
        labels[to] = start;
        members[count++] = to;
      };
      if (x > 0) reach(at - 1);
      if (x + 1 < width) reach(at + 1);
      if (y > 0) reach(at - width);
      if (y + 1 < height) reach(at + width);
    }
    if (right - left + 1 < leastSidePx || bottom - top + 1 < leastSidePx || count < leastCores) continue;
    if (!hasRoom(members, count, labels, width, height, start)) continue;
    const number = panels.length;
    for (let i = 0; i < count; i++) panelAt[members[i]] = number;
    panels.push({
      region: { x: left, y: top, width: right - left + 1, height: bottom - top + 1 },
      colour: commonest(members, count, colours),
      areaPx: count,
    });
  }
  return { panels, panelAt };
}

function hasRoom(
  members: Int32Array,
  count: number,
  labels: Int32Array,
  width: number,
  height: number,
  label: number,
): boolean {
  let cores = 0;
  for (let i = 0; i < count; i++) {
    const at = members[i];
    const x = at % width;
    if (x === 0 || x + 1 === width || at < width || at >= width * (height - 1)) continue;
    let isCore = true;
    for (let dy = -width; dy <= width && isCore; dy += width)
      isCore = labels[at + dy - 1] === label && labels[at + dy] === label && labels[at + dy + 1] === label;
    if (isCore && ++cores >= leastCores) return true;
  }
  return false;
}

function commonest(members: Int32Array, count: number, colours: Uint32Array): number {
  const counts = new Map<number, number>();
  // A sample tells it of a large surface.
  const step = Math.max(1, Math.floor(count / 4_096));
  for (let i = 0; i < count; i += step) {
    const colour = colours[members[i]];
    counts.set(colour, (counts.get(colour) ?? 0) + 1);
  }
  return [...counts].reduce((best, one) => (one[1] > best[1] ? one : best))[0];
}
