import { describe, expect, it } from 'vitest';
import { iou } from '../../src/pixels/geometry.js';
import type { Finding } from '../../src/records/index.js';
import { activity } from '../../src/sequences/windows/activity.js';
import { whole } from '../../src/sequences/windows/whole.js';
import type { ClosedWindow } from '../../src/sequences/windows/window.js';
import { activityOf, conditionOf, findingOf } from '../support/findings.js';
import { ReducerDriver } from '../support/reducer-driver.js';
import { Stage, type Box, type Shot } from '../support/stage.js';

const thing: Box = { x: 60, y: 40, width: 36, height: 32, colour: [230, 70, 60] };

/** What a worker would make of a window by its evidence alone; things that come to rest come and go by turns. */
function reasonByEvidence(): (window: ClosedWindow) => Finding[] {
  let there = false;
  return ({ trigger, frames, settled, first, last }) => {
    const own = frames.filter(({ ref }) => ref.index >= first.frame && ref.index <= last.frame);
    const ids = new Set(own.flatMap(({ evidence }) => evidence?.tracks.map(({ id }) => id) ?? []));
    const passing = [...ids].map((id) =>
      activityOf(id, first.frame, last.frame, {
        ongoing: own.at(-1)!.evidence!.tracks.some((track) => track.id === id),
      }),
    );
    const lasting = settled.map(({ region, leftAt, restedAt }) => {
      there = !there;
      const kind = there ? 'APPEARED' : 'DISAPPEARED';
      const interval = { first: leftAt, last: restedAt };
      return findingOf({ kind, interval, [there ? 'after' : 'before']: { region } });
    });
    const lit = own.filter(({ evidence }) => evidence?.nuisances.some(({ cause }) => cause === 'LIGHTING'));
    const conditions =
      lit.length === 0 || trigger === 'activity' ? [] : [conditionOf(lit[0].ref.index, lit.at(-1)!.ref.index)];
    return [...passing, ...lasting, ...conditions];
  };
}

/** The events of `frames` frames, each drawn as `shotAt` tells. */
function eventsOf(frames: number, shotAt: (index: number) => Shot): ReducerDriver {
  const stage = new Stage();
  const driver = new ReducerDriver({ window: activity(), reason: reasonByEvidence() });
  for (let i = 0; i < frames; i++) driver.frame(stage.draw({ noiseSigma: 1.5, ...shotAt(i) }));
  driver.end();
  return driver;
}

describe('gate, window and tracker in a row', () => {
  it('tell nothing of a scene in which nothing happens', () => {
    const { events, windows } = eventsOf(200, () => ({}));
    expect(events).toEqual([]);
    expect(new Set(windows.map(({ trigger }) => trigger))).toEqual(new Set(['checkpoint', 'settled']));
  });

  it('tell that a thing came, where and when, and that it is gone again', () => {
    const { events } = eventsOf(250, (i) => ({ boxes: i >= 50 && i < 150 ? [thing] : [] }));
    const lasting = events.filter(({ kind }) => kind !== 'ACTIVITY');
    expect(lasting.map(({ kind, phase }) => [kind, phase])).toEqual([
      ['APPEARED', 'STARTED'],
      ['APPEARED', 'ENDED'],
    ]);
    const [came, gone] = lasting;
    expect(gone.changeId).toBe(came.changeId);
    expect(came.interval.first.frame).toBe(50);
    expect(iou(came.after!.region!, thing)).toBeGreaterThan(0.6);
    expect(gone.statement).toContain('4.0 s');
  });

  it('tell of what passes as one activity, begun before it has ended', () => {
    const { events, windows } = eventsOf(200, (i) => ({ boxes: i < 50 ? [] : [{ ...thing, x: -36 + (i - 50) * 2 }] }));
    expect(windows.filter(({ trigger }) => trigger === 'part').length).toBeGreaterThan(0);
    expect(events.map(({ kind, phase }) => [kind, phase])).toEqual([
      ['ACTIVITY', 'STARTED'],
      ['ACTIVITY', 'ENDED'],
    ]);
    expect(events[1].interval.last.elapsedMs - events[1].interval.first.elapsedMs).toBeGreaterThan(3_000);
  });

  it('tell light that comes and goes as one condition and as nothing else', () => {
    const { events } = eventsOf(300, (i) => ({ gain: 1 + 0.3 * Math.max(0, Math.sin((i / 80) * Math.PI)) }));
    expect(events.map(({ kind, phase, condition }) => [kind, condition, phase])).toEqual([
      ['CONDITION', 'LIGHTING', 'STARTED'],
      ['CONDITION', 'LIGHTING', 'ENDED'],
    ]);
  });

  it('close what is open by ticks alone', () => {
    const stage = new Stage();
    const driver = new ReducerDriver({ window: activity(), reason: reasonByEvidence() });
    for (let i = 0; i < 80; i++)
      driver.frame(stage.draw({ noiseSigma: 1.5, boxes: i < 60 ? [] : [{ ...thing, x: i }] }));
    expect(driver.windows.at(-1)!.trigger).toBe('checkpoint');
    driver.tick(3_160 + 1_000);
    expect(driver.windows.at(-1)!.trigger).toBe('activity');
  });

  it('give one window over the whole of a series', () => {
    const stage = new Stage({ width: 64, height: 48 });
    const driver = new ReducerDriver({ window: whole({ maxBytes: 10 * 64 * 48 * 3 }) });
    for (let i = 0; i < 30; i++) driver.frame(stage.draw());
    expect(driver.windows).toEqual([]);
    driver.end();
    expect(driver.windows.map(({ trigger, thinnedFrames }) => [trigger, thinnedFrames])).toEqual([['whole', 22]]);
  });
});
