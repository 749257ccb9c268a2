import { isCountChanged, type Crowd } from '../../evidence/crowds.js';
import { boundsOf } from '../../evidence/interval.js';
import type { SceneEvidence } from '../../evidence/scene.js';
import { iou } from '../../pixels/geometry.js';
import type { Check } from '../../records/index.js';
import type { Claim } from '../claim.js';
import { held, heldInterval } from './check.js';

/** Least overlap of a claimed box with the crowd that it means. */
const SAME_CROWD = 0.5;

/** Is there such a crowd, and is its number, in every picture, another than before? */
export function countingChecks(claim: Claim, evidence: SceneEvidence): Check[] {
  const crowd = crowdOf(claim, evidence);
  if (crowd === undefined) return [held('region', false, `no crowd of ${claim.subject.label} was counted there`)];
  const { before, after } = crowd;
  const measure = claim.measures.find(({ unit }) => unit === 'count');
  return [
    held('region', true, 'a crowd was counted there'),
    heldInterval(claim, boundsOf(evidence.sequence), evidence, 'bounded by the frames compared'),
    held(
      'count',
      isCountChanged(crowd) && measure?.before === before.count && measure.after === after.count,
      `counted ${before.least} to ${before.most} before and ${after.least} to ${after.most} after`,
    ),
  ];
}

function crowdOf({ subject, before, after }: Claim, { crowds }: SceneEvidence): Crowd | undefined {
  const isAt = (claimed: Claim['before'], crowd: Crowd['before']): boolean =>
    claimed?.region === undefined || (crowd.region !== undefined && iou(claimed.region, crowd.region) >= SAME_CROWD);
  if (before === undefined && after === undefined) return undefined;
  return crowds.find(
    (crowd) => crowd.label === subject.label && isAt(before, crowd.before) && isAt(after, crowd.after),
  );
}
