import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { memoryLog } from '../../src/log/memory.js';
import { BlinkstreamError } from '../../src/records/index.js';
import type { Source } from '../../src/sources/index.js';
import type { Pipeline, PipelineStatus } from '../../src/topology/pipeline.js';
import { Service, type ServiceOptions, type Supervised } from '../../src/topology/service.js';
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

const silentSource = (name: string): Source => ({
  name,
  // eslint-disable-next-line require-yield -- a camera that says nothing
  async *read({ signal }) {
    await aborted(signal);
    return { framesRead: 0, complete: false, unreadable: [] };
  },
});

const silent = (name: string): Pipeline<never> => pipeline(name, () => Promise.resolve(silentSource(name)));

/** Gives so many frames and then nothing, until it is asked to stop. */
const haltingAfter = (frames: number, name: string): Source => ({
  name,
  async *read(options) {
    const reading = new ArraySource(given).read(options);
    for (let read = 0; read < frames; read++) {
      const step = await reading.next();
      if (step.done !== true) yield step.value;
    }
    await aborted(options.signal);
    return { framesRead: frames, complete: false, unreadable: [] };
  },
});

const aborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    const stop = () => reject(signal.reason as Error);
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });

/** Opens once. */
class Gate {
  open!: () => void;
  readonly opened = new Promise<void>((resolve) => (this.open = resolve));
}

async function running(supervised: Supervised): Promise<void> {
  while (supervised.status.state !== 'running') await setImmediate();
}

const serviceOf = (options: Partial<ServiceOptions>): Service =>
  new Service({
    log: memoryLog({ partitions: 1 }),
    workers: fakeWorkers(answerOf),
    budgetBytes: 256 * 2 ** 20,
    maxPipelines: 4,
    drain: new AbortController().signal,
    signal: new AbortController().signal,
    ...options,
  });

