import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  activity,
  activityDefaults,
  type ActivityOptions,
  type ActivityState,
} from '../../src/sequences/windows/activity.js';
import type { ClosedWindow, Window, WindowInput } from '../../src/sequences/windows/window.js';
import { evidenceOf, type Mark } from '../support/evidence.js';
import { refOf } from '../../fixtures/stage.js';

const FPS = 25;
const FRAME_BYTES = 1_000;

interface Feed {
  readonly fps?: number;
  readonly tracks?: number;
  readonly size?: (index: number) => { width: number; height: number };
}

const frameInput = (mark: Mark, index: number, { fps = FPS, tracks = 1, size }: Feed = {}): WindowInput => ({
  type: 'frame',
  ref: refOf(index, { fps, ...size?.(index) }),
  bytes: FRAME_BYTES,
  evidence: evidenceOf(mark, index, tracks),
});

const tickInput = (elapsedMs: number): WindowInput => ({
  type: 'tick',
  eventTimeMs: refOf(0).eventTimeMs + elapsedMs,
  elapsedMs,
});

/** The windows that a scene makes, told by a letter a frame, until its end. */
function windowsOf(marks: string, options: Partial<ActivityOptions> = {}, feed: Feed = {}): ClosedWindow[] {
  const window = activity(options).open();
  const closed = [...marks].flatMap((mark, i) => window.push(frameInput(mark as Mark, i, feed)));
  return [...closed, ...window.push({ type: 'end' })];
}

const triggers = (windows: readonly ClosedWindow[]): string[] => windows.map(({ trigger }) => trigger);
const indexes = (window: ClosedWindow, role?: string): number[] =>
  window.frames.filter((frame) => role === undefined || frame.role === role).map(({ ref }) => ref.index);
const still = (frames: number) => '.'.repeat(frames);
const active = (frames: number) => 'a'.repeat(frames);

describe('activity: an activity', () => {
  const scene = still(50) + active(20) + 's' + still(60);
  const [rest, told, end, ...further] = windowsOf(scene, { partMs: 60_000 });

  it('closes what was quiet before it, and itself after the post-roll', () => {
    expect(further).toEqual([]);
    expect([rest.trigger, told.trigger, end.trigger]).toEqual(['checkpoint', 'activity', 'settled']);
    expect(rest.last.frame).toBe(49);
    expect(told.first.frame).toBe(50);
    expect(told.last.elapsedMs - refOf(70).elapsedMs).toBeCloseTo(activityDefaults.postRollMs, 6);
  });

  it('shows the scene from the pre-roll and from the post-roll, and what moved in between', () => {
    const before = indexes(told, 'before');
    const after = indexes(told, 'after');
    expect(before.length).toBeGreaterThan(1);
    expect(Math.max(...before)).toBeLessThan(50);
    expect(refOf(50).elapsedMs - refOf(Math.min(...before)).elapsedMs).toBeLessThanOrEqual(activityDefaults.preRollMs);
    expect(after.length).toBeGreaterThan(1);
    expect(Math.min(...after)).toBeGreaterThan(70);
    const during = indexes(told, 'during');
    expect(during.length).toBeGreaterThan(0);
    for (const index of during) expect(scene[index]).toMatch(/[as]/);
  });

  it('tells what came to rest', () => {
    expect(told.settled.map(({ restedAt }) => restedAt.frame)).toEqual([70]);
  });

  it('is told in parts while it goes on; what came to rest is told at its end all the same', () => {
    const windows = windowsOf(still(30) + active(30) + 's' + active(80) + still(40), { maxMs: 60_000 });
    const parts = windows.filter(({ trigger }) => trigger === 'part');
    expect(parts.length).toBeGreaterThanOrEqual(2);
    for (const part of parts) {
      expect(part.settled).toEqual([]);
      expect(part.last.elapsedMs - part.first.elapsedMs).toBeLessThan(activityDefaults.partMs + 2_000 / FPS);
      expect(indexes(part, 'before')).toEqual([]);
    }
    const whole = windows.filter(({ trigger }) => trigger === 'activity');
    expect(whole).toHaveLength(1);
    expect(whole[0].settled).toHaveLength(1);
    expect(indexes(whole[0], 'before')).not.toEqual([]);
  });

  it('that never rests is compared every maxMs, each time with the scene after the comparison before', () => {
    const windows = windowsOf(still(30) + active(200), { maxMs: 2_000, partMs: 60_000 });
    const told = windows.filter(({ trigger }) => trigger === 'activity');
    expect(told.length).toBeGreaterThanOrEqual(3);
    for (const { first, last } of told) expect(last.elapsedMs - first.elapsedMs).toBeLessThanOrEqual(2_000);
    for (const window of told.slice(0, -1)) {
      expect(indexes(window, 'before')).not.toEqual([]);
      expect(indexes(window, 'after')).not.toEqual([]);
    }
    for (let i = 1; i < told.length - 1; i++) expect(indexes(told[i], 'before')).toEqual(indexes(told[i - 1], 'after'));
  });

  it('that ends soon after such a comparison still has the scene before', () => {
    for (let frames = 55; frames < 75; frames++) {
      const windows = windowsOf(still(30) + active(frames), { maxMs: 2_000, partMs: 60_000 });
      const told = windows.filter(({ trigger }) => trigger === 'activity');
      for (let i = 1; i < told.length; i++) expect(indexes(told[i], 'before')).toEqual(indexes(told[i - 1], 'after'));
    }
  });

  it('at few frames a second shows only frames of rest as the scene after', () => {
    const told = windowsOf(still(8) + active(5) + still(8), { partMs: 60_000 }, { fps: 2 }).find(
      ({ trigger }) => trigger === 'activity',
    );
    expect(Math.min(...indexes(told!, 'after'))).toBeGreaterThan(12);
  });

  it('ends with the source, also where a part has told its last frame', () => {
    for (let frames = 1; frames < 90; frames++) {
      const windows = windowsOf(still(30) + active(frames - 1) + 's');
      const last = windows.at(-1)!;
      expect(last.trigger, `after ${frames} frames`).toBe('activity');
      expect(last.settled).toHaveLength(1);
      expect(indexes(last, 'before')).not.toEqual([]);
      expect(indexes(last, 'after')).not.toEqual([]);
    }
  });

  it('ends by time alone where no frame comes any more', () => {
    const window = activity().open();
    const scene = still(30) + active(39);
    const closed = [...scene].flatMap((mark, i) => window.push(frameInput(mark as Mark, i)));
    expect(triggers(closed)).not.toContain('activity');
    const lastMs = refOf(scene.length - 1).elapsedMs;
    expect(window.push(tickInput(lastMs + activityDefaults.postRollMs - 1))).toEqual([]);
    const ended = window.push(tickInput(lastMs + activityDefaults.postRollMs));
    expect(triggers(ended)).toEqual(['activity']);
    expect(window.push(tickInput(lastMs + 2 * activityDefaults.postRollMs))).toEqual([]);
  });

  it('from the first frame on has no scene before, and is told all the same', () => {
    const [told] = windowsOf(active(20) + still(40), { partMs: 60_000 });
    expect(told.trigger).toBe('activity');
    expect(indexes(told, 'before')).toEqual([]);
    expect(indexes(told, 'after')).not.toEqual([]);
  });
});

