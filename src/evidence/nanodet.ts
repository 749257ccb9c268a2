import { iou } from '../pixels/geometry.js';
import type { Region } from '../records/index.js';
import type { Tensor } from './models.js';

/** Side of the detector's square input, px. */
export const INPUT_PX = 416;
/** Bins of each distance distribution: the distance is 0–10 strides. */
const BINS = 11;

/** A box of the detector with its class index. */
export interface ScoredBox {
  readonly classIndex: number;
  /** 0–1 */
  readonly score: number;
  readonly box: Region;
}

/**
 * Mean of the distribution whose logits lie at `logits[from, from + BINS)`, in bins: softmax, then the expected index.
 * Source: Li et al., "Generalized Focal Loss", NeurIPS 2020 (integral of the general distribution).
 */
export function expectedBin(logits: Float32Array, from: number): number {
  let greatest = -Infinity;
  for (let i = 0; i < BINS; i++) greatest = Math.max(greatest, logits[from + i]);
  let sum = 0;
  let moment = 0;
  for (let i = 0; i < BINS; i++) {
    const weight = Math.exp(logits[from + i] - greatest);
    sum += weight;
    moment += weight * i;
  }
  return moment / sum;
}

/**
 * Boxes of one pyramid level in input pixels.
 *
 * @param scores `[1, cells, classes]`, 0–1; `cells` is a square, row by row
 * @param distances `[1, cells, 4 × BINS]` logits of left, top, right, bottom distance from the cell's centre in strides
 *
 * The centre is at `(column + 0.5, row + 0.5)` strides (measured on pictures: without the half, boxes lie half a
 * stride up and left). A cell gives one box for each class that reaches `minScore`.
 */
export function decodeLevel(scores: Tensor, distances: Tensor, minScore: number): ScoredBox[] {
  const [, cells, classes] = scores.dims;
  const side = Math.round(Math.sqrt(cells));
  const stride = INPUT_PX / side;
  const found: ScoredBox[] = [];
  for (let cell = 0; cell < cells; cell++) {
    let box: Region | undefined;
    for (let classIndex = 0; classIndex < classes; classIndex++) {
      const score = scores.values[cell * classes + classIndex];
      if (score < minScore) continue;
      box ??= boxOf(cell % side, Math.floor(cell / side), stride, distances.values, cell * 4 * BINS);
      found.push({ classIndex, score, box });
    }
  }
  return found;
}

function boxOf(column: number, row: number, stride: number, logits: Float32Array, from: number): Region {
  const [left, top, right, bottom] = [0, 1, 2, 3].map((side) => expectedBin(logits, from + side * BINS) * stride);
  const centreX = (column + 0.5) * stride;
  const centreY = (row + 0.5) * stride;
  return { x: centreX - left, y: centreY - top, width: left + right, height: top + bottom };
}

/**
 * Greedy non-maximum suppression within each class: best score first, boxes that overlap a kept one by more than
 * `maxOverlap` go. Ties keep the input's order, so that the result is the same on every machine.
 */
export function suppress(boxes: readonly ScoredBox[], maxOverlap: number): ScoredBox[] {
  const kept: ScoredBox[] = [];
  for (const box of [...boxes].sort((a, b) => b.score - a.score)) {
    const beaten = kept.some((other) => other.classIndex === box.classIndex && iou(other.box, box.box) > maxOverlap);
    if (!beaten) kept.push(box);
  }
  return kept;
}
