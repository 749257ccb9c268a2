import { isDeepStrictEqual } from 'node:util';
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { filter, tap } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { dismissalOf } from '../../src/changes/feedback.js';
import { encodePng } from '../../src/pixels/encode.js';
import { memoryLog } from '../../src/log/memory.js';
import {
  BlinkstreamError,
  isTick,
  type Blob,
  type ErrorClass,
  type Finding,
  type FrameSequence,
  type PictureU8,
  type Reasoned,
} from '../../src/records/index.js';
import { activity } from '../../src/sequences/windows/activity.js';
import type { Source } from '../../src/sources/index.js';
import { frames } from '../../src/topology/operators/frames.js';
import { gate } from '../../src/topology/operators/gate.js';
import { reason } from '../../src/topology/operators/reason.js';
import { reorder } from '../../src/topology/operators/reorder.js';
import { track } from '../../src/topology/operators/track.js';
import { window } from '../../src/topology/operators/window.js';
import { topology } from '../../src/topology/topology.js';
import { findingOf, pictureOf, reasonedOf } from '../support/findings.js';
import { Stage, refOf, type Box } from '../../fixtures/stage.js';
import {
  ArraySource,
  endingAfter,
  fakeWorkers,
  framesOf,
  TopologyTestDriver,
  type ArrayFrame,
  type SeenSequence,
} from '../support/topology-driver.js';

const SIZE = { width: 64, height: 48 };
const thing: Box = { x: 24, y: 16, width: 20, height: 18, colour: [220, 60, 50] };

/** Something passes, something else comes and stays, and is taken away again, with rest in between; 9 s. */
const story: readonly PictureU8[] = (() => {
  const stage = new Stage(SIZE);
  return Array.from({ length: 225 }, (_, i) => {
    const boxes: Box[] = [];
    if (i >= 20 && i < 44) boxes.push({ ...thing, x: -20 + (i - 20) * 4, y: 4, height: 10 });
    if (i >= 60 && i < 105) boxes.push(thing);
    return stage.draw({ boxes, noiseSigma: 1 });
  });
})();

const quick = { preRollMs: 400, postRollMs: 400, partMs: 500, quietMs: 400, settledEveryMs: 700 };
const blobOf = (text: string): Blob => {
  const bytes = Buffer.from(text);
  return { sha256: createHash('sha256').update(bytes).digest('hex'), mediaType: 'image/png', bytes };
};

/** One finding for each settled region, with a picture of its own: what a worker would make of the story, without pixels. */
function answer({ settled, ordinal, trigger, last, first }: FrameSequence): Reasoned {
  const told = settled.map(({ leftAt, restedAt }, i): [Finding, Blob] => {
    const blob = blobOf(`${ordinal}/${i}`);
    const kind = i % 2 === 0 ? 'APPEARED' : 'DISAPPEARED';
    return [findingOf({ kind, interval: { first: leftAt, last: restedAt }, pictures: [pictureOf(blob.sha256)] }), blob];
  });
  const part = trigger === 'part';
  const moving = findingOf({
    kind: 'ACTIVITY',
    interval: { first, last },
    ongoing: part,
    identity: { trackId: ordinal },
  });
  return reasonedOf([...told.map(([finding]) => finding), ...(part ? [moving] : [])], {
    blobs: told.map(([, blob]) => blob),
  });
}

const watching = (allowedLatenessMs: number) =>
  topology('watch', ({ source }: { readonly source: Source }) =>
    frames(source).pipe(
      reorder({ allowedLatenessMs }),
      gate(),
      window(activity(quick)),
      reason({ question: 'What changed?' }),
      track(),
    ),
  );
const quickWatch = watching(200);

async function undisturbed(given: readonly ArrayFrame[], of = quickWatch) {
  const driver = new TopologyTestDriver({ topology: of, workers: fakeWorkers(answer) });
  const result = await driver.run(new ArraySource(given));
  return { driver, result, events: await driver.events() };
}

