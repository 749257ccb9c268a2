import type { Region } from '../records/index.js';

/** A place where the detector sees text. */
export interface TextBox {
  readonly box: Region;
  /** Mean probability over the component, 0–1. */
  readonly score: number;
}

/** Probability from which a pixel counts as text. */
const pixelThreshold = 0.3;
/** Components whose mean probability is lower go. */
const minScore = 0.6;
/** Components with a side under this, in px of the map, are specks. */
const minSidePx = 3;
/** The network is trained on shrunken text; its boxes grow back by `area × ratio / perimeter` on every side. */
const unclipRatio = 1.5;

/**
 * Text lines of a probability map, top to bottom: pixels above the threshold, joined with their eight neighbours, each
 * component's upright box grown back. Boxes in px of the map, clipped to it.
 * Source: Liao et al., "Real-time Scene Text Detection with Differentiable Binarization", AAAI 2020; upright boxes
 * instead of rotated ones: lines tilted by more than a few degrees take in their neighbours.
 *
 * @param map `width × height` probabilities, row by row
 */
export function textBoxes(map: Float32Array, width: number, height: number): TextBox[] {
  const seen = new Uint8Array(map.length);
  const stack: number[] = [];
  const found: TextBox[] = [];
  for (let start = 0; start < map.length; start++) {
    if (seen[start] === 1 || map[start] <= pixelThreshold) continue;
    let [left, right, top, bottom] = [width, -1, height, -1];
    let sum = 0;
    let count = 0;
    seen[start] = 1;
    stack.push(start);
    for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
      const x = at % width;
      const y = (at - x) / width;
      left = Math.min(left, x);
      right = Math.max(right, x);
      top = Math.min(top, y);
      bottom = Math.max(bottom, y);
      sum += map[at];
      count++;
      for (let ny = Math.max(0, y - 1); ny <= Math.min(height - 1, y + 1); ny++) {
        for (let nx = Math.max(0, x - 1); nx <= Math.min(width - 1, x + 1); nx++) {
          const next = ny * width + nx;
          if (seen[next] === 1 || map[next] <= pixelThreshold) continue;
          seen[next] = 1;
          stack.push(next);
        }
      }
    }
    const score = sum / count;
    const boxWidth = right - left + 1;
    const boxHeight = bottom - top + 1;
    if (score < minScore || Math.min(boxWidth, boxHeight) < minSidePx) continue;
    const grow = (boxWidth * boxHeight * unclipRatio) / (2 * (boxWidth + boxHeight));
    const x = Math.max(0, left - grow);
    const y = Math.max(0, top - grow);
    const box = {
      x,
      y,
      width: Math.min(width, right + 1 + grow) - x,
      height: Math.min(height, bottom + 1 + grow) - y,
    };
    found.push({ box, score });
  }
  return found.sort((a, b) => a.box.y - b.box.y || a.box.x - b.box.x);
}
