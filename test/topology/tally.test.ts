import { describe, expect, it } from 'vitest';
import { filter } from 'rxjs';
import { memoryLog } from '../../src/log/memory.js';
import type { ChangeLog } from '../../src/log/index.js';
import { PipelineTally, ServiceTally } from '../../src/operation/tally.js';
import { isTick } from '../../src/records/index.js';
import { activity } from '../../src/sequences/windows/activity.js';
import type { Source } from '../../src/sources/index.js';
import { frames } from '../../src/topology/operators/frames.js';
import { gate } from '../../src/topology/operators/gate.js';
import { reason } from '../../src/topology/operators/reason.js';
import { reorder } from '../../src/topology/operators/reorder.js';
import { track } from '../../src/topology/operators/track.js';
import { window } from '../../src/topology/operators/window.js';
import { run } from '../../src/topology/run.js';
import { Service } from '../../src/topology/service.js';
import { topology } from '../../src/topology/topology.js';
import { answerOf, quickWatch, shortStory } from '../support/short-story.js';
import { type ArrayFrame, ArraySource, endingAfter, fakeWorkers, framesOf } from '../support/topology-driver.js';

const given = framesOf(shortStory());

/** `quickWatch` that waits for frames that others have overtaken. */
const patientWatch = topology('watch', ({ source }: { readonly source: Source }) =>
  frames(source).pipe(
    reorder({ allowedLatenessMs: 200 }),
    gate(),
    window(activity({ preRollMs: 400, postRollMs: 400, partMs: 500, quietMs: 400, settledEveryMs: 700 })),
    reason({ question: 'What changed?' }),
    track(),
  ),
);

interface Running {
  readonly source?: ArraySource;
  readonly log?: ChangeLog;
  readonly topology?: typeof quickWatch;
  readonly drainAt?: number;
  readonly onFrame?: (tally: PipelineTally) => void;
}

/** One run, and what was added up of it. */
async function tallied({ source, log, topology: of, drainAt, onFrame }: Running = {}): Promise<PipelineTally> {
  const tally = new PipelineTally('watch', 'stage', () => 0);
  const drain = new AbortController();
  const reading = source ?? new ArraySource(given);
  const running = run({
    topology: of ?? quickWatch,
    options: { source: reading },
    source: reading,
    log: log ?? memoryLog({ partitions: 1 }),
    workers: fakeWorkers(answerOf),
    signal: new AbortController().signal,
    drain: drain.signal,
    listener: {
      ...tally.listener,
      frame: (ref) => {
        onFrame?.(tally);
        tally.listener.frame?.(ref);
        if (ref.index === drainAt) drain.abort();
      },
    },
  });
  await running.catch((error: unknown) => {
    if (!(error instanceof Error && 'code' in error && error.code === 'TEST_BROKEN')) throw error;
  });
  return tally;
}

/** Every frame once, as the tally says. */
const accounts = ({
  framesRead,
  windowedFrames,
  lateFrames,
  framesReadAgain,
  abandonedFrames,
  droppedFrames,
}: PipelineTally) => ({ framesRead, windowedFrames, lateFrames, framesReadAgain, abandonedFrames, droppedFrames });

const nothing = { windowedFrames: 0, lateFrames: 0, framesReadAgain: 0, abandonedFrames: 0, droppedFrames: 0 };

