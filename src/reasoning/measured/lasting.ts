import { cosine, SAME_LOOK } from '../../evidence/embedding.js';
import type { ObservedRegion, SceneEvidence } from '../../evidence/scene.js';
import { holdingSide, readTexts } from '../../evidence/sides.js';
import { colourStep } from '../../pixels/colour.js';
import { areaOf, centreOf, iou } from '../../pixels/geometry.js';
import type { DetectedObject, Region } from '../../records/index.js';
import type { Claim } from '../claim.js';
import { isOfCrowd } from './counting.js';
import {
  appearedClaim,
  goneClaim,
  movedClaim,
  recoloredClaim,
  replacedClaim,
  textClaim,
  type Seen,
} from './lasting-claims.js';

/** A part of an unchanged thing (a reflection, a lid that was turned) is smaller than this share of it. */
const PART_OF_THING = 0.3;
/** A colour that changes by less in every channel is a glint or compression, 0–255. */
export const SEEN_COLOUR_STEP = 24;
/** A change smaller than this share of the picture is a corner of something, or compression. */
const LEAST_SHARE = 0.0005;
/** Least share of the picture, and least difference over its threshold, of a change that the gate did not see. */
const CREPT_SHARE = 0.003;
const CREPT_SCORE = 2;
/** A thing moved where it was gone and there again within this, ms. */
const MOVE_PAUSE_MS = 2_000;
/** A thing with its centre nearer to where it was, against its size, stayed in its place. */
const LEAST_MOVE = 0.2;

/** Claims about what is different for good between the scene before and after. */
export function lastingClaims(evidence: SceneEvidence): Claim[] {
  const certain = evidence.regions.filter((region) => isCertain(region, evidence) && !isOfCrowd(region, evidence));
  const single = certain.flatMap((region) => classify(region, evidence) ?? []);
  return pairMoves(single, evidence).map(({ claim }) => claim);
}

/**
 * What the gate saw coming to rest is certain. What only the comparison shows, although a gate has looked, crept in, or is
 * what light and compression leave over: it must be larger and stand out more. Where none has looked, one of the two does.
 */
function isCertain(region: ObservedRegion, { sequence }: SceneEvidence): boolean {
  const { width, height } = sequence.frames[0].ref;
  const share = region.areaPx / (width * height);
  if (region.settledAsThing) return share >= LEAST_SHARE;
  const [isLarge, standsOut] = [share >= CREPT_SHARE, region.score >= CREPT_SCORE];
  const isGated = sequence.frames.some(({ evidence }) => evidence !== undefined);
  return isGated ? isLarge && standsOut : isLarge || (standsOut && share >= LEAST_SHARE);
}

interface Classified {
  readonly region: ObservedRegion;
  /** The one thing that came or went. */
  readonly object?: DetectedObject;
  readonly claim: Claim;
}

/** What happened in one region; undefined where nothing did that a person would call a change. */
function classify(region: ObservedRegion, evidence: SceneEvidence): Classified | undefined {
  const { before, after } = region.object;
  const words = readTexts(region);
  if (words !== undefined) return { region, claim: textClaim(region, words, evidence) };
  const side = holdingSide(region);
  if (side > 0) return { region, claim: appearedClaim(region, evidence), ...(after && { object: after }) };
  if (side < 0) return { region, claim: goneClaim(region, evidence), ...(before && { object: before }) };
  if (before === undefined || after === undefined) return otherLook(region, evidence);
  if (before.label !== after.label) return { region, claim: replacedClaim(region, evidence) };
  // The thing is there on both sides: a small part of it that looks different is a reflection or a turn.
  if (region.areaPx < PART_OF_THING * areaOf(after.region)) return undefined;
  const [from, to] = [centreOf(before.region), centreOf(after.region)];
  if (Math.hypot(to.x - from.x, to.y - from.y) <= LEAST_MOVE * Math.sqrt(areaOf(after.region)))
    return otherLook(region, evidence);
  const claim = movedClaim({ object: before, region }, { object: after, region }, region.interval, evidence);
  return { region, claim };
}

/** Something is in its place on both sides, or nothing is, and it looks different. */
function otherLook(region: ObservedRegion, evidence: SceneEvidence): Classified | undefined {
  if (cosine(region.embedding.before, region.embedding.after) <= SAME_LOOK)
    return { region, claim: replacedClaim(region, evidence) };
  if (colourStep(region.color.before, region.color.after) < SEEN_COLOUR_STEP) return undefined;
  return { region, claim: recoloredClaim(region, evidence) };
}

/** What is gone here and appeared there at the same time, looking the same, moved. */
function pairMoves(found: readonly Classified[], evidence: SceneEvidence): Classified[] {
  const rest = [...found];
  const pairs = found
    .filter((a) => a.claim.kind === 'DISAPPEARED')
    .flatMap((a) => found.filter((b) => b.claim.kind === 'APPEARED' && isSame(a, b)).map((b) => ({ a, b })))
    .sort((p, q) => likeness(q.a, q.b) - likeness(p.a, p.b));
  for (const { a, b } of pairs) {
    if (!rest.includes(a) || !rest.includes(b)) continue;
    rest.splice(rest.indexOf(a), 1);
    const claim = movedClaim(seenIn(a), seenIn(b), unionOfIntervals(a.region.interval, b.region.interval), evidence);
    rest[rest.indexOf(b)] = { region: b.region, claim };
  }
  return rest;
}

const seenIn = ({ region, object }: Classified): Seen => ({ region, ...(object && { object }) });
const boxOf = ({ region, object }: Classified): Region => object?.region ?? region.region;
const likeness = (a: Classified, b: Classified): number => cosine(a.region.embedding.before, b.region.embedding.after);

function isSame(a: Classified, b: Classified): boolean {
  const [x, y] = [boxOf(a), boxOf(b)];
  const sizes = areaOf(x) / areaOf(y);
  const [p, q] = [a.region.interval, b.region.interval];
  const pause = Math.max(p.first.elapsedMs, q.first.elapsedMs) - Math.min(p.last.elapsedMs, q.last.elapsedMs);
  return (
    a.object?.label === b.object?.label &&
    iou(x, y) < 0.5 &&
    sizes > 0.5 &&
    sizes < 2 &&
    pause <= MOVE_PAUSE_MS &&
    likeness(a, b) > SAME_LOOK
  );
}

/** From the beginning of the earlier to the end of the later. */
export function unionOfIntervals(a: Claim['interval'], b: Claim['interval']): Claim['interval'] {
  return {
    first: a.first.elapsedMs <= b.first.elapsedMs ? a.first : b.first,
    last: a.last.elapsedMs >= b.last.elapsedMs ? a.last : b.last,
  };
}
