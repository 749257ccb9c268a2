import { describe, expect, it } from 'vitest';
import type { Claim } from '../../src/reasoning/claim.js';
import { gapClaim, type GapSequence } from '../../src/reasoning/measured/gap.js';
import { verifyGap } from '../../src/reasoning/verification/gap.js';

const at = (elapsedMs: number) => ({ frame: 40, timeMs: 1e12 + elapsedMs, elapsedMs });
const gapFrom = (elapsedMs: number, over: boolean): GapSequence => ({
  trigger: 'gap',
  first: at(elapsedMs),
  last: at(elapsedMs + 12_300),
  gap: { reason: 'the camera did not answer', over },
});

describe('verification of a gap', () => {
  it.each([true, false])('supports what was told of it (over: %s)', (over) => {
    const sequence = gapFrom(1_600, over);
    const { verdict, checks } = verifyGap(gapClaim(sequence), sequence);
    expect(verdict).toBe('SUPPORTED');
    expect(checks.map(({ name }) => name)).toEqual(['cause', 'interval', 'duration', 'ongoing', 'statement']);
  });

  it.each<[string, (claim: Claim) => Claim]>([
    ['cause', (claim) => ({ ...claim, condition: 'NOISE' })],
    ['interval', ({ interval, ...claim }) => ({ ...claim, interval: { ...interval, last: at(20_000) } })],
    ['interval', ({ interval, ...claim }) => ({ ...claim, interval: { first: at(3_000), last: interval.last } })],
    ['duration', (claim) => ({ ...claim, measures: [{ name: 'duration', unit: 's', after: 11 }] })],
    ['duration', (claim) => ({ ...claim, measures: [{ name: 'duration', unit: 'ms', after: 12.3 }] })],
    ['duration', (claim) => ({ ...claim, measures: [] })],
    ['ongoing', (claim) => ({ ...claim, ongoing: !claim.ongoing })],
    ['statement', (claim) => ({ ...claim, statement: 'No new picture came for 13 s: the camera did not answer.' })],
    ['statement', (claim) => ({ ...claim, statement: 'No new picture came for 12 s: the cable was cut.' })],
  ])('contradicts another %s', (name, change) => {
    const sequence = gapFrom(1_600, true);
    const { verdict, checks } = verifyGap(change(gapClaim(sequence)), sequence);
    expect(verdict).toBe('CONTRADICTED');
    expect(checks.filter((check) => check.verdict === 'CONTRADICTED').map((check) => check.name)).toEqual([name]);
  });

  it('contradicts a gap where none was told', () => {
    const sequence = gapFrom(1_600, true);
    const { trigger, first, last } = sequence;
    const quiet = { trigger, first, last };
    expect(verifyGap(gapClaim(sequence), quiet).verdict).toBe('CONTRADICTED');
    expect(() => gapClaim({ ...quiet, trigger: 'settled' })).toThrow('tells of no gap');
  });
});
