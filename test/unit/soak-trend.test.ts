import { expect, test } from 'vitest';
import type { SoakResult } from '../soak/soak.js';
import { slopeOf } from '../soak/trend.js';
import { complaintsAbout, figuresOf } from '../soak/verdict.js';

test('the slope is that of the most, whatever a few samples say', () => {
  const samples = Array.from({ length: 40 }, (_, i) => ({ at: i / 10, value: 300 + 7 * (i / 10) }));
  expect(slopeOf(samples)).toBeCloseTo(7);
  const outliers = samples.map((sample, i) => (i % 8 === 3 ? { ...sample, value: 900 } : sample));
  expect(slopeOf(outliers)).toBeCloseTo(7, 0);
});

/** Six hours: the service warms up for one and then gains `mbPerHour`. */
function resultWith(mbPerHour: number, serviceMb = 250): SoakResult {
  const memoryOf = (rssMb: number) => ({ rssMb, mappedMb: 50, heapMb: 40, externalMb: 10 });
  const samples = Array.from({ length: 72 }, (_, i) => {
    const hour = (i + 1) / 12;
    const wobble = 6 * Math.sin(i * 2.4);
    return {
      hour,
      service: memoryOf(serviceMb * Math.min(1, hour) + mbPerHour * hour + wobble),
      worker: memoryOf(300),
    };
  });
  return { frames: 1, events: 1, samples, letGo: 0 };
}

test('only what grows, or is too much from the start, is complained about', () => {
  expect(complaintsAbout(figuresOf(6, resultWith(0)))).toEqual([]);
  expect(complaintsAbout(figuresOf(6, resultWith(10)))).toEqual([expect.stringContaining('grew by')]);
  expect(complaintsAbout(figuresOf(6, resultWith(0, 500)))).toEqual([expect.stringContaining('more than')]);
  expect(complaintsAbout({ ...figuresOf(6, resultWith(0)), events: 0 })).toEqual(['no event came']);
});
