import type { FrameSequence } from '../../records/index.js';
import type { Claim } from '../claim.js';
import { lasting } from './words.js';

/** What of a `gap` sequence there is to tell. */
export type GapSequence = Pick<FrameSequence, 'trigger' | 'first' | 'last' | 'gap'>;

/**
 * The claim of a `gap` sequence: that there were no fresh pictures, how long, and why.
 * @throws RangeError on any other sequence
 */
export function gapClaim({ trigger, first, last, gap }: GapSequence): Claim {
  if (gap === undefined) throw new RangeError(`a sequence by ${trigger} tells of no gap`);
  const durationMs = last.elapsedMs - first.elapsedMs;
  const came = gap.over ? 'came' : 'has come';
  return {
    kind: 'CONDITION',
    condition: 'SIGNAL_GAP',
    subject: { label: 'picture', description: 'the picture', confidence: 1 },
    statement: `No new picture ${came} for ${lasting(durationMs)}: ${gap.reason}.`,
    interval: { first, last },
    measures: [{ name: 'duration', unit: 's', after: Math.round(durationMs) / 1_000 }],
    ongoing: !gap.over,
    identity: {},
  };
}
