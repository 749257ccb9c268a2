import { CROWD, isCountChanged, type Crowd } from '../../evidence/crowds.js';
import { boundsOf } from '../../evidence/interval.js';
import type { ObservedRegion, SceneEvidence } from '../../evidence/scene.js';
import { roundedRegion, shareIn, unionOf } from '../../pixels/geometry.js';
import type { Claim } from '../claim.js';
import { sceneryOf } from './scenery.js';
import { numberWord, placeOf, plural } from './words.js';

/** Share of a changed region that lies in members of a crowd, from which on it is their coming and going. */
const OF_CROWD = 0.7;

/** "There are five people at the left now, up from three." */
export const countClaims = (evidence: SceneEvidence): Claim[] =>
  evidence.crowds.filter(isCountChanged).map((crowd) => countClaim(crowd, evidence));

/** Whether a region is but the coming, going and shifting of the members of a crowd, of which only their number is told. */
export const isOfCrowd = ({ region }: ObservedRegion, { crowds }: SceneEvidence): boolean =>
  crowds.some(({ members }) =>
    [...members.before, ...members.after].some((member) => shareIn(region, member) >= OF_CROWD),
  );

function countClaim(crowd: Crowd, evidence: SceneEvidence): Claim {
  const { label, before, after, confidence } = crowd;
  const [then, now] = [before.region, after.region];
  const place = placeOf(unionOf([then, now].flatMap((region) => region ?? [])), sceneryOf(evidence));
  const name = after.count === 1 ? label : plural(label);
  const are = after.count === 1 ? 'is' : 'are';
  const from = `${after.count > before.count ? 'up' : 'down'} from ${numberWord(before.count)}`;
  return {
    kind: 'COUNT_CHANGED',
    subject: { label, description: `${plural(label)} ${place}`, confidence },
    statement: `There ${are} ${numberWord(after.count)} ${name} ${place} now, ${from}.`,
    interval: boundsOf(evidence.sequence),
    ongoing: after.count >= CROWD,
    ...(then && { before: { region: roundedRegion(then) } }),
    ...(now && { after: { region: roundedRegion(now) } }),
    measures: [{ name: `${plural(label)} ${place}`, unit: 'count', before: before.count, after: after.count }],
    identity: {},
  };
}
