import type { NamedTrack, SceneEvidence } from '../../evidence/scene.js';
import { areaOf, iou } from '../../pixels/geometry.js';
import type { Check, Region } from '../../records/index.js';
import type { Claim } from '../claim.js';
import { passageOf } from '../measured/passage.js';
import { sceneryOf } from '../measured/scenery.js';
import { held, heldInterval } from './check.js';

/** A claimed box is the measured one if they overlap by this much. */
const SAME_BOX = 0.5;
/** A point of a path may be off by this, px, or by this share of the thing's size if that is more. */
const POINT_PX = 8;
const POINT_SHARE = 0.25;

/** Does something move there, then, and that way? */
export function activityChecks(claim: Claim, evidence: SceneEvidence): Check[] {
  const track = evidence.tracks.find((t) => t.id === claim.identity.trackId);
  if (track === undefined) return [held('region', false, 'no such track was measured')];
  const same = (a: Region | undefined, b: Region) => a !== undefined && iou(a, b) >= SAME_BOX;
  const told = (name: string) => claim.measures.find((m) => m.name === name)?.after;
  const { lengthPx } = passageOf(track, sceneryOf(evidence));
  const seconds = (track.last.elapsedMs - track.born.elapsedMs) / 1_000;
  return [
    held(
      'region',
      same(claim.before?.region, track.firstRegion) && same(claim.after?.region, track.bestRegion),
      `followed through ${track.path.length} frames`,
    ),
    heldInterval(claim, { first: track.born, last: track.last }, evidence, 'followed'),
    held('direction', sameWay(claim, track), `it went ${Math.round(lengthPx)} px`),
    held('ongoing', claim.ongoing === track.ongoing, track.ongoing ? 'it is still there' : 'it is there no more'),
    held(
      'measures',
      Math.abs((told('way') ?? lengthPx) - lengthPx) <= 1 && Math.abs((told('duration') ?? seconds) - seconds) <= 0.01,
      `${Math.round(lengthPx)} px in ${seconds.toFixed(1)} s`,
    ),
  ];
}

/** The claimed path must run as the measured one does: every point where it was then, from its beginning to its end. */
function sameWay({ path = [] }: Claim, track: NamedTrack): boolean {
  const reach = Math.max(POINT_PX, POINT_SHARE * Math.sqrt(areaOf(track.bestRegion)));
  const measured = new Map(track.path.map((point) => [point.at.frame, point]));
  const near = path.every((point) => {
    const own = measured.get(point.at.frame);
    return own !== undefined && Math.hypot(point.x - own.x, point.y - own.y) <= reach;
  });
  return near && path.at(0)?.at.frame === track.path[0].at.frame && path.at(-1)?.at.frame === track.last.frame;
}