async function served(pipelines: readonly Pipeline<never>[], maxPauseMs = 0) {
  const log = memoryLog({ partitions: 1 });
  const states: string[] = [];
  const service = serviceOf({
    log,
    maxPauseMs,
    listener: { state: ({ source, state }) => states.push(`${source} ${state}`) },
  });
  for (const one of pipelines) service.add(one);
  const ended = await service.ended();
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
    const states: string[] = [];
    const service = serviceOf({
      drain: drain.signal,
      listener: {
        state: ({ source, state }) => {
          states.push(`${source} ${state}`);
          if (source === 'yard' && state === 'ended') drain.abort();
        },
      },
    });
    service.add(silent('dock'));
    service.add(whole('yard'));
    const ended = await service.ended();
    expect(states).toContain('yard ended');
    expect(ended.map(({ state }) => state)).toEqual(['suspended', 'ended']);
  });

  it('takes in a pipeline while others go on, and lets one go without touching them', async () => {
    const service = serviceOf({});
    const dock = service.add(silent('dock'));
    const yard = service.add(whole('yard'));
    expect(await yard.ended).toMatchObject({ state: 'ended', frames: given.length });
    expect(dock.status.state).toBe('running');
    expect(await dock.remove()).toMatchObject({ source: 'dock', state: 'suspended' });
    expect(await service.ended()).toMatchObject([{ source: 'yard', state: 'ended' }]);
    expect(() => service.add(whole('late'))).toThrow(expect.objectContaining({ code: 'SERVICE_OVER' }));
  });

  it('works off and commits what a removed pipeline has read, and goes on from there when it is added again', async () => {
    const log = memoryLog({ partitions: 1 });
    const service = serviceOf({ log });
    service.during(
      (async () => {
        const half = service.add(pipeline('yard', () => Promise.resolve(haltingAfter(90, 'yard'))));
        while (half.status.frames < 90) await setImmediate();
        expect(await half.remove()).toMatchObject({ state: 'suspended', frames: 90 });
        expect(service.statuses).toEqual([]);
        expect(await log.checkpoint('watch/yard')).toBeDefined();
        service.add(whole('yard'));
      })(),
    );
    const [again] = await service.ended();
    expect(again.state).toBe('ended');
    expect(again.frames, 'what was done is not read again').toBeLessThan(given.length);
    expect(await new TopologyTestDriver({ log }).events()).toEqual((await served([whole('yard')])).events);
  });

  it('stops a pipeline that was lost where it is, and commits nothing more of it', async () => {
    const lost = new AbortController();
    const own = memoryLog({ partitions: 1 });
    const log = memoryLog({ partitions: 1 });
    const service = serviceOf({ log });
    const handedOver = service.add({
      ...pipeline('yard', () => Promise.resolve(haltingAfter(60, 'yard'))),
      committer: own,
      lost: lost.signal,
    });
    while (handedOver.status.frames < 60) await setImmediate();
    lost.abort(new Error('another instance has it'));
    expect(await handedOver.ended).toMatchObject({ state: 'suspended' });
    expect(await service.ended()).toEqual([]);
    expect(await log.checkpoint('watch/yard'), 'it has a committer of its own').toBeUndefined();
    expect(await own.checkpoint('watch/yard')).toBeDefined();
  });

  it('leaves trying again to whoever brought the pipeline, where asked', async () => {
    const away = pipeline('yard', () => Promise.reject(failing('external')));
    const service = serviceOf({});
    expect(await service.add({ ...away, retries: false }).ended).toMatchObject({ state: 'waiting', failures: 1 });
    // It may be brought again at once.
    expect(await service.add(whole('yard')).ended).toMatchObject({ state: 'ended' });
    const broken = pipeline('dock', () => Promise.reject(failing('user')));
    expect(await service.add({ ...broken, retries: false }).ended).toMatchObject({ state: 'failed', failures: 1 });
    expect((await service.ended()).map(({ state }) => state)).toEqual(['ended', 'failed']);
  });

  it('gives each pipeline the same share, however many there are, and refuses one too many', async () => {
    const shares: number[] = [];
    const asking = (name: string): Pipeline<never> =>
      pipeline(name, () =>
        Promise.resolve({
          name,
          read: (options) => {
            shares.push(options.budget.limitBytes);
            return silentSource(name).read(options);
          },
        }),
      );
    const service = serviceOf({ budgetBytes: 64 * 2 ** 20, maxPipelines: 2 });
    const [yard, dock] = [service.add(asking('yard')), service.add(asking('dock'))];
    await Promise.all([running(yard), running(dock)]);
    expect(() => service.add(asking('gate'))).toThrow(expect.objectContaining({ code: 'SERVICE_FULL' }));
    expect(() => service.add(asking('yard'))).toThrow(expect.objectContaining({ code: 'PIPELINE_EXISTS' }));
    const removed = yard.remove();
    const gate = service.add(asking('gate'));
    await removed;
    await running(gate);
    expect(shares).toEqual([32, 32, 32].map((mib) => mib * 2 ** 20));
    await Promise.all([dock.remove(), gate.remove()]);
    expect(await service.ended()).toEqual([]);
  });

  it('begins one that takes the place of another only once that has given back its share', async () => {
    const held = new Gate();
    const service = serviceOf({ maxPipelines: 1 });
    const clinging: Source = {
      name: 'yard',
      // eslint-disable-next-line require-yield -- it is asked to stop, and takes its time
      async *read() {
        await held.opened;
        return { framesRead: 0, complete: false, suspended: true, unreadable: [] };
      },
    };
    const yard = service.add(pipeline('yard', () => Promise.resolve(clinging)));
    await running(yard);
    const removed = yard.remove();
    const dock = service.add(silent('dock'));
    for (let turn = 0; turn < 20; turn++) await setImmediate();
    expect(dock.status.state).toBe('starting');
    held.open();
    await removed;
    await running(dock);
    await dock.remove();
  });

  it('ends by what failed beside its pipelines', async () => {
    const service = serviceOf({});
    const dock = service.add(silent('dock'));
    const ended = service.ended();
    await running(dock);
    // Begun while the end is waited for already.
    service.during(Promise.reject(new Error('the broker is gone')));
    await expect(ended).rejects.toThrow('the broker is gone');
    await dock.remove();
  });
});