describe('run', () => {
  it('gives events in order, each commit with its checkpoint and pictures, and every lease back', async () => {
    const { driver, result, events } = await undisturbed(framesOf(story));
    expect(result).toMatchObject({ alreadyDone: false, committedEvents: events.length, lateFrames: 0, deadLetters: 0 });
    expect(result.report).toMatchObject({ complete: true, framesRead: story.length });
    expect(events.length).toBeGreaterThan(3);
    expect(driver.commits.flat().map(({ eventId }) => eventId)).toEqual(events.map(({ eventId }) => eventId));
    expect(driver.workers.seen.map(({ ordinal }) => ordinal)).toEqual(
      driver.workers.seen.map(({ ordinal }) => ordinal).sort((a, b) => a - b),
    );
    const named = new Set(events.flatMap(({ pictures }) => pictures.map(({ sha256 }) => sha256)));
    expect(named.size).toBeGreaterThan(0);
    for (const sha256 of named) expect(await driver.log.blobs.has(sha256)).toBe(true);
  });

  it('does nothing where an earlier run reached the end', async () => {
    const { driver, result, events } = await undisturbed(framesOf(story));
    const again = new ArraySource(framesOf(story));
    expect(await driver.run(again)).toMatchObject({ alreadyDone: true, committedEvents: 0, report: result.report });
    expect(again.given).toBe(0);
    expect(await driver.events()).toEqual(events);
  });

  it('gives the same whatever order workers end in, and however many there are', async () => {
    const { events, driver } = await undisturbed(framesOf(story));
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 5 }),
        fc.array(fc.nat(6), { minLength: 1 }),
        async (capacity, turns) => {
          const workers = fakeWorkers(answer, { capacity, turns: ({ ordinal }) => turns[ordinal % turns.length] });
          const other = new TopologyTestDriver({ topology: quickWatch, workers });
          await other.run(new ArraySource(framesOf(story)));
          expect(await other.events()).toEqual(events);
          expect([...workers.seen].sort((a, b) => a.ordinal - b.ordinal)).toEqual(driver.workers.seen);
        },
      ),
      { numRuns: 4 },
    );
  });

  it('works with a budget for hardly more frames than the window keeps', async () => {
    const { events } = await undisturbed(framesOf(story));
    const tight = new TopologyTestDriver({
      topology: quickWatch,
      workers: fakeWorkers(answer),
      budgetBytes: 45 * SIZE.width * SIZE.height * 3,
    });
    await tight.run(new ArraySource(framesOf(story)));
    expect(await tight.events()).toEqual(events);
  });

  it('comes to its end with a budget for fewer frames than the window would keep', async () => {
    const tight = new TopologyTestDriver({
      topology: quickWatch,
      workers: fakeWorkers(answer),
      budgetBytes: 16 * SIZE.width * SIZE.height * 3,
    });
    await expect(tight.run(new ArraySource(framesOf(story)))).resolves.toMatchObject({
      report: { framesRead: story.length, complete: true },
    });
    expect((await tight.events()).map(({ kind }) => kind)).toContain('APPEARED');
  });
});

