import type { Picture, Yuv420Picture } from '../records/index.js';
import { spansAt, type Polygon } from './polygon.js';

/**
 * Makes areas of a picture black, in place: every pixel that an area touches. Polygons in shares of width and height.
 * Alpha stays as it is.
 */
export function blackOut(picture: Picture | Yuv420Picture, polygons: readonly Polygon[]): void {
  const { width, height } = picture;
  if (picture.type === 'yuv420') {
    const [halfWidth, halfHeight] = [Math.ceil(width / 2), Math.ceil(height / 2)];
    const black = picture.range === 'full' ? 0 : 16;
    const grey = 128;
    fillAreas(polygons, width, height, (from, to, y) => {
      picture.data.fill(black, y * width + from, y * width + to);
    });
    for (const plane of [0, 1]) {
      const start = width * height + plane * halfWidth * halfHeight;
      fillAreas(polygons, halfWidth, halfHeight, (from, to, y) => {
        picture.data.fill(grey, start + y * halfWidth + from, start + y * halfWidth + to);
      });
    }
    return;
  }
  const { channels, data } = picture;
  const colours = channels % 2 === 0 ? channels - 1 : channels;
  fillAreas(polygons, width, height, (from, to, y) => {
    if (colours === channels) {
      data.fill(0, (y * width + from) * channels, (y * width + to) * channels);
      return;
    }
    for (let x = from; x < to; x++) data.fill(0, (y * width + x) * channels, (y * width + x) * channels + colours);
  });
}

function fillAreas(
  polygons: readonly Polygon[],
  width: number,
  height: number,
  fill: (from: number, to: number, y: number) => void,
): void {
  const fillTouched = (fromX: number, toX: number, y: number): void => {
    const [from, to] = [Math.max(0, Math.floor(fromX)), Math.min(width, Math.ceil(toX))];
    if (from < to) fill(from, to, y);
  };
  for (const polygon of polygons) {
    const scaled = polygon.map(([x, y]) => [x * width, y * height] as const);
    for (let y = 0; y < height; y++) for (const [from, to] of spansAt(scaled, y + 0.5)) fillTouched(from, to, y);
    // What lies inside of a row and not on its middle line has a border in it: every pixel of the border is met too.
    for (const [i, [toX, toY]] of scaled.entries()) {
      const [fromX, fromY] = scaled[(i + scaled.length - 1) % scaled.length];
      const [top, bottom] = [Math.min(fromY, toY), Math.max(fromY, toY)];
      const xAt = (y: number): number => fromX + ((y - fromY) / (toY - fromY)) * (toX - fromX);
      for (let y = Math.max(0, Math.floor(top)); y < Math.min(height, bottom); y++) {
        const ends = top === bottom ? [fromX, toX] : [xAt(Math.max(top, y)), xAt(Math.min(bottom, y + 1))];
        fillTouched(Math.min(...ends), Math.max(...ends), y);
      }
    }
  }
}
