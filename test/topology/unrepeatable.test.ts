import { describe, expect, it } from 'vitest';
import type { Position, SourceItem } from '../../src/records/index.js';
import type { ReadOptions, Source, SourceReport } from '../../src/sources/index.js';
import { memoryLog } from '../../src/log/memory.js';
import { Stage, type Box } from '../../fixtures/stage.js';
import {
  ArraySource,
  endingAfter,
  fakeWorkers,
  framesOf,
  tickAt,
  TopologyTestDriver,
  type ArrayFrame,
} from '../support/topology-driver.js';
import { topology } from '../../src/topology/topology.js';
import { activity } from '../../src/sequences/windows/activity.js';
import { frames } from '../../src/topology/operators/frames.js';
import { gate } from '../../src/topology/operators/gate.js';
import { reason } from '../../src/topology/operators/reason.js';
import { track } from '../../src/topology/operators/track.js';
import { window } from '../../src/topology/operators/window.js';

const FPS = 25;
const thing: Box = { x: 24, y: 16, width: 20, height: 18, colour: [220, 60, 50] };
const quick = { preRollMs: 200, postRollMs: 200, partMs: 300, quietMs: 200, settledEveryMs: 60_000 };

/** A camera on a thing that comes and goes for 5 s; whoever reads it again gets what comes `missedFrames` later. */
class Camera extends ArraySource implements Source {
  readonly replayable = false;
  readonly positions: Position[] = [];
  readonly #missedFrames: number;

  constructor(missedFrames: number, shotAt: (index: number) => readonly Box[] = (i) => (i % 50 > 25 ? [thing] : [])) {
    const stage = new Stage({ width: 64, height: 48 });
    super(framesOf(Array.from({ length: 125 }, (_, i) => stage.draw({ boxes: shotAt(i), noiseSigma: 1 }))));
    this.#missedFrames = missedFrames;
  }

  override async *read(options: ReadOptions): AsyncGenerator<SourceItem, SourceReport, undefined> {
    const { from } = options;
    if (from === undefined) return yield* super.read(options);
    expect(from.after, 'nothing is asked for that cannot be had').toBe(true);
    const next = from.index + 1 + this.#missedFrames;
    const atMs = (index: number) => (index * 1_000) / FPS;
    yield tickAt(atMs(next) - 1, { sinceMs: 1_000_000 + atMs(from.index), reason: 'nobody was reading', over: true });
    return yield* super.read({ ...options, from: { index: next, offset: String(next) } });
  }

  committed(position: Position): void {
    this.positions.push(position);
  }
}

const watching = topology('watch', ({ source }: { readonly source: Source }) =>
  frames(source).pipe(gate(), window(activity(quick)), reason({ question: 'What changed?' }), track()),
);

