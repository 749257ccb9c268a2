import type { ChangeEvent, Region } from '../../records/index.js';
import { html, type Html } from './html.js';

type Point = Pick<NonNullable<ChangeEvent['path']>[number], 'x' | 'y'>;

/** Shares of the picture's diagonal: what the centre of a box trembles by, and the arms of the arrow. */
const TREMBLE_SHARE = 0.008;
const ARROW_SHARE = 0.022;

/** Where a thing went: a line with a dot where it was first seen and an arrow where it was seen last, px of the original. */
export function route(path: readonly Point[], { width, height }: Region): Html {
  const diagonalPx = Math.hypot(width, height);
  const way = simplified(path, diagonalPx * TREMBLE_SHARE);
  const line = (name: string, points: readonly Point[]) =>
    html`<polyline class="${name}" points="${points.map(({ x, y }) => `${round(x)},${round(y)}`).join(' ')}" />`;
  const arrow = arrowhead(way, diagonalPx * ARROW_SHARE);
  // A line of no length with round caps is a dot whose size does not depend on the picture's.
  return html`<g class="route">
    ${line('halo', way)}${line('halo', arrow)}${line('line', way)}${line('line', arrow)}
    <path class="begin" d="M${round(way[0].x)} ${round(way[0].y)}h0" />
  </g>`;
}

/**
 * Douglas–Peucker: no point of the path is farther than `tolerancePx` from what is left of it; first and last stay.
 * Source: D. Douglas, T. Peucker, 1973.
 */
export function simplified(path: readonly Point[], tolerancePx: number): Point[] {
  const [first, last] = [path[0], path[path.length - 1]];
  let farthest = 0;
  let distancePx = tolerancePx;
  for (let i = 1; i < path.length - 1; i++) {
    const away = distanceTo(path[i], first, last);
    if (away <= distancePx) continue;
    farthest = i;
    distancePx = away;
  }
  if (farthest === 0) return [first, last];
  const before = simplified(path.slice(0, farthest + 1), tolerancePx);
  return [...before.slice(0, -1), ...simplified(path.slice(farthest), tolerancePx)];
}

/** From `p` to the segment from `a` to `b`. */
function distanceTo(p: Point, a: Point, b: Point): number {
  const [dx, dy] = [b.x - a.x, b.y - a.y];
  const lengthSquared = dx * dx + dy * dy;
  const along = lengthSquared === 0 ? 0 : ((p.x - a.x) * dx + (p.y - a.y) * dy) / lengthSquared;
  const share = Math.min(1, Math.max(0, along));
  return Math.hypot(p.x - a.x - share * dx, p.y - a.y - share * dy);
}

/** The arms of an arrow at the end of a way, and its tip between them. */
function arrowhead(way: readonly Point[], armPx: number): Point[] {
  const tip = way[way.length - 1];
  const from = way.findLast(({ x, y }) => x !== tip.x || y !== tip.y) ?? tip;
  const back = Math.atan2(from.y - tip.y, from.x - tip.x);
  const arm = (turn: number): Point => ({
    x: tip.x + armPx * Math.cos(back + turn),
    y: tip.y + armPx * Math.sin(back + turn),
  });
  return [arm(Math.PI / 6), tip, arm(-Math.PI / 6)];
}

const round = (value: number): number => Math.round(value * 10) / 10;
