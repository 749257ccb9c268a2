/** Corners, each `[x, y]`, in any unit. */
export type Polygon = readonly (readonly [x: number, y: number])[];

/**
 * Whether a point lies in a polygon, by how often a ray from it crosses the border (W. R. Franklin, PNPOLY,
 * https://wrfranklin.org/Research/Short_Notes/pnpoly.html). Points on the border may fall on either side.
 */
export function isInPolygon(polygon: Polygon, x: number, y: number): boolean {
  let inside = false;
  for (let i = 0, j = polygon.length - 1; i < polygon.length; j = i++) {
    const [xi, yi] = polygon[i];
    const [xj, yj] = polygon[j];
    if (yi > y !== yj > y && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) inside = !inside;
  }
  return inside;
}

/** The spans of a row that lie in a polygon, as pairs of x, from left to right. `y` is where the row is cut. */
export function spansAt(polygon: Polygon, y: number): (readonly [fromX: number, toX: number])[] {
  const crossings: number[] = [];
  for (let i = 0, j = polygon.length - 1; i < polygon.length; j = i++) {
    const [xi, yi] = polygon[i];
    const [xj, yj] = polygon[j];
    if (yi > y !== yj > y) crossings.push(((xj - xi) * (y - yi)) / (yj - yi) + xi);
  }
  crossings.sort((a, b) => a - b);
  return Array.from({ length: crossings.length >> 1 }, (_, n) => [crossings[2 * n], crossings[2 * n + 1]] as const);
}
