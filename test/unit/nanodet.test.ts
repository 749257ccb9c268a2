import { describe, expect, test } from 'vitest';
import { cocoLabels } from '../../src/evidence/coco.js';
import { decodeLevel, expectedBin, suppress } from '../../src/evidence/nanodet.js';

/** Logits whose softmax is all on one bin. */
const peak = (bin: number): number[] => Array.from({ length: 11 }, (_, i) => (i === bin ? 50 : 0));

describe('expectedBin', () => {
  test('is the middle of an even distribution', () => {
    expect(expectedBin(new Float32Array(11).fill(3), 0)).toBeCloseTo(5, 6);
  });

  test('weighs bins by their softmax: logits ln 1 and ln 3 on bins 2 and 6 give 5', () => {
    const logits = new Float32Array(11).fill(-1000);
    logits[2] = 0;
    logits[6] = Math.log(3);
    expect(expectedBin(logits, 0)).toBeCloseTo((2 * 1 + 6 * 3) / 4, 5);
  });

  test('reads from its offset', () => {
    expect(expectedBin(Float32Array.from([...peak(1), ...peak(7)]), 11)).toBeCloseTo(7, 6);
  });
});

describe('decodeLevel', () => {
  // Two by two cells: a stride of 208 px. Cell 1 is the upper right one, its centre at (312, 104).
  const scores = { dims: [1, 4, 3], values: Float32Array.from([0, 0, 0, 0.2, 0.9, 0.5, 0, 0, 0, 0, 0, 0]) };
  const sides = [...peak(1), ...peak(0), ...peak(0), ...peak(2)];
  const none = Array<number>(44).fill(0);
  const distances = { dims: [1, 4, 44], values: Float32Array.from([...none, ...sides, ...none, ...none]) };

  test('gives a box for each class that reaches the score', () => {
    const found = decodeLevel(scores, distances, 0.4);
    expect(found.map(({ classIndex }) => classIndex)).toEqual([1, 2]);
    expect(found[0].score).toBeCloseTo(0.9, 6);
    const { x, y, width, height } = found[0].box;
    expect([x, y, width, height].map((value) => Math.round(value))).toEqual([312 - 208, 104, 208, 416]);
  });

  test('gives nothing above every score', () => {
    expect(decodeLevel(scores, distances, 0.95)).toEqual([]);
  });
});

describe('suppress', () => {
  const at = (x: number, score: number, classIndex = 0) => ({
    classIndex,
    score,
    box: { x, y: 0, width: 10, height: 10 },
  });

  test('keeps the best of boxes that overlap', () => {
    expect(suppress([at(1, 0.5), at(0, 0.9), at(2, 0.6)], 0.6)).toEqual([at(0, 0.9)]);
  });

  test('keeps boxes that overlap less, and other classes', () => {
    const boxes = [at(0, 0.9), at(0, 0.8, 1), at(5, 0.7)];
    expect(suppress(boxes, 0.6)).toEqual(boxes);
  });

  test('judges against kept boxes only, not against suppressed ones', () => {
    // 0–10 beats 2–12 (overlap 8/12), which would have beaten 4–14; 0–10 and 4–14 share 6/14.
    expect(suppress([at(0, 0.9), at(2, 0.8), at(4, 0.7)], 0.6)).toEqual([at(0, 0.9), at(4, 0.7)]);
  });
});

test('there are 80 different labels', () => {
  expect(new Set(cocoLabels).size).toBe(80);
});
