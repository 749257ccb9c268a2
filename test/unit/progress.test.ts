import { describe, expect, test } from 'vitest';
import { Progress, progressText } from '../../src/cli/progress.js';
import { StatusLine } from '../../src/cli/terminal.js';
import { keptStream, shown } from '../support/streams.js';

describe('progressText', () => {
  test.each([
    [
      { frames: 1_204, framesExpected: 1_800, events: 4 },
      312.4,
      '1,204 of 1,800 frames · 66 % · 312 frames/s · 4 events',
    ],
    [{ frames: 1, events: 1 }, 0.25, '1 frame · 0.3 frames/s · 1 event'],
    [{ frames: 1_803, framesExpected: 1_800, events: 0 }, 25, '1,803 of 1,800 frames · 100 % · 25 frames/s · 0 events'],
    [{ frames: 0, framesExpected: 0, events: 0 }, NaN, '0 of 0 frames · 0 events'],
  ])('%j at %d frames/s', (figures, rate, text) => {
    expect(progressText(figures, rate)).toBe(text);
  });
});

describe('Progress', () => {
  function progress(kind: 'terminal' | 'pipe') {
    const stream = keptStream(kind);
    const clock = { nowMs: 5_000 };
    return { stream, clock, progress: new Progress(new StatusLine(stream), () => clock.nowMs) };
  }

  test('tells the mean rate since its first update', () => {
    const { stream, clock, progress: shownProgress } = progress('terminal');
    shownProgress.update({ frames: 100, events: 0 });
    clock.nowMs += 2_000;
    shownProgress.update({ frames: 200, events: 3 });
    expect(shown(stream.text())).toEqual(['200 frames · 50 frames/s · 3 events']);
  });

  test('draws at most ten times a second', () => {
    const { stream, clock, progress: shownProgress } = progress('terminal');
    for (let frames = 0; frames < 1_000; frames += 1) {
      shownProgress.update({ frames, events: 0 });
      clock.nowMs += 1;
    }
    expect(stream.text().split('\r')).toHaveLength(1 + 10);
  });

  test('leaves nothing behind at its end', () => {
    const { stream, progress: shownProgress } = progress('terminal');
    shownProgress.update({ frames: 1, events: 0 });
    shownProgress.end();
    expect(shown(stream.text())).toEqual(['']);
  });

  test('writes nothing to a pipe', () => {
    const { stream, progress: shownProgress } = progress('pipe');
    shownProgress.update({ frames: 1, events: 0 });
    shownProgress.end();
    expect(stream.text()).toBe('');
  });
});