describe('a source that cannot be read again', () => {
  it('goes on behind the last frame after whichever commits it was broken off, with one gap', async () => {
    const undisturbed = new Camera(0);
    const driver = new TopologyTestDriver({ topology: watching });
    await driver.run(undisturbed);
    expect(undisturbed.positions).toHaveLength(driver.commits.length - 1);
    for (const [i, { index, after }] of undisturbed.positions.entries()) {
      expect(after).toBe(true);
      expect(index).toBeGreaterThan(undisturbed.positions[i - 1]?.index ?? -1);
    }
    for (let commits = 1; commits < driver.commits.length; commits++) {
      const log = memoryLog({ partitions: 1 });
      const runOver = (most: number) =>
        new TopologyTestDriver({ topology: watching, log: endingAfter(log, most) }).run(new Camera(7));
      await expect(runOver(commits)).rejects.toMatchObject({ code: 'TEST_BROKEN' });
      await runOver(Infinity);
      const events = await new TopologyTestDriver({ topology: watching, log }).events();
      const gaps = events.filter(({ condition }) => condition === 'SIGNAL_GAP');
      expect(gaps.map(({ statement, phase }) => [statement, phase])).toEqual([
        ['No new picture came for 0.3 s: nobody was reading.', 'ENDED'],
      ]);
    }
  });

  it('finds what changed while nobody was reading: the scene before, from the log, against the scene after', async () => {
    // Nothing stirs but while nobody looks.
    const unseen = (missedFrames: number) => new Camera(missedFrames, (i) => (i >= 60 ? [thing] : []));
    const log = memoryLog({ partitions: 1 });
    const before = new TopologyTestDriver({ topology: watching, log: endingAfter(log, 5) });
    await expect(before.run(unseen(0))).rejects.toMatchObject({ code: 'TEST_BROKEN' });
    const workers = fakeWorkers();
    await new TopologyTestDriver({ topology: watching, log, workers }).run(unseen(60));
    const [told] = workers.seen;
    expect(told.trigger).toBe('settled');
    expect(told.baseline).toMatch(/^\d+ {2}[0-9a-f]{8}$/);
    expect(Number(told.baseline!.split(' ')[0])).toBeLessThan(60);
    expect(told.first.frame).toBeGreaterThan(60);
  });

  it('a source that has lost a part of what is asked for goes on with what is left, and takes nothing for another', async () => {
    const stage = new Stage({ width: 64, height: 48 });
    const all = framesOf(
      Array.from({ length: 125 }, (_, i) => stage.draw({ boxes: i % 50 > 25 ? [thing] : [], noiseSigma: 1 })),
    );
    for (let commits = 1; commits < 12; commits++) {
      const log = memoryLog({ partitions: 1 });
      const broken = new TopologyTestDriver({ topology: watching, log: endingAfter(log, commits) });
      await expect(broken.run(new ArraySource(all))).rejects.toMatchObject({ code: 'TEST_BROKEN' });
      const from = (await log.checkpoint('watch/stage'))!.positions.stage.index;
      // Two frames have expired. The source counts on from the position, so that indexes no longer fit.
      const left = all.flatMap(({ ref, content }): ArrayFrame[] => {
        if (ref.index === from || ref.index === from + 1) return [];
        const index = ref.index < from ? ref.index : ref.index - 2;
        return [{ ref: { ...ref, index, position: { ...ref.position, index } }, content }];
      });
      const gap = { sinceMs: 1_000_000, reason: 'expired', over: true };
      const expired = [...left.slice(0, from), tickAt((from * 1_000) / FPS + 79, gap), ...left.slice(from)];
      const workers = fakeWorkers();
      await new TopologyTestDriver({ topology: watching, log, workers }).run(new ArraySource(expired));
      expect(workers.seen.length).toBeGreaterThan(0);
    }
  });

  it('a source that gives again what it still has goes on without the rest of what a window had kept', async () => {
    const stage = new Stage({ width: 64, height: 48 });
    const all = framesOf(
      Array.from({ length: 125 }, (_, i) => stage.draw({ boxes: i % 50 > 25 ? [thing] : [], noiseSigma: 1 })),
    );
    class Client extends ArraySource implements Source {
      readonly replayable = 'in part';
    }
    const { report } = await new TopologyTestDriver({ topology: watching }).run(new Client(all));
    for (let commits = 1; commits < 12; commits++) {
      for (const lost of [2, 200]) {
        const log = memoryLog({ partitions: 1 });
        const broken = new TopologyTestDriver({ topology: watching, log: endingAfter(log, commits) });
        await expect(broken.run(new Client(all))).rejects.toMatchObject({ code: 'TEST_BROKEN' });
        const from = (await log.checkpoint('watch/stage'))!.positions.stage.index;
        // In the middle of what is asked for, and nobody says so: numbers may have gaps.
        const left = new (class extends Client {
          override async *read(options: ReadOptions): AsyncGenerator<SourceItem, SourceReport, undefined> {
            const reading = super.read(options);
            for (let step = await reading.next(); ; step = await reading.next()) {
              if (step.done === true) return step.value;
              if (!('ref' in step.value)) continue;
              const { index } = step.value.ref;
              if (index > from && index <= from + lost && index < 110) step.value.lease.release();
              else yield step.value;
            }
          }
        })(all);
        const resumed = await new TopologyTestDriver({ topology: watching, log }).run(left);
        expect(resumed.report).toEqual(report);
      }
    }
  });

  it('is refused by an activity window that no gate measures for', async () => {
    const blind = topology('watch', ({ source }: { readonly source: Source }) =>
      // The compiler says so; a topology in plain JavaScript hears it here.
      frames(source).pipe(window<unknown, 'frames'>(activity() as never), reason({ question: 'What?' }), track()),
    );
    await expect(new TopologyTestDriver({ topology: blind }).run(new Camera(0))).rejects.toMatchObject({
      code: 'WINDOW_WITHOUT_GATE',
      class: 'user',
    });
  });
});
