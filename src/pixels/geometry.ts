import type { Region } from '../records/index.js';

/** Area in px². */
export const areaOf = (r: Region): number => r.width * r.height;

/** Area that two boxes share, px². */
export function sharedArea(a: Region, b: Region): number {
  const w = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
  const h = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
  return w <= 0 || h <= 0 ? 0 : w * h;
}

/** Intersection over union, 0–1. */
export function iou(a: Region, b: Region): number {
  const shared = sharedArea(a, b);
  return shared === 0 ? 0 : shared / (areaOf(a) + areaOf(b) - shared);
}

/** Share of `a` that lies in `b`, 0–1. */
export const shareIn = (a: Region, b: Region): number => (areaOf(a) === 0 ? 0 : sharedArea(a, b) / areaOf(a));

/** Shared area over the smaller of the two, 0–1. */
export function overlapOfSmaller(a: Region, b: Region): number {
  const smaller = Math.min(areaOf(a), areaOf(b));
  return smaller === 0 ? 0 : sharedArea(a, b) / smaller;
}

/** The smallest box around all of `regions`. @throws RangeError where there is none */
export function unionOf(regions: readonly Region[]): Region {
  if (regions.length === 0) throw new RangeError('no regions to unite');
  const x = Math.min(...regions.map((r) => r.x));
  const y = Math.min(...regions.map((r) => r.y));
  return {
    x,
    y,
    width: Math.max(...regions.map((r) => r.x + r.width)) - x,
    height: Math.max(...regions.map((r) => r.y + r.height)) - y,
  };
}

/** What both boxes cover; empty boxes have a size of 0. */
export function intersectionOf(a: Region, b: Region): Region {
  const x = Math.max(a.x, b.x);
  const y = Math.max(a.y, b.y);
  return {
    x,
    y,
    width: Math.max(0, Math.min(a.x + a.width, b.x + b.width) - x),
    height: Math.max(0, Math.min(a.y + a.height, b.y + b.height) - y),
  };
}

/** The box grown by a margin on each side, cut at the picture's border. */
export const grownBy = (
  r: Region,
  marginPx: number,
  bounds: { readonly width: number; readonly height: number },
): Region =>
  intersectionOf(
    { x: r.x - marginPx, y: r.y - marginPx, width: r.width + 2 * marginPx, height: r.height + 2 * marginPx },
    { x: 0, y: 0, ...bounds },
  );

/** Space between two boxes, px; 0 where they touch or overlap. */
export const gapPx = (a: Region, b: Region): number =>
  Math.max(
    0,
    Math.max(a.x, b.x) - Math.min(a.x + a.width, b.x + b.width),
    Math.max(a.y, b.y) - Math.min(a.y + a.height, b.y + b.height),
  );

/** Centre of a box, px. */
export const centreOf = (r: Region): { readonly x: number; readonly y: number } => ({
  x: r.x + r.width / 2,
  y: r.y + r.height / 2,
});

/** The box in whole pixels: each border at the nearest one, at least one pixel wide and high. */
export function roundedRegion(r: Region): Region {
  const [x, y] = [Math.round(r.x), Math.round(r.y)];
  return {
    x,
    y,
    width: Math.max(1, Math.round(r.x + r.width) - x),
    height: Math.max(1, Math.round(r.y + r.height) - y),
  };
}
