import { describe, expect, it } from 'vitest';
import { memoryLog } from '../../src/log/memory.js';
import type { FrameContent, Picture, PictureU8 } from '../../src/records/index.js';
import { activity } from '../../src/sequences/windows/activity.js';
import type { Source } from '../../src/sources/index.js';
import { frames } from '../../src/topology/operators/frames.js';
import { gate } from '../../src/topology/operators/gate.js';
import { reason } from '../../src/topology/operators/reason.js';
import { track } from '../../src/topology/operators/track.js';
import { window } from '../../src/topology/operators/window.js';
import { topology } from '../../src/topology/topology.js';
import { tiffOf } from '../support/pictures.js';
import { Stage, type Box } from '../../fixtures/stage.js';
import {
  ArraySource,
  endingAfter,
  fakeWorkers,
  framesOf,
  TopologyTestDriver,
  type SeenSequence,
} from '../support/topology-driver.js';

const watching = topology('watch', ({ source }: { readonly source: Source }) =>
  frames(source).pipe(
    gate(),
    window(activity({ preRollMs: 200, postRollMs: 200, partMs: 300, quietMs: 200, settledEveryMs: 700 })),
    reason({ question: 'What changed?' }),
    track(),
  ),
);

const thing: Box = { x: 24, y: 16, width: 20, height: 18, colour: [220, 60, 50] };

/** Rest, a thing that comes and stays, rest; 5 s. */
const drawn: readonly PictureU8[] = (() => {
  const stage = new Stage({ width: 64, height: 48 });
  return Array.from({ length: 125 }, (_, i) => stage.draw({ boxes: i >= 50 ? [thing] : [], noiseSigma: 1 }));
})();

/** Samples between those of 8 bit; the extremes are the same in every frame, so that all are shown alike. */
const finer = (picture: PictureU8, full: number): number[] =>
  Array.from(picture.data, (level, i) => (i < 2 ? i * full : (full * (level + ((i * 7) % 11) / 11)) / 256));
const asU16 = (picture: PictureU8): Picture => ({
  ...picture,
  type: 'u16',
  data: Uint16Array.from(finer(picture, 65_535)),
});
const asF32 = (picture: PictureU8): Picture => ({
  ...picture,
  type: 'f32',
  data: Float32Array.from(finer(picture, 0.3)),
});
const pixels = (picture: Picture): FrameContent => ({ form: 'pixels', picture });
const file = (picture: Picture): FrameContent => ({
  form: 'encoded',
  encoded: { mediaType: 'image/tiff', bytes: tiffOf(picture) },
});

describe.each<[string, (picture: PictureU8) => FrameContent]>([
  ['8-bit samples', pixels],
  ['16-bit samples', (picture) => pixels(asU16(picture))],
  ['floating point samples', (picture) => pixels(asF32(picture))],
  ['16-bit files', (picture) => file(asU16(picture))],
  ['floating point files', (picture) => file(asF32(picture))],
])('the settled scene of %s', (_, contentOf) => {
  it('is after a restart, to the last bit, what it was', async () => {
    const given = framesOf(drawn).map(({ ref }, i) => ({ ref, content: contentOf(drawn[i]) }));
    const undisturbed = new TopologyTestDriver({ topology: watching });
    await undisturbed.run(new ArraySource(given));
    const told = new Map(undisturbed.workers.seen.map((one) => [one.ordinal, one]));
    const commits = undisturbed.commits.length;
    const restored: SeenSequence[] = [];
    for (let ended = 1; ended < commits; ended += 2) {
      const log = memoryLog({ partitions: 1 });
      const broken = new TopologyTestDriver({ topology: watching, log: endingAfter(log, ended) });
      await expect(broken.run(new ArraySource(given))).rejects.toMatchObject({ code: 'TEST_BROKEN' });
      const workers = fakeWorkers();
      await new TopologyTestDriver({ topology: watching, log, workers }).run(new ArraySource(given));
      for (const one of workers.seen) expect(one, `after ${ended} commits`).toEqual(told.get(one.ordinal));
      const first = workers.seen.find(({ baseline }) => baseline !== undefined);
      if (first !== undefined) restored.push(first);
    }
    // Scenes of before and after the change were restored.
    expect(new Set(restored.map(({ baseline }) => baseline)).size).toBeGreaterThan(2);
  });
});
