import type { Region, Zone } from '../records/index.js';
import { centreOf } from './geometry.js';
import { isInPolygon, spansAt, type Polygon } from './polygon.js';

interface Size {
  readonly width: number;
  readonly height: number;
}

/** 1 for cells of which nothing is told; undefined where there are no zones. Row by row. */
export function unwatchedMask(zones: readonly Zone[] | undefined, grid: Size): Uint8Array | undefined {
  if (zones === undefined || zones.length === 0) return undefined;
  const mask = new Uint8Array(grid.width * grid.height);
  if (zones.some(({ use }) => use === 'include')) mask.fill(1);
  fill(mask, zones, 'include', grid, 0);
  fill(mask, zones, 'exclude', grid, 1);
  fill(mask, zones, 'private', grid, 1);
  return mask;
}

/** 1 for cells that are black because they are private; undefined where there are no zones. Row by row. */
export function hiddenMask(zones: readonly Zone[] | undefined, grid: Size): Uint8Array | undefined {
  if (zones === undefined || zones.length === 0) return undefined;
  const mask = new Uint8Array(grid.width * grid.height);
  fill(mask, zones, 'private', grid, 1);
  return mask;
}

/** Cells belong to a zone by their middle. */
function fill(
  mask: Uint8Array,
  zones: readonly Zone[],
  wanted: Zone['use'],
  { width, height }: Size,
  value: 0 | 1,
): void {
  for (const { use, polygon } of zones) {
    if (use !== wanted) continue;
    for (let y = 0; y < height; y++) {
      for (const [from, to] of spansAt(polygon, (y + 0.5) / height)) {
        const first = Math.max(0, Math.ceil(from * width - 0.5));
        const end = Math.min(width, Math.ceil(to * width - 0.5));
        if (first < end) mask.fill(value, y * width + first, y * width + end);
      }
    }
  }
}

/** Zones that sentences may name, the smallest first. */
const namedZones = (zones: readonly Zone[]): Zone[] =>
  zones
    .filter(({ use }) => use === 'name' || use === 'include')
    .sort((a, b) => polygonArea(a.polygon) - polygonArea(b.polygon));

/** Shoelace formula, in the square of the polygon's unit. */
const polygonArea = (polygon: Polygon): number =>
  Math.abs(
    polygon.reduce((sum, [x, y], i) => {
      const [nextX, nextY] = polygon[(i + 1) % polygon.length];
      return sum + x * nextY - nextX * y;
    }, 0),
  ) / 2;

/** Names of the zones that a point, in pixels, lies in, the smallest first. */
export const zonesAt = (zones: readonly Zone[], x: number, y: number, { width, height }: Size): string[] =>
  namedZones(zones)
    .filter(({ polygon }) => isInPolygon(polygon, x / width, y / height))
    .map(({ name }) => name);

/** Name of the smallest zone that the middle of a box lies in. */
export function zoneOf(zones: readonly Zone[], region: Region, picture: Size): string | undefined {
  const { x, y } = centreOf(region);
  return zonesAt(zones, x, y, picture).at(0);
}
