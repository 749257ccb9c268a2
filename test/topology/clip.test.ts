import { describe, expect, it } from 'vitest';
import { Stage } from '../../fixtures/stage.js';
import { ArraySource, fakeWorkers, framesOf, TopologyTestDriver } from '../support/topology-driver.js';

const width = 960;
const height = 120;

/** A thing crosses the picture for three seconds. */
const drawn = (() => {
  const stage = new Stage({ width, height });
  const thing = (x: number) => ({ x, y: 40, width: 60, height: 50, colour: [220, 60, 50] as const });
  return Array.from({ length: 125 }, (_, i) =>
    stage.draw({ boxes: i < 25 || i >= 100 ? [] : [thing((i - 25) * 11)], noiseSigma: 1 }),
  );
})();

describe('what a worker is given for a clip', () => {
  it('is small, from all of the activity, and what it was taken from has been given back', async () => {
    const sizes = new Map<string, Set<string>>();
    const clips: number[] = [];
    const workers = fakeWorkers();
    const driver = new TopologyTestDriver({
      workers: {
        ...workers,
        reason: (sequence, options) => {
          for (const { role, lease, ref } of sequence.frames) {
            const content = lease?.content();
            if (role === undefined || content?.form !== 'pixels') continue;
            if (role === 'clip') clips.push(ref.elapsedMs);
            const { picture } = content;
            sizes.set(role, (sizes.get(role) ?? new Set()).add(`${picture.width}x${picture.height}`));
          }
          return workers.reason(sequence, options);
        },
      },
    });
    // The driver sees to it that every lease comes back.
    await driver.run(new ArraySource(framesOf(drawn)));
    expect(sizes.get('clip')).toEqual(new Set([`${width / 2}x${height / 2}`]));
    for (const role of ['before', 'during', 'after']) expect(sizes.get(role)).toEqual(new Set([`${width}x${height}`]));
    expect(Math.min(...clips)).toBeLessThan(1_500);
    expect(Math.max(...clips)).toBeGreaterThan(3_000);
  });
});