describe('run: broken off and begun again', () => {
  /** Runs end after each of these numbers of commits, the last one at the end of the source. */
  async function brokenOff(given: readonly ArrayFrame[], of: typeof quickWatch, endsAfter: readonly number[]) {
    const log = memoryLog({ partitions: 2 });
    const seen: SeenSequence[] = [];
    for (const commits of [...endsAfter, Infinity]) {
      const workers = fakeWorkers(answer);
      const driver = new TopologyTestDriver({ topology: of, log: endingAfter(log, commits), workers });
      const running = driver.run(new ArraySource(given));
      if (commits === Infinity) await running;
      else await expect(running).rejects.toMatchObject({ code: 'TEST_BROKEN' });
      seen.push(...workers.seen);
    }
    return { seen, events: await new TopologyTestDriver({ log }).events() };
  }

  /** Whatever is seen again is seen as it was, and what is published is what was published. */
  function expectSame(
    again: Awaited<ReturnType<typeof brokenOff>>,
    { events, driver }: Awaited<ReturnType<typeof undisturbed>>,
  ): void {
    const told = new Map(driver.workers.seen.map((one) => [one.ordinal, one]));
    expect(again.events).toEqual(events);
    for (const one of again.seen) expect(one).toEqual(told.get(one.ordinal));
  }

  it('publishes the same events and shows workers the same pixels, after whichever commits it ended', async () => {
    const told = await undisturbed(framesOf(story));
    const most = told.driver.commits.length - 1;
    const ends = fc.array(fc.nat(most), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(ends, async (endsAfter) => {
        let left = most;
        const possible = endsAfter.map((commits) => {
          const here = Math.min(commits, left);
          left -= here;
          return here;
        });
        expectSame(await brokenOff(framesOf(story), quickWatch, possible), told);
      }),
      { numRuns: 6 },
    );
  });

  it('gives every lease back and goes on where the source itself breaks off', async () => {
    const { events } = await undisturbed(framesOf(story));
    const log = memoryLog({ partitions: 1 });
    const driver = () => new TopologyTestDriver({ topology: quickWatch, log, workers: fakeWorkers(answer) });
    for (const breaksBefore of [1, 30, 75, 140]) {
      const source = new ArraySource(framesOf(story), { breaksBefore });
      await expect(driver().run(source)).rejects.toMatchObject({ code: 'TEST_BROKEN' });
    }
    const last = driver();
    await last.run(new ArraySource(framesOf(story)));
    expect(await last.events()).toEqual(events);
  });

  it('reads again frames that waited for others to overtake them', async () => {
    const given = framesOf(story);
    // Neighbours arrive the other way round, and every thirtieth frame far too early; index and position count arrivals.
    const placeOf = (i: number) => (i % 30 === 29 ? i - 25.5 : i % 3 === 0 ? i + 2.5 : i);
    const arrived = given.map((_, i) => i).sort((a, b) => placeOf(a) - placeOf(b));
    const patient = watching(1_500);
    const shuffled = arrived.map((from, index): ArrayFrame => {
      const { ref, content } = given[from];
      return { ref: { ...ref, index, position: { index, offset: String(index) } }, content };
    });
    const told = await undisturbed(shuffled, patient);
    const { events, result, driver } = told;
    expect(result.lateFrames).toBe(0);
    expect(events.map(({ kind, interval }) => [kind, interval.first.elapsedMs, interval.last.elapsedMs])).toEqual(
      (await undisturbed(given, patient)).events.map(({ kind, interval }) => [
        kind,
        interval.first.elapsedMs,
        interval.last.elapsedMs,
      ]),
    );
    for (let commits = 0; commits < driver.commits.length; commits += 2)
      expectSame(await brokenOff(shuffled, patient, [commits]), told);
  });

  it('goes on after user operators dropped frames or sequences: what they drop is covered by the next checkpoint', async () => {
    const sieve = topology('watch', ({ source }: { readonly source: Source }) =>
      frames(source).pipe(
        filter((item) => isTick(item) || item.ref.index % 5 !== 3),
        gate(),
        filter((item) => isTick(item) || item.frame.ref.index % 7 !== 2),
        // Rest lasts for several checkpoints before the settled scene is looked at.
        window(activity({ ...quick, settledEveryMs: 1_400 })),
        // The very sequences with which the settled scene becomes another.
        filter(({ trigger }) => trigger !== 'activity'),
        reason({ question: 'What changed?' }),
        filter(({ trigger, ordinal }) => trigger === 'settled' || ordinal % 5 !== 3),
        track(),
      ),
    );
    const told = await undisturbed(framesOf(story), sieve);
    const { events, driver } = told;
    expect(events.length).toBeGreaterThan(1);
    expect(driver.workers.seen.filter(({ baseline }) => baseline !== undefined).length).toBeGreaterThan(1);
    for (let commits = 0; commits < driver.commits.length; commits++)
      expectSame(await brokenOff(framesOf(story), sieve, [commits]), told);
  });

  it('gives user operators behind the gate no frame again that was gated: one that looks at evidence needs no care', async () => {
    let passed: number[] = [];
    const picky = topology('watch', ({ source }: { readonly source: Source }) =>
      frames(source).pipe(
        gate(),
        tap((item) => isTick(item) || passed.push(item.frame.ref.index)),
        filter((item) => isTick(item) || item.evidence.motion === 'active' || item.frame.ref.index % 2 === 0),
        window(activity(quick)),
        reason({ question: 'What changed?' }),
        track(),
      ),
    );
    const told = await undisturbed(framesOf(story), picky);
    expect(told.events.length).toBeGreaterThan(1);
    for (let commits = 1; commits < told.driver.commits.length; commits += 2) {
      passed = [];
      expectSame(await brokenOff(framesOf(story), picky, [commits]), told);
      // The run that went on began with a frame that had not been gated.
      const again = passed.findIndex((index, i) => index < (passed[i - 1] ?? 0));
      expect(passed.slice(again)).toEqual(
        Array.from({ length: story.length - passed[again] }, (_, i) => passed[again] + i),
      );
      expect(passed[again]).toBeGreaterThan(0);
    }
  });

  it('stops where it is told to, with every lease back, and goes on from there', async () => {
    const { events } = await undisturbed(framesOf(story));
    const stop = new AbortController();
    const log = memoryLog({ partitions: 1 });
    const stopping = fakeWorkers((sequence) => {
      if (sequence.ordinal === 4) stop.abort(new Error('enough'));
      return answer(sequence);
    });
    const first = new TopologyTestDriver({ topology: quickWatch, log, workers: stopping });
    await expect(first.run(new ArraySource(framesOf(story)), stop.signal)).rejects.toThrow('enough');
    const second = new TopologyTestDriver({ topology: quickWatch, log, workers: fakeWorkers(answer) });
    await second.run(new ArraySource(framesOf(story)));
    expect(await second.events()).toEqual(events);
  });
});

