import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { FrameEvidence } from '../../src/records/index.js';
import { activity } from '../../src/sequences/windows/activity.js';
import type { ClosedWindow } from '../../src/sequences/windows/window.js';

const evidence = (motion: FrameEvidence['motion']): FrameEvidence => ({
  motion,
  nuisances: [],
  tracks: [],
  settled: [],
  light: { gain: 1, offset: 0 },
  overlays: [],
  noiseSigma: 1,
  illumination: 0,
  changedShare: 0,
});

/**
 * The window that closes when something has moved from one frame to another, at `fps`. One that moves for longer than
 * `maxMs` is told before that too, when there is no rest yet to show.
 */
function activityWindow(fps: number, movesFrom: number, movesTo: number): ClosedWindow | undefined {
  const window = activity().open();
  for (let index = 0; index < movesTo + 2 * fps; index++) {
    const elapsedMs = (index * 1000) / fps;
    const position = { index, offset: `${index}` };
    const ref = { source: 'yard', index, eventTimeMs: elapsedMs, elapsedMs, position, width: 64, height: 48 };
    const motion = index >= movesFrom && index <= movesTo ? 'active' : 'still';
    const closed = window.push({ type: 'frame', ref, bytes: 64 * 48 * 3, evidence: evidence(motion) });
    const found = closed.find(({ trigger, last }) => trigger === 'activity' && last.frame > movesTo);
    if (found !== undefined) return found;
  }
  return undefined;
}

test('at any frame rate the scene after an activity is shown by frames in which nothing moves any more', () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 60 }), fc.integer({ min: 1, max: 40 }), (fps, frames) => {
      const movesTo = fps + frames;
      const after = activityWindow(fps, fps, movesTo)?.frames.filter(({ role }) => role === 'after') ?? [];
      expect(after.length).toBeGreaterThan(0);
      for (const { ref } of after) expect(ref.index).toBeGreaterThan(movesTo);
    }),
    { examples: [[2, 40]] },
  );
});
