import { LEAST_TRAVEL, type NamedTrack, type SceneEvidence } from '../../evidence/scene.js';
import { overlapOfSmaller, shareIn } from '../../pixels/geometry.js';
import type { Claim } from '../claim.js';
import { bordersOf, capital, directionOf, lasting, placeOf, withArticle } from './words.js';

/** A flash shorter than this is no activity, ms. */
const LEAST_MS = 250;
/** A box this near to the border has not yet come in, or has left, as a share of the picture's shorter side. */
const BORDER_SHARE = 0.03;

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
  const picture = evidence.sequence.frames[0].ref;
  const margin = BORDER_SHARE * Math.min(picture.width, picture.height);
  const label = track.object?.label ?? 'object';
  const who = track.object ? withArticle(label) : 'something';
  const from = track.path[0];
  const to = track.path[track.path.length - 1];
  const way = directionOf(to.x - from.x, to.y - from.y);
  const wasHere = track.born.frame < track.path[0].at.frame;
  const entered = wasHere ? [] : bordersOf(track.firstRegion, picture, margin);
  const left = track.ongoing ? [] : bordersOf(track.lastRegion, picture, margin);
  const parts = [
    entered.length > 0 ? `came in at the ${entered[0]}` : `moved ${placeOf(track.bestRegion, picture)}`,
    ...(way === '' ? [] : [`went ${way}`]),
    ...(track.ongoing
      ? []
      : [
          left.length > 0
            ? `left at the ${left[0]} after ${lasting(durationMs(track))}`
            : `was last seen ${placeOf(track.lastRegion, picture)} after ${lasting(durationMs(track))}`,
        ]),
  ];
  return {
    kind: 'ACTIVITY',
    subject: {
      label,
      description: track.object ? label : 'something that moves',
      confidence: track.object?.confidence ?? 0,
    },
    statement: `${capital(who)} ${sentence(parts)}.`,
    interval: { first: track.born, last: track.last },
    before: { region: track.firstRegion },
    after: { region: track.bestRegion },
    path: thin(track.path),
    measures: [
      { name: 'duration', unit: 's', after: Math.round(durationMs(track)) / 1_000 },
      { name: 'way', unit: 'px', after: Math.round(Math.hypot(to.x - from.x, to.y - from.y)) },
    ],
    ongoing: track.ongoing,
    identity: { trackId: track.id },
  };
}

const sentence = (parts: readonly string[]): string =>
  parts.length < 2 ? parts.join('') : `${parts.slice(0, -1).join(', ')} and ${parts[parts.length - 1]}`;

/** At most 40 points of a path, first and last among them. */
function thin<T>(path: readonly T[]): T[] {
  const step = Math.max(1, Math.ceil((path.length - 1) / 39));
  return path.filter((_, i) => i % step === 0 || i === path.length - 1);
}