describe('run: what goes wrong', () => {
  /** Workers that fail at the first activity. */
  const failing = (errorClass: ErrorClass) => {
    let failed = false;
    return fakeWorkers((sequence) => {
      if (failed || sequence.trigger !== 'activity') return answer(sequence);
      failed = true;
      throw new BlinkstreamError('no worker can do this one', { code: 'TEST', class: errorClass, stage: 'worker' });
    });
  };

  it.each(['resource', 'data'] as const)(
    'tells a sequence that fails by %s as a dead letter and goes on',
    async (errorClass) => {
      const driver = new TopologyTestDriver({ topology: quickWatch, workers: failing(errorClass) });
      const result = await driver.run(new ArraySource(framesOf(story)));
      expect(result.deadLetters).toBe(1);
      expect(driver.deadLetters.map(({ code }) => code)).toEqual(['TEST']);
      expect((await driver.events()).length).toBeGreaterThan(0);
    },
  );

  it.each(['internal', 'external', 'user'] as const)('ends by an error of class %s', async (errorClass) => {
    const driver = new TopologyTestDriver({ topology: quickWatch, workers: failing(errorClass) });
    await expect(driver.run(new ArraySource(framesOf(story)))).rejects.toMatchObject({ code: 'TEST' });
    expect(driver.deadLetters).toEqual([]);
  });

  it('ends by the error of a log that cannot commit', async () => {
    const log = memoryLog({ partitions: 1 });
    const full = {
      ...log,
      checkpoint: () => Promise.resolve(undefined),
      commit: () => Promise.reject(new Error('disk full')),
    };
    const driver = new TopologyTestDriver({
      topology: quickWatch,
      log: full,
      workers: fakeWorkers(answer),
    });
    await expect(driver.run(new ArraySource(framesOf(story)))).rejects.toThrow('disk full');
  });

  it('ends by the error of an operator, and not by an uncaught one', async () => {
    const broken = topology('watch', ({ source }: { readonly source: Source }) =>
      frames(source).pipe(
        reorder({ allowedLatenessMs: 100 }),
        gate(),
        window({
          name: 'broken',
          needs: 'measured',
          open: () => {
            const inner = activity(quick).open();
            let pushed = 0;
            return {
              state: inner.state,
              openWindows: 0,
              kept: () => inner.kept(),
              keptPositions: () => inner.keptPositions(),
              baseline: () => inner.baseline(),
              push: (input) => {
                if ((pushed += 1) > 30) throw new RangeError('window fell out');
                return inner.push(input);
              },
            };
          },
        }),
        reason({ question: 'What changed?' }),
        track(),
      ),
    );
    const driver = new TopologyTestDriver({ topology: broken });
    await expect(driver.run(new ArraySource(framesOf(story)))).rejects.toThrow('window fell out');
  });

  it('tells late frames and counts them, and leaves them out', async () => {
    const given = framesOf(story);
    const behind = given.map((frame, index): ArrayFrame => {
      const ref = { ...frame.ref, index, position: { index, offset: String(index) } };
      return index === 90 || index === 91
        ? { ...frame, ref: { ...ref, eventTimeMs: refOf(50).eventTimeMs + index } }
        : { ...frame, ref };
    });
    const { result, driver } = await undisturbed(behind);
    expect(result.lateFrames).toBe(2);
    expect(driver.late.map(({ index }) => index)).toEqual([90, 91]);
  });

  it('tells and counts pictures that cannot be decoded, and goes on without them', async () => {
    const encoded = await Promise.all(
      framesOf(story).map(async ({ ref }, i): Promise<ArrayFrame> => {
        const bytes = await encodePng(story[i]);
        // Sound as far as its header goes.
        const damaged = i === 12 || i === 13 ? bytes.slice(0, 60) : bytes;
        return { ref, content: { form: 'encoded', encoded: { mediaType: 'image/png', bytes: damaged } } };
      }),
    );
    const { result, driver, events } = await undisturbed(encoded);
    expect(result.unreadableFrames).toBe(2);
    expect(driver.unreadable).toEqual([12, 13]);
    expect(events.length).toBeGreaterThan(0);
  });

  it('does not tell again what a person has said is no change, and keeps it among the claims', async () => {
    const { events } = await undisturbed(framesOf(story));
    const first = events.find(({ kind }) => kind === 'APPEARED');
    if (first === undefined) throw new Error('nothing changed');
    const dismissals = [{ ...dismissalOf(first), source: 'stage' }];
    const driver = new TopologyTestDriver({ topology: quickWatch, workers: fakeWorkers(answer), dismissals });
    await driver.run(new ArraySource(framesOf(story)));
    const told = await driver.events();
    const like = ({ kind, after }: typeof first) => kind === first.kind && isDeepStrictEqual(after, first.after);
    expect(events.filter(like).length).toBeGreaterThan(0);
    expect(told.filter(like)).toEqual([]);
    const claims = await driver.log.contradicted({ limit: 99 });
    expect(claims.map(({ statement }) => statement)).toContain(first.statement);
    // Of another camera it says nothing.
    const other = new TopologyTestDriver({
      ...{ topology: quickWatch, workers: fakeWorkers(answer) },
      dismissals: [{ ...dismissals[0], source: 'yard' }],
    });
    await other.run(new ArraySource(framesOf(story)));
    expect((await other.events()).map(({ statement }) => statement)).toContain(first.statement);
  });
});
