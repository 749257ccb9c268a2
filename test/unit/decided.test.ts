import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { cocoLabels } from '../../src/evidence/coco.js';
import { decidedObjects } from '../../src/evidence/decided.js';
import { iou } from '../../src/pixels/geometry.js';
import { box, thing } from '../support/scenes.js';

const place = box(40, 40, 60, 80);
const beside = box(42, 38, 60, 80);
const elsewhere = box(200, 40, 60, 80);

it('names what holds most of what all classes are given at its place', () => {
  const seen = [thing('bottle', place, 0.6), thing('vase', beside, 0.2), thing('bottle', elsewhere, 0.5)];
  expect(decidedObjects(seen)).toEqual([seen[0], seen[2]]);
});

it.each([
  ['it wavers between two', [thing('cell phone', place, 0.66), thing('bus', place, 0.35), thing('car', beside, 0.3)]],
  ['it hardly believes it', [thing('person', place, 0.34)]],
  ['many doubts add up', ['train', 'bus', 'boat', 'bench', 'kite'].map((label) => thing(label, place, 0.4))],
])('names nothing where %s', (_, seen) => {
  expect(decidedObjects(seen)).toEqual([]);
});

it('takes several boxes of one class for one thing, not for doubt', () => {
  const seen = [thing('person', place, 0.5), thing('person', beside, 0.45), thing('dog', beside, 0.15)];
  expect(decidedObjects(seen)).toEqual([seen[0]]);
});

it('gives each thing once, best first, out of what was seen, whatever the order', () => {
  const seen = fc.array(
    fc
      .tuple(
        fc.constantFrom(...cocoLabels),
        fc.integer({ min: 0, max: 5 }),
        fc.double({ min: 0.1, max: 1, noNaN: true }),
      )
      .map(([label, at, confidence]) => thing(label, box(at * 30, 0, 80, 80), confidence)),
    { maxLength: 20 },
  );
  fc.assert(
    fc.property(seen, (objects) => {
      const decided = decidedObjects(objects);
      expect(decided.every((o) => objects.includes(o) && o.confidence >= 0.35)).toBe(true);
      expect(decided).toEqual([...decided].sort((a, b) => b.confidence - a.confidence));
      for (const a of decided)
        for (const b of decided) if (a !== b) expect(iou(a.region, b.region)).toBeLessThanOrEqual(0.5);
      fc.pre(new Set(objects.map((o) => o.confidence)).size === objects.length);
      expect(decidedObjects([...objects].reverse())).toEqual(decided);
    }),
  );
});
