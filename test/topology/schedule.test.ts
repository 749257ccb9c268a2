import { describe, expect, it } from 'vitest';
import watch from '../../topologies/watch.js';
import { memoryLog } from '../../src/log/memory.js';
import { Schedule, type ChangeEvent } from '../../src/records/index.js';
import { scheduled } from '../../src/sources/scheduled.js';
import { run } from '../../src/topology/run.js';
import { conditionOf, findingOf, reasonedOf } from '../support/findings.js';
import { Stage, type Box } from '../../fixtures/stage.js';
import { ArraySource, fakeWorkers, framesOf } from '../support/topology-driver.js';

const thing: Box = { x: 24, y: 16, width: 20, height: 18, colour: [220, 60, 50] };
/** Noon is 4 s after the first frame. */
const firstMs = Date.UTC(2026, 5, 3, 11, 59, 56);
const drawn = (() => {
  const stage = new Stage({ width: 64, height: 48 });
  return framesOf(Array.from({ length: 250 }, (_, i) => stage.draw({ boxes: i < 30 ? [] : [thing], noiseSigma: 1 })));
})();
const dated = drawn.map(({ ref, content }) => ({
  ref: { ...ref, eventTimeMs: firstMs + ref.elapsedMs },
  content,
}));

async function watched(hours: string, given = dated) {
  const source = scheduled(new ArraySource(given), Schedule.parse(hours, 'UTC'));
  const log = memoryLog({ partitions: 1 });
  const heldBack: number[] = [];
  const events: ChangeEvent[] = [];
  let asked = 0;
  const { reason, capacity } = fakeWorkers();
  const result = await run({
    topology: watch,
    options: { source },
    source,
    log,
    workers: {
      capacity,
      // One thing that stays and one condition, in the first sequence that is looked at.
      reason: async (sequence, options) => {
        await reason(sequence, options);
        const interval = { first: sequence.first, last: sequence.last };
        return reasonedOf(asked++ > 0 ? [] : [findingOf({ interval }), conditionOf(0, 0, { interval })]);
      },
    },
    signal: new AbortController().signal,
    listener: {
      heldBack: (changes) => heldBack.push(changes),
      committed: (told) => events.push(...told),
    },
  });
  return { result, events, heldBack };
}

describe('a source with a schedule', () => {
  it('has changes outside of the hours counted alone', async () => {
    const { result, events, heldBack } = await watched('Mo');
    expect(events).toEqual([]);
    expect(result.heldBack).toBe(2);
    expect(heldBack.reduce((sum, count) => sum + count, 0)).toBe(2);
  });

  it('is followed before the hours, so that what is still there is told when they begin', async () => {
    const { result, events } = await watched('12:00-13:00');
    const [{ kind, phase, interval }, ...others] = events;
    expect([kind, phase, others]).toEqual(['APPEARED', 'STARTED', []]);
    expect(interval.last.timeMs).toBeLessThan(Date.UTC(2026, 5, 3, 12));
    // The condition was over by then.
    expect(result.heldBack).toBe(1);
  });

  it('is refused with its first frame where it does not know the time of day', async () => {
    await expect(watched('Mo', drawn)).rejects.toMatchObject({
      code: 'SCHEDULE_WITHOUT_TIME',
      class: 'user',
      message: 'a schedule needs the time of day, and stage does not tell it',
    });
  });
});
