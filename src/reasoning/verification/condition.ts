import type { SceneEvidence } from '../../evidence/scene.js';
import { iou } from '../../pixels/geometry.js';
import type { Check } from '../../records/index.js';
import type { Claim } from '../claim.js';
import { held, heldInterval } from './check.js';

/** A claimed box is the measured one if they overlap by this much. */
const SAME_BOX = 0.5;

/** Was that cause measured, then, there and that strongly? */
export function conditionChecks(claim: Claim, evidence: SceneEvidence): Check[] {
  const own = evidence.conditions.find((span) => span.cause === claim.condition);
  const cause = claim.condition ?? 'no cause';
  if (own === undefined) return [held('cause', false, `${cause} was not measured`)];
  const { first, last } = claim.interval;
  const frames = evidence.sequence.frames.filter(
    ({ ref, evidence: seen }) =>
      ref.elapsedMs >= first.elapsedMs &&
      ref.elapsedMs <= last.elapsedMs &&
      seen?.nuisances.some((n) => n.cause === claim.condition),
  ).length;
  const told = claim.measures.at(0);
  const near = (a: number | undefined, b: number) => a !== undefined && Math.abs(a - b) <= 0.02 + 0.02 * Math.abs(b);
  const box = claim.after?.region;
  const placed = box === undefined || own.region === undefined ? box === own.region : iou(box, own.region) >= SAME_BOX;
  return [
    held('cause', frames > 0, `${cause} was measured in ${frames} frames of the interval`),
    held('region', placed, own.region === undefined ? 'the whole picture is concerned' : 'a part of the picture is'),
    heldInterval(claim, own, evidence, 'measured'),
    held(
      'strength',
      near(told?.before, own.least) && near(told?.after, own.greatest) && told?.unit === own.unit,
      `${own.least.toFixed(3)} to ${own.greatest.toFixed(3)} ${own.unit}`,
    ),
    held('ongoing', claim.ongoing === own.ongoing, own.ongoing ? 'it goes on' : 'it has ceased'),
  ];
}
