import type { Verification } from '../../records/index.js';
import type { Claim } from '../claim.js';
import type { GapSequence } from '../measured/gap.js';
import { lasting } from '../measured/words.js';
import { held, heldInterval } from './check.js';

/** Holds a claim about missing pictures against the gap that the source told: then, so long, for that reason. */
export function verifyGap(claim: Claim, sequence: GapSequence): Verification {
  const { first, last, gap } = sequence;
  const durationMs = last.elapsedMs - first.elapsedMs;
  const told = claim.measures.find(({ name }) => name === 'duration');
  const checks = [
    held('cause', gap !== undefined && claim.condition === 'SIGNAL_GAP', gap?.reason ?? 'no gap was told'),
    heldInterval(claim, { first, last }, { sequence }, 'no picture came'),
    held(
      'duration',
      told?.unit === 's' && told.after === Math.round(durationMs) / 1_000,
      `no picture came for ${lasting(durationMs)}`,
    ),
    held('ongoing', claim.ongoing === !(gap?.over ?? true), gap?.over === false ? 'it goes on' : 'pictures are back'),
    held(
      'statement',
      gap !== undefined && claim.statement.endsWith(` for ${lasting(durationMs)}: ${gap.reason}.`),
      'the sentence tells the duration and the reason',
    ),
  ];
  const contradicted = checks.some(({ verdict }) => verdict === 'CONTRADICTED');
  return { verdict: contradicted ? 'CONTRADICTED' : 'SUPPORTED', checks };
}