describe('activity: a quiet scene', () => {
  it('gives a checkpoint every quietMs, without frames', () => {
    const windows = windowsOf(still(FPS * 16), { settledEveryMs: 600_000 });
    expect(triggers(windows.slice(0, -1))).toEqual(['checkpoint', 'checkpoint', 'checkpoint']);
    for (const { frames } of windows.slice(0, -1)) expect(frames).toEqual([]);
  });

  it('is a condition where a nuisance was measured, with the evidence of every frame', () => {
    const [told] = windowsOf(still(20) + 'n'.repeat(30) + still(200));
    expect(told.trigger).toBe('condition');
    expect(indexes(told)).toEqual(Array.from({ length: told.last.frame + 1 }, (_, i) => i));
    for (const frame of told.frames) expect(frame.evidence).toBeDefined();
  });

  it('is held against itself as last settled at intervals, and at the end', () => {
    const windows = windowsOf(still(FPS * 26), { settledEveryMs: 10_000 });
    const settled = windows.filter(({ trigger }) => trigger === 'settled');
    expect(settled).toHaveLength(3);
    for (const [i, window] of settled.entries()) {
      const after = indexes(window, 'after');
      expect(after).not.toEqual([]);
      expect(window.baseline!.ref.index).toBeLessThan(Math.min(...after));
      if (i > 0) expect(window.baseline!.ref.index).toBe(Math.max(...indexes(settled[i - 1], 'after')));
    }
  });
});

