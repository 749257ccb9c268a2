import { describe, expect, it } from 'vitest';
import { iou } from '../../src/pixels/geometry.js';
import { gapClaim } from '../../src/reasoning/measured/gap.js';
import { verifyGap } from '../../src/reasoning/verification/gap.js';
import { pointOf, type Finding } from '../../src/records/index.js';
import { activity } from '../../src/sequences/windows/activity.js';
import { whole } from '../../src/sequences/windows/whole.js';
import type { NumberedWindow } from '../../src/sequences/windows/sequencer.js';
import type { ClosedWindow } from '../../src/sequences/windows/window.js';
import { activityOf, conditionOf, findingOf } from '../support/findings.js';
import { ReducerDriver } from '../support/reducer-driver.js';
import { refOf, Stage, type Box, type Shot } from '../../fixtures/stage.js';

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

describe('a gap in the signal', () => {
  const gap = (sinceFrame: number, over: boolean) => ({
    sinceMs: refOf(sinceFrame).eventTimeMs,
    reason: 'the camera did not answer',
    over,
  });
  const claimed = (window: NumberedWindow): Finding[] => {
    if (window.trigger !== 'gap') return [];
    const claim = gapClaim(window);
    return [{ ...claim, pictures: [], verification: verifyGap(claim, window) }];
  };
  const drive = (before: number, after: number, shotAt: (index: number) => Shot, options = {}): ReducerDriver => {
    const stage = new Stage();
    const driver = new ReducerDriver({ window: activity(options), reason: claimed });
    const frame = (i: number) => driver.frame(stage.draw({ noiseSigma: 1.5, ...shotAt(i) }));
    for (let i = 0; i < before; i++) frame(i);
    const lastMs = refOf(before - 1).elapsedMs;
    for (const sinceMs of [10_000, 11_000, 30_000]) driver.tick(lastMs + sinceMs, gap(before - 1, false));
    driver.tick(lastMs + 60_000, gap(before - 1, true));
    driver.missing(60_000);
    for (let i = before; i < before + after; i++) frame(i);
    return driver;
  };

  it('is one condition, begun when it is noticed, ended when pictures are back', () => {
    const { events, windows } = drive(100, 100, () => ({}));
    expect(events.map(({ condition, phase, statement }) => [condition, phase, statement])).toEqual([
      ['SIGNAL_GAP', 'STARTED', 'No new picture has come for 10 s: the camera did not answer.'],
      ['SIGNAL_GAP', 'ENDED', 'No new picture came for 1 min: the camera did not answer.'],
    ]);
    const [noticed, over] = events;
    expect(over.changeId).toBe(noticed.changeId);
    expect(over.interval.first).toEqual(pointOf(refOf(99)));
    expect(over.interval.last).toMatchObject({ frame: 99, elapsedMs: refOf(99).elapsedMs + 60_000 });
    for (const { verification } of events) expect(verification.verdict).toBe('SUPPORTED');
    expect(windows.map(({ ordinal }) => ordinal)).toEqual(windows.map((_, i) => i));
  });

  it('that nothing ended is over with the next picture', () => {
    const stage = new Stage();
    const driver = new ReducerDriver({ window: activity(), reason: claimed });
    for (let i = 0; i < 50; i++) driver.frame(stage.draw());
    driver.tick(12_000, gap(49, false));
    driver.missing(15_000);
    driver.frame(stage.draw());
    expect(driver.events.map(({ phase }) => phase)).toEqual(['STARTED', 'ENDED']);
    expect(driver.events[1].interval.last).toEqual({ frame: 50, timeMs: 1_017_000, elapsedMs: 17_000 });
  });

  it('closes what is open, and the scene after it is held against the scene before as soon as it rests', () => {
    const { windows, evidence } = drive(100, 100, (i) => ({ boxes: i < 100 ? [] : [thing] }));
    const told = windows.filter(({ trigger }) => trigger !== 'checkpoint');
    expect(told.map(({ trigger }) => trigger).slice(-3)).toEqual(['gap', 'gap', 'settled']);
    const { baseline, frames, first } = told.at(-1)!;
    expect(baseline!.ref.index).toBeLessThan(100);
    expect(first.frame).toBe(100);
    const after = frames.filter(({ role }) => role === 'after');
    expect(after.length).toBeGreaterThan(0);
    for (const { ref } of after) expect(ref.index).toBeGreaterThanOrEqual(100);
    // What came in the dark was not seen to come.
    expect(evidence.slice(100).flatMap(({ tracks, settled }) => [...tracks, ...settled])).toEqual([]);
    expect(new Set(evidence.slice(100).map(({ motion }) => motion))).toEqual(new Set(['still']));
  });

  it('that ends in the middle of an activity leaves the scene before it as what that is held against', () => {
    const { windows } = drive(100, 150, (i) => ({
      boxes: i < 100 ? [] : [thing, ...(i < 160 ? [{ ...thing, y: 90, x: (i - 100) * 3 }] : [])],
    }));
    const told = windows.findLast(({ trigger }) => trigger === 'activity')!;
    const before = told.frames.filter(({ role }) => role === 'before').map(({ ref }) => ref.index);
    expect(before).toHaveLength(1);
    expect(before[0]).toBeLessThan(100);
    expect(told.frames.filter(({ role }) => role === 'after').length).toBeGreaterThan(0);
  });

  it('in the middle of an activity ends that, and what moves afterwards is another thing', () => {
    const { windows, evidence } = drive(
      100,
      100,
      (i) => ({ boxes: i < 60 ? [] : [{ ...thing, x: ((i - 60) * 2) % 120 }] }),
      { partMs: 60_000 },
    );
    const gapAt = windows.findIndex(({ trigger }) => trigger === 'gap');
    expect(windows[gapAt - 1].trigger).toBe('activity');
    const ids = (some: typeof evidence) => new Set(some.flatMap(({ tracks }) => tracks.map(({ id }) => id)));
    const [before, after] = [ids(evidence.slice(0, 100)), ids(evidence.slice(100))];
    expect(before.size).toBe(1);
    expect(after.size).toBeGreaterThan(0);
    expect([...after].filter((id) => before.has(id))).toEqual([]);
  });
});

describe('a source that is idle', () => {
  it('lets go of its frames, gets checkpoints at times that double, and is compared when it is back', () => {
    const stage = new Stage();
    const driver = new ReducerDriver({ window: activity() });
    for (let i = 0; i < 100; i++) driver.frame(stage.draw({ noiseSigma: 1.5 }));
    const before = driver.windows.length;
    for (let ms = 4_000; ms < 180_000; ms += 1_000) driver.tick(ms);
    const idle = driver.windows.slice(before);
    expect(idle.map(({ trigger, last }) => [trigger, last.elapsedMs])).toEqual([
      ['checkpoint', 3_960],
      ['checkpoint', 14_000],
      ['checkpoint', 24_000],
      ['checkpoint', 44_000],
      ['checkpoint', 84_000],
      ['checkpoint', 164_000],
    ]);
    expect(driver.kept()).toEqual(new Set());
    driver.missing(176_000);
    for (let i = 0; i < 50; i++) driver.frame(stage.draw({ noiseSigma: 1.5 }));
    expect(driver.windows.at(-1)).toMatchObject({ trigger: 'settled', first: { frame: 100 } });
  });
});