describe('the account of frames', () => {
  it('finds every frame of an undisturbed run in a window, and at no moment one that is missing', async () => {
    const missing = new Set<number>();
    let inTransit = 0;
    const tally = await tallied({
      topology: patientWatch,
      onFrame: (now) => {
        missing.add(now.droppedFrames);
        inTransit = Math.max(inTransit, now.inHand.frames);
      },
    });
    expect(accounts(tally)).toEqual({ ...nothing, framesRead: given.length, windowedFrames: given.length });
    expect([...missing]).toEqual([0]);
    // 200 ms of frames at 25 a second.
    expect(inTransit).toBe(5);
    expect(tally.inHand).toMatchObject({ frames: 0, openWindows: 0, sequences: 0, usedBytes: 0 });
  });

  it('tells late frames from those that a window took', async () => {
    const moved = (from: number, to: number): ArrayFrame[] => {
      const frames = [...given];
      frames.splice(to, 0, ...frames.splice(from, 1));
      return frames.map((frame, index) => ({
        ...frame,
        ref: { ...frame.ref, index, position: { index, offset: `${index}` } },
      }));
    };
    const tally = await tallied({ topology: patientWatch, source: new ArraySource(moved(30, 90)) });
    expect(accounts(tally)).toEqual({
      ...nothing,
      framesRead: given.length,
      windowedFrames: given.length - 1,
      lateFrames: 1,
    });
  });

  it('knows what waited for its place when a run was stopped, and what the next one reads again', async () => {
    const log = memoryLog({ partitions: 1 });
    const first = await tallied({ log, topology: patientWatch, drainAt: 70 });
    expect(accounts(first)).toEqual({ ...nothing, framesRead: 71, windowedFrames: 66, abandonedFrames: 5 });
    const second = await tallied({ log, topology: patientWatch });
    expect(second.framesReadAgain).toBeGreaterThan(0);
    expect(second.windowedFrames + second.framesReadAgain).toBe(second.framesRead);
    expect(second.droppedFrames).toBe(0);
  });

  it('gives up what was in hand when a run breaks off', async () => {
    const breaking = await tallied({
      topology: patientWatch,
      source: new ArraySource(given, { breaksBefore: 50 }),
    });
    expect(accounts(breaking)).toEqual({ ...nothing, framesRead: 50, windowedFrames: 45, abandonedFrames: 5 });
    const uncommitted = await tallied({ log: endingAfter(memoryLog({ partitions: 1 }), 2) });
    expect(uncommitted.commits).toBe(2);
    expect(uncommitted.droppedFrames).toBe(0);
  });

  it('sees a frame that an operator leaves out, and goes on seeing it', async () => {
    const leaky = topology('watch', ({ source }: { readonly source: Source }) =>
      frames(source).pipe(
        filter((item) => isTick(item) || item.ref.index % 10 !== 3),
        gate(),
        window(activity()),
        reason({ question: 'What changed?' }),
        track(),
      ),
    );
    const seen: number[] = [];
    const tally = await tallied({ topology: leaky, onFrame: (now) => seen.push(now.droppedFrames) });
    expect(seen[40]).toBe(4);
    expect(accounts(tally)).toMatchObject({ framesRead: 150, windowedFrames: 135, droppedFrames: 15 });
  });
});

describe('the tally of a pipeline', () => {
  it('counts events by kind, sequences by trigger, commits and claims, and asks for what is in hand', async () => {
    let open = 0;
    let used = 0;
    const tally = await tallied({
      onFrame: ({ inHand }) => {
        open = Math.max(open, inHand.openWindows);
        used = Math.max(used, inHand.usedBytes);
        expect(inHand.limitBytes).toBe(384 * 2 ** 20);
      },
    });
    expect(open).toBe(1);
    expect(used).toBeGreaterThan(64 * 48 * 3);
    expect(tally.commits).toBeGreaterThan(3);
    expect([...tally.events.keys()]).toEqual(expect.arrayContaining(['ACTIVITY', 'APPEARED']));
    expect([...tally.sequences.keys()]).toEqual(expect.arrayContaining(['activity', 'checkpoint']));
  });
});

describe('the tally of a service', () => {
  it('has a pipeline from its start, in the state that it is in, and forgets one that is suspended', async () => {
    const tally = new ServiceTally();
    const states: string[][] = [];
    const now = (): string[] => tally.pipelines.map(({ source, state }) => `${source} ${state}`);
    const drain = new AbortController();
    const pipeline = (source: string, open: () => Promise<Source>) => ({
      topology: quickWatch as never,
      options: {},
      source,
      open,
    });
    const endless: Source = {
      name: 'dock',
      // eslint-disable-next-line require-yield -- a camera that says nothing
      async *read({ signal }) {
        await new Promise<void>((_, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
        });
        return { framesRead: 0, complete: false, unreadable: [] };
      },
    };
    const service = new Service({
      log: memoryLog({ partitions: 1 }),
      workers: fakeWorkers(answerOf),
      budgetBytes: 64 * 2 ** 20,
      maxPipelines: 3,
      drain: drain.signal,
      signal: new AbortController().signal,
      listener: {
        pipeline: tally.listener.pipeline,
        state: (status) => {
          tally.listener.state(status);
          states.push(now());
          if (status.source === 'yard' && status.state === 'ended') drain.abort();
        },
      },
    });
    service.add(
      pipeline('yard', () => Promise.resolve({ name: 'yard', read: (how) => new ArraySource(given).read(how) })),
    );
    service.add(pipeline('dock', () => Promise.resolve(endless)));
    service.add(pipeline('gone', () => Promise.reject(new Error('it is not there'))));
    expect(now()).toEqual(['yard starting', 'dock starting', 'gone starting']);
    await service.ended();
    expect(states).toContainEqual(['yard ended', 'dock running', 'gone failed']);
    expect(now()).toEqual(['yard ended', 'gone failed']);
    expect(tally.pipelines.map(({ failures }) => failures)).toEqual([0, 1]);
  });
});