describe('activity: frames that do not show the scene', () => {
  const unseen = (frames: number) => 'u'.repeat(frames);

  it('end what is open, are told as conditions, and are shown nowhere', () => {
    const windows = windowsOf(still(50) + active(20) + unseen(150) + still(60));
    expect(triggers(windows).slice(0, 3)).toEqual(['checkpoint', 'activity', 'condition']);
    expect(windows[1].last.frame).toBe(69);
    for (const window of windows) {
      for (const role of ['before', 'during', 'after']) {
        for (const index of indexes(window, role)) expect(index < 70 || index >= 220).toBe(true);
      }
    }
    const told = windows.flatMap(({ frames }) => frames.filter(({ evidence }) => evidence?.motion === 'unseen'));
    expect(told).toHaveLength(150);
  });

  it('are followed by a comparison with the scene before them, as soon as it rests', () => {
    const windows = windowsOf(still(50) + unseen(100) + still(100));
    const compared = windows.find(({ trigger }) => trigger === 'settled');
    expect(compared?.baseline?.ref.index).toBeLessThan(50);
    expect(Math.min(...indexes(compared!, 'after'))).toBeGreaterThanOrEqual(150);
    expect(compared!.last.elapsedMs - refOf(150).elapsedMs).toBeLessThanOrEqual(activityDefaults.postRollMs + 50);
  });

  it('are followed by an activity that is held against the scene before them', () => {
    const windows = windowsOf(still(50) + unseen(100) + active(20) + still(60));
    const told = windows.find(({ trigger, frames }) => trigger === 'activity' && frames.length > 0);
    expect(indexes(told!, 'before')).toHaveLength(1);
    expect(indexes(told!, 'before')[0]).toBeLessThan(50);
  });

  it('do not close by time alone as if the scene rested', () => {
    const window = activity().open();
    [...(still(50) + unseen(30))].forEach((mark, i) => window.push(frameInput(mark as Mark, i)));
    const closed = window.push(tickInput(refOf(80).elapsedMs + 2_000));
    expect(triggers(closed)).not.toContain('settled');
  });
});

describe('activity: pictures of another size', () => {
  it('begin a new scene: none is held against one of the other size', () => {
    const size = (index: number) => (index < 80 ? { width: 160, height: 120 } : { width: 80, height: 60 });
    for (const marks of [
      still(160),
      still(60) + active(15) + still(85),
      still(40) + active(10) + still(50) + active(10) + still(50),
      still(60) + active(60) + still(40),
    ]) {
      const windows = windowsOf(marks, { settledEveryMs: 2_000 }, { size });
      expect(covered(windows)).toEqual(Array.from({ length: marks.length }, (_, i) => i));
      for (const { frames, baseline } of windows) {
        const shown = [...frames.filter((frame) => frame.role !== undefined), ...(baseline ? [baseline] : [])];
        expect(new Set(shown.map(({ ref }) => ref.width)).size).toBeLessThanOrEqual(1);
      }
    }
  });
});

/** Random scenes: stretches of one mark each, at several frame rates, with any options and tracks. */
const scenes = () =>
  fc.record({
    marks: fc
      .array(fc.tuple(fc.constantFrom<Mark>('.', '.', 'n', 'a', 'a', 's', 'u'), fc.integer({ min: 1, max: 60 })), {
        minLength: 1,
        maxLength: 10,
      })
      .map((stretches) => stretches.map(([mark, length]) => mark.repeat(length)).join('')),
    options: fc.record({
      preRollMs: fc.integer({ min: 100, max: 1_500 }),
      postRollMs: fc.integer({ min: 200, max: 1_500 }),
      partMs: fc.integer({ min: 200, max: 3_000 }),
      maxMs: fc.integer({ min: 500, max: 5_000 }),
      quietMs: fc.integer({ min: 200, max: 3_000 }),
      settledEveryMs: fc.integer({ min: 1_000, max: 6_000 }),
      maxBytes: fc.integer({ min: 4, max: 30 }).map((frames) => frames * FRAME_BYTES),
    }),
    feed: fc.record({ fps: fc.constantFrom(2, 5, 12, 25), tracks: fc.integer({ min: 1, max: 6 }) }),
  });

/** Every frame that the windows' own stretches cover, in order; a window that only compares covers none anew. */
function covered(windows: readonly ClosedWindow[]): number[] {
  const seen: number[] = [];
  for (const { first, last } of windows) {
    for (let index = first.frame; index <= last.frame; index++) if (index > (seen.at(-1) ?? -1)) seen.push(index);
  }
  return seen;
}

