import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isKeyframeDue, rotated, type StoredKeyframe } from '../../src/topology/scene-keyframes.js';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

const at = (timeMs: number): StoredKeyframe => ({
  at: { frame: timeMs, timeMs, elapsedMs: timeMs },
  width: 320,
  height: 240,
  sha256: String(timeMs),
});

/** What is kept once a scene was seen at each of these times. */
const keptOf = (timesMs: readonly number[], maxAgeMs?: number): number[] => {
  let kept: StoredKeyframe[] = [];
  for (const timeMs of timesMs) {
    if (!isKeyframeDue(kept.at(-1)?.at, at(timeMs).at)) continue;
    kept = rotated([...kept, at(timeMs)], maxAgeMs);
  }
  return kept.map(({ at: { timeMs } }) => timeMs);
};

/** A scene that is seen every minute or so for so many days. */
const watchedFor = (days: number): number[] =>
  Array.from({ length: days * 24 * 60 }, (_, n) => n * MINUTE_MS + ((n * 7_919) % 20_000));

describe('pictures of a scene that are kept', () => {
  it('are ten minutes apart for a day, an hour for a week, and a day until they are ninety days old', () => {
    const seen = watchedFor(120);
    const kept = keptOf(seen);
    const now = seen[seen.length - 1];
    for (const [fromDays, toDays, apartMs] of [
      [0, 1, 10 * MINUTE_MS],
      [1.1, 7, 60 * MINUTE_MS],
      [8, 90, DAY_MS],
    ]) {
      for (let ageMs = fromDays * DAY_MS; ageMs < toDays * DAY_MS - apartMs; ageMs += 5 * MINUTE_MS) {
        const offMs = Math.min(...kept.map((timeMs) => Math.abs(now - ageMs - timeMs)));
        expect(offMs).toBeLessThanOrEqual(apartMs);
      }
    }
    expect(now - kept[0]).toBeLessThanOrEqual(90 * DAY_MS);
    expect(kept.length).toBeLessThan(400);
  });

  it('are never many, however the scene was seen, and always tell of now', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 40 * DAY_MS }), { maxLength: 300 }), (steps) => {
        let timeMs = 0;
        const seen = steps.map((step) => (timeMs += step));
        const kept = keptOf(seen);
        expect(kept).toEqual([...kept].sort((a, b) => a - b));
        expect(kept.every((time) => seen.includes(time) && timeMs - time <= 130 * DAY_MS)).toBe(true);
        if (seen.length > 0) expect(timeMs - kept[kept.length - 1]).toBeLessThan(10 * MINUTE_MS);
      }),
    );
  });

  it('go at the age at which all goes', () => {
    const seen = watchedFor(5);
    const kept = keptOf(seen, 3 * DAY_MS);
    expect(seen[seen.length - 1] - kept[0]).toBeLessThanOrEqual(3 * DAY_MS);
    expect(kept[0]).toBeGreaterThan(1.9 * DAY_MS);
  });
});
