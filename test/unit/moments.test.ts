import { InvalidArgumentError } from 'commander';
import { describe, expect, it } from 'vitest';
import { momentTime } from '../../src/cli/moment-text.js';
import { ByteBudget } from '../../src/sources/budget.js';
import { momentsOf, pairSource } from '../../src/sources/moments.js';
import { Stage } from '../../fixtures/stage.js';
import { ArraySource, framesOf } from '../support/topology-driver.js';

const stage = new Stage();
/** At 25 frames a second. */
const frames = framesOf(Array.from({ length: 100 }, () => stage.draw()));
const options = () => ({ budget: new ByteBudget(1e9), signal: new AbortController().signal });

describe('moments of a source', () => {
  it('are the frames nearest to them, in the order asked for, and every lease comes back', async () => {
    const source = new ArraySource(frames);
    const wallMs = frames[0].ref.eventTimeMs;
    const moments = await momentsOf(source, [{ elapsedMs: 2_010 }, { timeMs: wallMs + 395 }], options());
    expect(moments.map(({ ref }) => ref.index)).toEqual([50, 10]);
    expect(source.outstanding.size).toBe(0);
    expect(source.given, 'no more is read than it takes').toBeLessThan(80);
  });

  it('after the end, or from before the beginning, are told as missing', async () => {
    const missing = (at: Parameters<typeof momentsOf>[1][number]) =>
      momentsOf(new ArraySource(frames), [at], options());
    await expect(missing({ elapsedMs: 6_000 })).rejects.toMatchObject({
      code: 'MOMENT_NOT_FOUND',
      message: 'stage has no frame at 6 s: there are frames up to 4.0 s of its own time',
    });
    await expect(missing({ timeMs: frames[0].ref.eventTimeMs - 60_000 })).rejects.toMatchObject({ class: 'user' });
  });

  it('two of them are a source of two frames, the earlier first', async () => {
    const [late, early] = await momentsOf(
      new ArraySource(frames),
      [{ elapsedMs: 3_000 }, { elapsedMs: 1_000 }],
      options(),
    );
    const reading = pairSource('yard', [late, early]).read(options());
    const seen: number[] = [];
    for (let next = await reading.next(); next.done !== true; next = await reading.next()) {
      seen.push(next.value.ref.index);
      next.value.lease.release();
    }
    expect(seen).toEqual([25, 75]);
  });
});

describe('a moment as people write it', () => {
  it.each([
    ['127.4', { elapsedMs: 127_400 }],
    ['02:07.4', { elapsedMs: 127_400 }],
    ['1:02:07', { elapsedMs: 3_727_000 }],
    ['2026-01-31T08:30:00Z', { timeMs: Date.UTC(2026, 0, 31, 8, 30) }],
    ['2026-01-31 08:30+01:00', { timeMs: Date.UTC(2026, 0, 31, 7, 30) }],
  ])('%s', (text, moment) => {
    expect(momentTime(text)).toEqual(moment);
  });

  it.each(['', 'noon', '1:99', '2026-01-31', '2026-01-31T08:30:00', '2026-13-01T00:00:00Z', '-5'])('not %j', (text) => {
    expect(() => momentTime(text)).toThrow(InvalidArgumentError);
  });
});
