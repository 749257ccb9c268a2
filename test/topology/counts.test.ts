import { describe, expect, it } from 'vitest';
import { memoryLog } from '../../src/log/memory.js';
import { encodePng } from '../../src/pixels/encode.js';
import { BlinkstreamError } from '../../src/records/index.js';
import { activity } from '../../src/sequences/windows/activity.js';
import type { Source } from '../../src/sources/index.js';
import { frames } from '../../src/topology/operators/frames.js';
import { gate } from '../../src/topology/operators/gate.js';
import { reason } from '../../src/topology/operators/reason.js';
import { reorder } from '../../src/topology/operators/reorder.js';
import { track } from '../../src/topology/operators/track.js';
import { window } from '../../src/topology/operators/window.js';
import type { RunResult } from '../../src/topology/run.js';
import { topology } from '../../src/topology/topology.js';
import { findingOf, reasonedOf } from '../support/findings.js';
import { Stage, type Box } from '../../fixtures/stage.js';
import {
  ArraySource,
  endingAfter,
  fakeWorkers,
  framesOf,
  TopologyTestDriver,
  type ArrayFrame,
} from '../support/topology-driver.js';

const thing: Box = { x: 24, y: 16, width: 20, height: 18, colour: [220, 60, 50] };

/** Things come and go for 6 s; every eleventh frame arrives 14 places, and every fifth two places, after its time. */
const given: readonly ArrayFrame[] = (() => {
  const stage = new Stage({ width: 64, height: 48 });
  const drawn = Array.from({ length: 150 }, (_, i) =>
    stage.draw({ boxes: i % 60 >= 20 && i % 60 < 45 ? [thing] : [], noiseSigma: 1 }),
  );
  const inTime = framesOf(drawn);
  const arrivesAt = (i: number) => (i % 11 === 10 ? i + 14.5 : i % 5 === 3 ? i + 2.5 : i);
  const arrived = [...inTime.keys()].sort((a, b) => arrivesAt(a) - arrivesAt(b));
  return arrived.map((from, index) => {
    const { ref, content } = inTime[from];
    return { ref: { ...ref, index, position: { index, offset: String(index) } }, content };
  });
})();

const watching = topology('watch', ({ source }: { readonly source: Source }) =>
  frames(source).pipe(
    reorder({ allowedLatenessMs: 200 }),
    gate(),
    window(activity({ preRollMs: 200, postRollMs: 200, partMs: 300, quietMs: 200, settledEveryMs: 500 })),
    reason({ question: 'What changed?' }),
    track(),
  ),
);

/** Every third sequence is lost, every other one claims two things that are not so. */
const workers = () =>
  fakeWorkers(({ ordinal }) => {
    if (ordinal % 3 === 1) {
      throw new BlinkstreamError(`sequence ${ordinal} is too much`, {
        code: 'TEST',
        class: 'resource',
        stage: 'worker',
      });
    }
    return reasonedOf([], { contradicted: ordinal % 2 === 0 ? [findingOf(), findingOf()] : [] });
  });

const countsOf = ({ lateFrames, unreadableFrames, deadLetters, contradicted }: RunResult) => ({
  lateFrames,
  unreadableFrames,
  deadLetters,
  contradicted,
});

const encoded = (): Promise<ArrayFrame[]> =>
  Promise.all(
    given.map(async ({ ref, content }, i) => {
      if (content.form !== 'pixels') throw new Error('the stage draws pixels');
      const whole = await encodePng(content.picture);
      const bytes = i % 40 === 17 ? whole.slice(0, 60) : whole;
      return { ref, content: { form: 'encoded' as const, encoded: { mediaType: 'image/png' as const, bytes } } };
    }),
  );

describe.each([
  ['at once', () => Promise.resolve(given), 3, 0],
  // The gate decodes them meanwhile, so that more are read ahead of it.
  ['while others are decoded', encoded, 7, 4],
] as const)('counts of a run, of frames that are gated %s', (_, framesGiven, everyCommits, leastUnreadable) => {
  it('are those of the undisturbed run, after whichever commits it was broken off', async () => {
    const all = await framesGiven();
    const undisturbed = new TopologyTestDriver({ topology: watching, workers: workers() });
    const counts = countsOf(await undisturbed.run(new ArraySource(all)));
    const claims = await undisturbed.log.contradicted({ limit: 999 });
    expect(claims).toHaveLength(counts.contradicted);
    expect(new Set(claims.map(({ statement }) => statement))).toEqual(new Set([findingOf().statement]));
    const { unreadableFrames, ...others } = counts;
    for (const count of Object.values(others)) expect(count).toBeGreaterThan(5);
    expect(unreadableFrames).toBeGreaterThanOrEqual(leastUnreadable);
    expect(undisturbed.unreadable).toHaveLength(unreadableFrames);
    expect(undisturbed.late).toHaveLength(counts.lateFrames);
    const total = undisturbed.commits.length;
    expect(total).toBeGreaterThan(10);

    for (let commits = 0; commits < total; commits += everyCommits) {
      const log = memoryLog({ partitions: 1 });
      const runOver = (most: number) =>
        new TopologyTestDriver({ topology: watching, log: endingAfter(log, most), workers: workers() }).run(
          new ArraySource(all),
        );
      await expect(runOver(commits)).rejects.toMatchObject({ code: 'TEST_BROKEN' });
      // And once more on the way, or right at the end.
      const rest = Math.min(3, total - commits - 1);
      await expect(runOver(rest)).rejects.toMatchObject({ code: 'TEST_BROKEN' });
      expect(countsOf(await runOver(Infinity)), `broken off after ${commits} commits`).toEqual(counts);
      // As stored, for a run that has nothing left to do.
      expect(countsOf(await runOver(0))).toEqual(counts);
      expect(await log.contradicted({ limit: 999 })).toEqual(claims);
    }
  });
});