describe('activity: whatever happens', () => {
  it('windows follow each other without gap, and every evidence is told exactly once', () => {
    fc.assert(
      fc.property(scenes(), ({ marks, options, feed }) => {
        const windows = windowsOf(marks, options, feed);
        expect(covered(windows)).toEqual(Array.from({ length: marks.length }, (_, i) => i));
        const told: number[] = [];
        for (const { first, last, frames } of windows) {
          if (first.frame <= (told.at(-1) ?? -1)) continue; // It only compares: a part has told its frame.
          const own = frames.filter(({ ref }) => ref.index >= first.frame && ref.index <= last.frame);
          told.push(...own.filter(({ evidence }) => evidence !== undefined).map(({ ref }) => ref.index));
        }
        expect(told).toEqual([...new Set(told)]);
        expect(told).toEqual(expect.arrayContaining([...marks].flatMap((mark, i) => (mark === '.' ? [] : [i]))));
        const settled = windows.flatMap((window) => window.settled.map(({ restedAt }) => restedAt.frame));
        expect(settled).toEqual([...marks].flatMap((mark, i) => (mark === 's' ? [i] : [])));
      }),
      { numRuns: 60 },
    );
  });

  it('frames of a window are in order, each with one role, and a comparison has both sides or says so by its absence', () => {
    fc.assert(
      fc.property(scenes(), ({ marks, options, feed }) => {
        for (const window of windowsOf(marks, options, feed)) {
          expect(indexes(window)).toEqual([...new Set(indexes(window))].sort((a, b) => a - b));
          const [before, during, after] = ['before', 'during', 'after'].map((role) => indexes(window, role));
          if (before.length > 0 && after.length > 0) expect(Math.max(...before)).toBeLessThan(Math.min(...after));
          if (window.trigger === 'part') expect([before, after]).toEqual([[], []]);
          if (window.trigger === 'settled') expect([before, during]).toEqual([[], []]);
          expect(window.baseline !== undefined).toBe(window.trigger === 'settled');
        }
      }),
      { numRuns: 60 },
    );
  });

  it('keeps no more pixels than maxBytes, shows nothing that it did not keep, and counts what it gave up', () => {
    fc.assert(
      fc.property(scenes(), ({ marks, options, feed }) => {
        const window = activity(options).open();
        let held = new Set<number>();
        const check = (closed: readonly ClosedWindow[], index?: number) => {
          if (index !== undefined) held.add(index);
          for (const { frames, baseline } of closed) {
            for (const { ref, role } of frames) if (role !== undefined) expect(held.has(ref.index)).toBe(true);
            if (baseline !== undefined) expect(held.has(baseline.ref.index)).toBe(true);
          }
          const needed = new Set([...window.kept(), ...(window.baseline() ? [window.baseline()!.ref.index] : [])]);
          for (const kept of needed) expect(held.has(kept), `frame ${kept} is kept from the start`).toBe(true);
          held = needed;
          expect(held.size * FRAME_BYTES).toBeLessThanOrEqual(options.maxBytes);
        };
        [...marks].forEach((mark, i) => check(window.push(frameInput(mark as Mark, i, feed)), i));
        check(window.push({ type: 'end' }));
      }),
      { numRuns: 60 },
    );
    const thinned = (maxBytes: number) =>
      windowsOf(still(30) + active(30) + still(40), { maxBytes }, { tracks: 6 }).reduce(
        (n, w) => n + w.thinnedFrames,
        0,
      );
    expect(thinned(200 * FRAME_BYTES)).toBe(0);
    expect(thinned(4 * FRAME_BYTES)).toBeGreaterThan(0);
  });

  it('goes on from its state after any push as if nothing had been, and does not touch the state it was given', () => {
    fc.assert(
      fc.property(scenes(), fc.nat(), ({ marks, options, feed }, at) => {
        const stop = at % (marks.length + 1);
        const spec = activity(options);
        const run = (window: Window<ActivityState>, from: number, to: number) =>
          [...marks.slice(from, to)].flatMap((mark, i) => window.push(frameInput(mark as Mark, from + i, feed)));
        const first = spec.open();
        run(first, 0, stop);
        const state = structuredClone(first.state);
        const untouched = structuredClone(state);
        const second = spec.open(state);
        const rest = (window: Window<ActivityState>) => [
          ...run(window, stop, marks.length),
          ...window.push({ type: 'end' }),
        ];
        expect(rest(second)).toEqual(rest(first));
        expect(state).toEqual(untouched);
      }),
      { numRuns: 60 },
    );
  });

  it('needs no frame again that it was not asked to keep', () => {
    fc.assert(
      fc.property(scenes(), ({ marks, options, feed }) => {
        const window = activity(options).open();
        let before = new Set<number>();
        [...marks].forEach((mark, i) => {
          window.push(frameInput(mark as Mark, i, feed));
          const kept = new Set(window.keptPositions().map(({ index }) => index));
          expect(kept).toEqual(window.kept());
          for (const index of kept) expect(index === i || before.has(index)).toBe(true);
          before = kept;
        });
      }),
      { numRuns: 40 },
    );
  });
});
