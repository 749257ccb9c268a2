import type { NamedTrack } from '../../evidence/scene.js';
import { areaOf, centreOf } from '../../pixels/geometry.js';
import { borderOf, directionOf, placeOf, type Scenery } from './words.js';

/** A box this near to the border has not yet come in, or has left, as a share of the picture's shorter side. */
const BORDER_SHARE = 0.03;
/** What is seen so soon after a source has begun may have been there before, and nobody saw it come in, ms. */
const BEGINNING_MS = 500;
/** Less than this of its own size from where it was first seen, a thing has gone nowhere. */
const LEAST_WAY = 0.5;

/** The way of a thing through the picture, since it was first seen, in words. */
export interface Passage {
  /** Border or corner that it came in at, and went out at; empty where it did not. */
  readonly entered: string;
  readonly left: string;
  /** Where it was first and last seen: `in the middle`. */
  readonly from: string;
  readonly to: string;
  /** `to the right`; empty where it went nowhere. */
  readonly way: string;
  /** From the first to the last place of its centre. */
  readonly lengthPx: number;
}

export function passageOf(track: NamedTrack, picture: Scenery): Passage {
  const margin = BORDER_SHARE * Math.min(picture.width, picture.height);
  const start = centreOf(track.firstRegion);
  const end = centreOf(track.lastRegion);
  const [dx, dy] = [end.x - start.x, end.y - start.y];
  const lengthPx = Math.hypot(dx, dy);
  return {
    entered: track.born.elapsedMs < BEGINNING_MS ? '' : borderOf(track.firstRegion, picture, margin),
    left: track.ongoing ? '' : borderOf(track.lastRegion, picture, margin),
    from: placeOf(track.firstRegion, picture),
    to: placeOf(track.lastRegion, picture),
    way: lengthPx < LEAST_WAY * Math.sqrt(areaOf(track.bestRegion)) ? '' : directionOf(dx, dy),
    lengthPx,
  };
}

const opposites = [
  ['left', 'right'],
  ['top', 'bottom'],
  ['upper', 'lower'],
] as const;

/** Whether two borders or corners face each other. */
export const facing = (a: string, b: string): boolean =>
  opposites.some(([p, q]) => (a.includes(p) && b.includes(q)) || (a.includes(q) && b.includes(p)));
