import { LEAST_TRAVEL, type NamedTrack, type SceneEvidence } from '../../evidence/scene.js';
import { overlapOfSmaller, roundedRegion, shareIn } from '../../pixels/geometry.js';
import type { Claim } from '../claim.js';
import { facing, passageOf, type Passage } from './passage.js';
import { sceneryOf } from './scenery.js';
import { capital, lasting, moverName } from './words.js';

/** A flash shorter than this is no activity, ms. */
const LEAST_MS = 250;

/** Claims about what moves through the picture. */
export function passingClaims(evidence: SceneEvidence): Claim[] {
  const movers = evidence.tracks.filter((track) => track.travel >= LEAST_TRAVEL && durationMs(track) >= LEAST_MS);
  return movers.filter((track) => !isFragment(track, movers)).map((track) => passing(track, evidence));
}

const durationMs = (track: NamedTrack): number => track.last.elapsedMs - track.born.elapsedMs;

/** A piece that fell off a larger thing runs along inside of its way. */
function isFragment(track: NamedTrack, all: readonly NamedTrack[]): boolean {
  return all.some(
    (other) =>
      other.id !== track.id &&
      other.sweep.width * other.sweep.height > 1.5 * track.sweep.width * track.sweep.height &&
      other.born.elapsedMs <= track.born.elapsedMs &&
      other.last.elapsedMs >= track.born.elapsedMs &&
      shareIn(track.sweep, other.sweep) > 0.8 &&
      overlapOfSmaller(track.firstRegion, other.sweep) > 0.8,
  );
}

function passing(track: NamedTrack, evidence: SceneEvidence): Claim {
  const passage = passageOf(track, sceneryOf(evidence));
  const subject = {
    label: track.object?.label ?? 'object',
    description: track.object?.label ?? 'something that moves',
    confidence: track.object?.confidence ?? 0,
  };
  return {
    kind: 'ACTIVITY',
    subject,
    statement: `${capital(moverName(subject))} ${sentenceOf(passage, track)}.`,
    interval: { first: track.born, last: track.last },
    before: { region: roundedRegion(track.firstRegion) },
    after: { region: roundedRegion(track.bestRegion) },
    path: shortened(track.path),
    measures: [
      { name: 'duration', unit: 's', after: Math.round(durationMs(track)) / 1_000 },
      { name: 'way', unit: 'px', after: Math.round(passage.lengthPx) },
    ],
    ongoing: track.ongoing,
    identity: { trackId: track.id },
  };
}

/**
 * What it did, told from its beginning also where only a later part of it is seen. What goes on is told in words that
 * stay true when it is not seen any more.
 */
function sentenceOf({ entered, left, from, to, way }: Passage, track: NamedTrack): string {
  const after = `after ${lasting(durationMs(track))}`;
  const how = way === '' ? '' : ` ${way}`;
  if (entered === '') {
    if (track.ongoing) return `${from} moved${how}`;
    if (left !== '') return `${from} moved${how} and went out at the ${left} ${after}`;
    if (to !== from) return `${from} moved${how} and was last seen ${to} ${after}`;
    return `${from} moved${how} for ${lasting(durationMs(track))}`;
  }
  if (track.ongoing) return `came in at the ${entered}${way === '' ? '' : ` and moved${how}`}`;
  if (left === '') return `came in at the ${entered} and was last seen ${to} ${after}`;
  if (left === entered) return `came in at the ${entered} and went out there again ${after}`;
  if (!facing(entered, left)) return `came in at the ${entered} and went out at the ${left} ${after}`;
  const corners = entered.includes(' ') || left.includes(' ') ? 'the ' : '';
  return `crossed the picture from ${corners}${entered} to ${corners}${left} in ${lasting(durationMs(track))}`;
}

/** At most 40 points of a path in whole pixels, first and last among them. */
function shortened(path: NamedTrack['path']): NonNullable<Claim['path']> {
  const step = Math.max(1, Math.ceil((path.length - 1) / 39));
  return path
    .filter((_, i) => i % step === 0 || i === path.length - 1)
    .map(({ at, x, y }) => ({ at, x: Math.round(x), y: Math.round(y) }));
}
