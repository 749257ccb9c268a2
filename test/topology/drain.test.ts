import { once } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { memoryLog } from '../../src/log/memory.js';
import type { ChangeLog } from '../../src/log/index.js';
import { run, type RunResult } from '../../src/topology/run.js';
import { answerOf, quickWatch, shortStory } from '../support/short-story.js';
import { ArraySource, fakeWorkers, framesOf, TopologyTestDriver } from '../support/topology-driver.js';

const given = framesOf(shortStory());
const workers = () => fakeWorkers(answerOf, { turns: ({ ordinal }) => (ordinal % 3) * 4 });
const eventsOf = (log: ChangeLog) => new TopologyTestDriver({ log }).events();

/** Runs until the `drainAt`-th frame has come, and then drains. */
async function drained(log: ChangeLog, drainAt: number): Promise<RunResult & { outstanding: number }> {
  const drain = new AbortController();
  const source = new ArraySource(given);
  const result = await run({
    topology: quickWatch,
    options: { source },
    source,
    log,
    workers: workers(),
    signal: new AbortController().signal,
    drain: drain.signal,
    listener: { frame: ({ index }) => void (index === drainAt && drain.abort()) },
  });
  return { ...result, outstanding: source.outstanding.size };
}

describe('a run that is drained', () => {
  it('commits what was read and closed, ends nothing, and goes on as if it had not been stopped', async () => {
    const undisturbed = memoryLog({ partitions: 1 });
    await drained(undisturbed, Infinity);
    const expected = await eventsOf(undisturbed);
    expect(expected.length).toBeGreaterThan(3);

    for (let drainAt = 0; drainAt < given.length - 1; drainAt += 13) {
      const log = memoryLog({ partitions: 1 });
      const first = await drained(log, drainAt);
      expect(first).toMatchObject({ report: { suspended: true, framesRead: drainAt + 1 }, outstanding: 0 });
      const before = await eventsOf(log);
      expect(before).toEqual(expected.slice(0, before.length));
      expect(await drained(log, Infinity)).toMatchObject({ alreadyDone: false, report: { complete: true } });
      expect(await eventsOf(log)).toEqual(expected);
    }
  });

  it('waits for workers that have a closed sequence, and commits what they say', async () => {
    const log = memoryLog({ partitions: 1 });
    const drain = new AbortController();
    const source = new ArraySource(given);
    const slow = fakeWorkers(async (sequence) => {
      if (!drain.signal.aborted) await once(drain.signal, 'abort');
      for (let turn = 0; turn < 20; turn++) await setImmediate();
      return answerOf(sequence);
    });
    const { committedEvents, report } = await run({
      topology: quickWatch,
      options: { source },
      source,
      log,
      workers: slow,
      signal: new AbortController().signal,
      drain: drain.signal,
      listener: { frame: ({ index }) => void (index === 80 && drain.abort()) },
    });
    expect(report.suspended).toBe(true);
    expect(committedEvents).toBeGreaterThan(0);
    expect(await eventsOf(log)).toHaveLength(committedEvents);
  });

  it('fails by what the source says, not by what it was asked', async () => {
    const drain = new AbortController();
    const source = new ArraySource(given, { breaksBefore: 11 });
    const log = memoryLog({ partitions: 1 });
    const running = run({
      topology: quickWatch,
      options: { source },
      source,
      log,
      workers: workers(),
      signal: new AbortController().signal,
      drain: drain.signal,
      listener: { frame: ({ index }) => void (index === 10 && drain.abort()) },
    });
    await expect(running).rejects.toMatchObject({ code: 'TEST_BROKEN' });
  });
});
