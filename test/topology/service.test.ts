import { describe, expect, it } from 'vitest';
import { memoryLog } from '../../src/log/memory.js';
import { BlinkstreamError } from '../../src/records/index.js';
import type { Source } from '../../src/sources/index.js';
import { runService, type Pipeline, type PipelineStatus } from '../../src/topology/service.js';
import { answerOf, quickWatch, shortStory } from '../support/short-story.js';
import { ArraySource, fakeWorkers, framesOf, TopologyTestDriver } from '../support/topology-driver.js';

const given = framesOf(shortStory());

const pipeline = (name: string, open: () => Promise<Source>): Pipeline<never> => ({
  topology: quickWatch,
  options: {},
  source: name,
  open,
});

const called = (source: Source, name: string): Source => ({ name, read: (options) => source.read(options) });

const whole = (name: string): Pipeline<never> =>
  pipeline(name, () => Promise.resolve(called(new ArraySource(given), name)));

const failing = (class_: 'external' | 'user'): BlinkstreamError =>
  new BlinkstreamError('the camera is away', { code: 'TEST_AWAY', class: class_, stage: 'source' });

async function served(pipelines: readonly Pipeline<never>[], maxPauseMs = 0) {
  const log = memoryLog({ partitions: 1 });
  const states: string[] = [];
  const ended = await runService({
    pipelines,
    log,
    workers: fakeWorkers(answerOf),
    budgetBytes: 64 * 2 ** 20,
    drain: new AbortController().signal,
    signal: new AbortController().signal,
    maxPauseMs,
    listener: { state: ({ source, state }) => states.push(`${source} ${state}`) },
  });
  const events = await new TopologyTestDriver({ log }).events();
  return { ended, states, events };
}

describe('a service', () => {
  it('ends one pipeline by an error of its own and leaves the others as they were', async () => {
    const alone = await served([whole('yard')]);
    const { ended, events } = await served([whole('yard'), pipeline('dock', () => Promise.reject(failing('user')))]);
    expect(ended).toMatchObject<Partial<PipelineStatus>[]>([
      { source: 'yard', state: 'ended', frames: given.length },
      { source: 'dock', state: 'failed', frames: 0, error: failing('user') },
    ]);
    expect(alone.events.length).toBeGreaterThan(3);
    expect(events).toEqual(alone.events);
  });

  it('tries again where the outside is to blame, from the checkpoint', async () => {
    let attempts = 0;
    const flaky = pipeline('yard', () => {
      attempts += 1;
      if (attempts < 4) return Promise.reject(failing('external'));
      return Promise.resolve(called(new ArraySource(given), 'yard'));
    });
    const { ended, states, events } = await served([flaky]);
    expect(ended).toMatchObject([{ state: 'ended', failures: 0 }]);
    expect(states).toEqual(['yard waiting', 'yard waiting', 'yard waiting', 'yard running', 'yard ended']);
    expect(events).toEqual((await served([whole('yard')])).events);
  });

  it('goes on beside a source that gives nothing', async () => {
    const drain = new AbortController();
    const stalled: Source = {
      name: 'dock',
      // eslint-disable-next-line require-yield -- a camera that says nothing
      async *read({ signal }) {
        await new Promise<void>((_, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
        });
        return { framesRead: 0, complete: false, unreadable: [] };
      },
    };
    const states: string[] = [];
    const ended = await runService({
      pipelines: [pipeline('dock', () => Promise.resolve(stalled)), whole('yard')],
      log: memoryLog({ partitions: 1 }),
      workers: fakeWorkers(answerOf),
      budgetBytes: 64 * 2 ** 20,
      drain: drain.signal,
      signal: new AbortController().signal,
      listener: {
        state: ({ source, state }) => {
          states.push(`${source} ${state}`);
          if (source === 'yard' && state === 'ended') drain.abort();
        },
      },
    });
    expect(states).toContain('yard ended');
    expect(ended.map(({ state }) => state)).toEqual(['suspended', 'ended']);
  });
});
