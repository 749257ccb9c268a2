import { describe, expect, it } from 'vitest';
import { intervalOf } from '../../src/evidence/interval.js';
import type { FrameSequence, SettledRegion } from '../../src/records/index.js';
import { during } from '../support/findings.js';
import { box } from '../support/scenes.js';

const settled = (x: number, from: number, to: number, light = false): SettledRegion => {
  const { first: leftAt, last: restedAt } = during(from, to);
  return { region: box(x, 50, 40, 60), leftAt, restedAt, ...(light && { mayBeLight: true as const }) };
};
const at = (x: number, ...regions: SettledRegion[]) =>
  intervalOf(box(x, 55, 36, 50), { settled: regions } as unknown as FrameSequence);

describe('when a region changed', () => {
  it('is when the gate saw it come to rest there, the latest time of several', () => {
    expect(at(100, settled(100, 20, 30), settled(200, 40, 50), settled(100, 60, 70))).toEqual({
      interval: during(60, 70),
      isThing: true,
    });
  });

  it('is known by what may be light as well, but not that something came; a thing there is the better witness', () => {
    expect(at(100, settled(100, 20, 30, true))).toEqual({ interval: during(20, 30), isThing: false });
    expect(at(100, settled(100, 20, 30), settled(102, 60, 70, true))).toEqual({
      interval: during(20, 30),
      isThing: true,
    });
  });

  it('is not known where nothing came to rest', () => {
    expect(at(100, settled(200, 20, 30))).toBeUndefined();
    expect(at(100)).toBeUndefined();
  });
});
