import { describe, expect, it } from 'vitest';
import { Stage, refOf, type Box } from '../../fixtures/stage.js';
import { memoryLog } from '../../src/log/memory.js';
import type { ChangeLog } from '../../src/log/index.js';
import { decodePicture } from '../../src/pixels/decode.js';
import { keyframesIn } from '../../src/topology/scene-keyframes.js';
import { ArraySource, endingAfter, TopologyTestDriver, type ArrayFrame } from '../support/topology-driver.js';

const MINUTE_MS = 60_000;
const size = { width: 64, height: 48 };
const thing: Box = { x: 24, y: 16, width: 20, height: 18, colour: [220, 60, 50] };

/** Two hours, seen every half a minute; a thing stands there in the second. */
const seen: readonly ArrayFrame[] = (() => {
  const stage = new Stage(size);
  const { eventTimeMs: beganMs } = refOf(0, size);
  return Array.from({ length: 240 }, (_, i) => {
    const elapsedMs = (i * MINUTE_MS) / 2;
    const ref = { ...refOf(i, size), elapsedMs, eventTimeMs: beganMs + elapsedMs };
    const picture = stage.draw({ boxes: i >= 120 ? [thing] : [], noiseSigma: 1 });
    return { ref, content: { form: 'pixels', picture } };
  });
})();

const keyframesOf = async (log: ChangeLog) => keyframesIn(await log.checkpoint('watch/stage'));

describe('pictures of the scene', () => {
  it('are kept every ten minutes, whether anything happens or not, and show it as it was', async () => {
    const log = memoryLog({ partitions: 1 });
    await new TopologyTestDriver({ log }).run(new ArraySource(seen));
    const kept = await keyframesOf(log);
    expect(kept.length).toBeGreaterThanOrEqual(11);
    expect(kept.length).toBeLessThanOrEqual(12);
    for (const [i, { at, sha256, width, height }] of kept.entries()) {
      if (i > 0) expect(at.elapsedMs - kept[i - 1].at.elapsedMs).toBeGreaterThanOrEqual(10 * MINUTE_MS);
      expect({ width, height }).toEqual(size);
      const blob = await log.blobs.get(sha256);
      expect(blob?.mediaType).toBe('image/jpeg');
      const { data } = await decodePicture({ mediaType: 'image/jpeg', bytes: blob?.bytes ?? new Uint8Array() });
      const at3 = 3 * (size.width * 25 + 34);
      expect(data[at3] > 180 && data[at3 + 1] < 110).toBe(at.elapsedMs >= 60 * MINUTE_MS);
    }
  });

  it('are after a restart those of a run that nothing disturbed', async () => {
    const undisturbed = memoryLog({ partitions: 1 });
    const driver = new TopologyTestDriver({ log: undisturbed });
    await driver.run(new ArraySource(seen));
    const kept = await keyframesOf(undisturbed);
    for (let ended = 1; ended < driver.commits.length; ended += 17) {
      const log = memoryLog({ partitions: 1 });
      const broken = new TopologyTestDriver({ log: endingAfter(log, ended) });
      await expect(broken.run(new ArraySource(seen))).rejects.toMatchObject({ code: 'TEST_BROKEN' });
      await new TopologyTestDriver({ log }).run(new ArraySource(seen));
      expect(await keyframesOf(log)).toEqual(kept);
      for (const { sha256 } of kept) expect(await log.blobs.has(sha256)).toBe(true);
    }
  });
});
