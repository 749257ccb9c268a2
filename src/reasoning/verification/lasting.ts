import { changeInBox } from '../../evidence/comparison.js';
import { cosine, SAME_LOOK } from '../../evidence/embedding.js';
import type { ObservedRegion, SceneEvidence } from '../../evidence/scene.js';
import { holdingSide, readTexts } from '../../evidence/sides.js';
import { colourStep } from '../../pixels/colour.js';
import { centreOf, iou, overlapOfSmaller } from '../../pixels/geometry.js';
import type { Check, Region } from '../../records/index.js';
import type { Claim } from '../claim.js';
import { SEEN_COLOUR_STEP, unionOfIntervals } from '../measured/lasting.js';
import { check, held, heldInterval, percent } from './check.js';

/**
 * Least share of a claimed box that must have changed (of a line of text a single glyph may), and of the change near it
 * that must lie inside (of a move a half, or less, lies at the other place).
 */
const FILLED = 0.1;
const FILLED_TEXT = 0.01;
const COVERED = 0.5;
const COVERED_MOVE = 0.25;
/** Colours may differ by this much in each channel. */
const COLOUR_STEP = 32;
/** A claimed shift and the boxes that it lies between may differ by this, px. */
const SHIFT_PX = 3;

/** Is there change in the claimed boxes, and not beside them? */
export function regionCheck(claim: Claim, { comparison }: SceneEvidence): Check {
  const boxes = [claim.before?.region, claim.after?.region].filter((r): r is Region => r !== undefined);
  if (comparison === undefined) return check('region', 'UNVERIFIED', 'there is no scene before and after to compare');
  if (boxes.length === 0) return held('region', false, 'no region was claimed');
  const results = boxes.map((box) => changeInBox(comparison, box));
  const worst = results.reduce((a, b) => (a.filled * a.covered <= b.filled * b.covered ? a : b));
  const leastFilled = claim.kind === 'TEXT_CHANGED' ? FILLED_TEXT : FILLED;
  const leastCovered = claim.kind === 'MOVED' ? COVERED_MOVE : COVERED;
  return held(
    'region',
    results.every(({ filled, covered }) => filled >= leastFilled && covered >= leastCovered),
    `${percent(worst.filled)} of the box changed, ${percent(worst.covered)} of the change around it lies inside`,
  );
}

/** The changed region that a box means: the one it overlaps best. */
export function observedAt(box: Region | undefined, { regions }: SceneEvidence): ObservedRegion | undefined {
  if (box === undefined) return undefined;
  const by = ({ region }: ObservedRegion) => iou(region, box) + overlapOfSmaller(region, box);
  const best = [...regions].sort((a, b) => by(b) - by(a)).at(0);
  return best !== undefined && overlapOfSmaller(best.region, box) > 0.3 ? best : undefined;
}

const observed = (claim: Claim, evidence: SceneEvidence): ObservedRegion | undefined =>
  observedAt(claim.after?.region ?? claim.before?.region, evidence);

const nowhere = (name: string): Check => held(name, false, 'no changed region overlaps the claimed box');

/** Did it happen then? Against the gate's settled regions; where there are none, between the frames compared. */
export function intervalCheck(claim: Claim, evidence: SceneEvidence): Check {
  const own = observed(claim, evidence);
  if (own === undefined) return nowhere('interval');
  const from = claim.kind === 'MOVED' ? observedAt(claim.before?.region, evidence) : undefined;
  const measured = from === undefined ? own.interval : unionOfIntervals(from.interval, own.interval);
  return heldInterval(claim, measured, evidence, own.intervalMeasured ? 'measured' : 'bounded by the frames compared');
}

/** Which side holds the thing: by the detector where it sees it on one side only, else by the outline. */
export function directionCheck(claim: Claim, evidence: SceneEvidence): Check {
  const wanted = claim.kind === 'APPEARED' ? 1 : -1;
  const [box, other] =
    wanted > 0 ? [claim.after?.region, claim.before?.region] : [claim.before?.region, claim.after?.region];
  const own = observedAt(box, evidence);
  if (own === undefined || other !== undefined)
    return held('direction', false, 'what appears is boxed after it did, what disappears before');
  const side = holdingSide(own);
  if (side === 0) return check('direction', 'UNVERIFIED', 'the scene holds as much there on both sides');
  return held('direction', side === wanted, `${sideWords(own)} ${side > 0 ? 'after' : 'before'}`);
}

const sideWords = ({ object: { before, after }, outline }: ObservedRegion): string =>
  before === undefined && after === undefined
    ? `the outline (${outline.before.toFixed(1)} and ${outline.after.toFixed(1)} grey levels) is stronger`
    : `the detector sees a ${(after ?? before)?.label ?? 'thing'} only`;

/** Are those words there? */
export function textCheck(claim: Claim, evidence: SceneEvidence): Check {
  const own = observed(claim, evidence);
  if (own === undefined) return nowhere('text');
  const words = readTexts(own);
  if (words === undefined) return check('text', 'UNVERIFIED', 'no two different texts were read there');
  return held(
    'text',
    words.before === claim.before?.text && words.after === claim.after?.text,
    `"${words.before}" and "${words.after}" were read`,
  );
}

/** Are those the colours? */
export function colorCheck(claim: Claim, evidence: SceneEvidence): Check {
  const measured = (['before', 'after'] as const).map((side) => {
    const own = observedAt(claim[side]?.region ?? claim.after?.region ?? claim.before?.region, evidence);
    return { claimed: claim[side]?.color, color: own?.color[side] };
  });
  if (measured.some(({ color }) => color === undefined)) return nowhere('color');
  return held(
    'color',
    measured.every(({ claimed, color = '' }) => claimed === undefined || colourStep(claimed, color) <= COLOUR_STEP),
    `measured ${measured.map(({ color }) => color).join(' before and ')} after`,
  );
}

/** Is it one thing, there before and here after, and is that its way? */
export function moveCheck({ before, after, shift, measures }: Claim, evidence: SceneEvidence): Check {
  const [from, to] = [observedAt(before?.region, evidence), observedAt(after?.region, evidence)];
  if (before?.region === undefined || after?.region === undefined || shift === undefined || !from || !to)
    return held('move', false, 'a move needs two boxes with change in them, and a shift');
  const [a, b] = [centreOf(before.region), centreOf(after.region)];
  const way = { dx: b.x - a.x, dy: b.y - a.y };
  const distance = Math.hypot(way.dx, way.dy);
  const told = measures.find((m) => m.unit === 'px')?.after ?? distance;
  const apart = `the boxes are ${Math.round(way.dx)}, ${Math.round(way.dy)} px apart`;
  if (Math.hypot(way.dx - shift.dx, way.dy - shift.dy) > SHIFT_PX || Math.abs(told - distance) > SHIFT_PX)
    return held('move', false, apart);
  if (from === to) {
    const { before: then, after: now } = from.object;
    if (then === undefined || now === undefined)
      return check('move', 'UNVERIFIED', 'the detector does not see the thing on both sides');
    const off = (box: Region, seen: Region) => {
      const [p, q] = [centreOf(box), centreOf(seen)];
      return Math.hypot(p.x - q.x, p.y - q.y);
    };
    const near = off(before.region, then.region) < distance / 2 && off(after.region, now.region) < distance / 2;
    return held('move', near && then.label === now.label, `${apart}; the detector sees the thing at both`);
  }
  const alike = cosine(from.embedding.before, to.embedding.after);
  return held(
    'move',
    holdingSide(from) === -1 && holdingSide(to) === 1 && alike > SAME_LOOK,
    `${apart}; what was in the one and what is in the other look alike to ${alike.toFixed(2)}`,
  );
}

/** Is there a thing in the place on both sides, of another look, or of the same in another colour? */
export function lookCheck(claim: Claim, evidence: SceneEvidence): Check {
  const own = observed(claim, evidence);
  if (own === undefined) return nowhere('look');
  const side = holdingSide(own);
  if (side !== 0) return held('look', false, `${sideWords(own)} ${side > 0 ? 'after' : 'before'}`);
  const alike = cosine(own.embedding.before, own.embedding.after);
  const { before, after } = own.object;
  // A detector that missed the thing on one side gives it no other name.
  const renamed = before !== undefined && after !== undefined && before.label !== after.label;
  const recoloured = !renamed && alike > SAME_LOOK && colourStep(own.color.before, own.color.after) >= SEEN_COLOUR_STEP;
  return held(
    'look',
    claim.kind === 'RECOLORED' ? recoloured : renamed || alike <= SAME_LOOK,
    `looks agree to ${alike.toFixed(2)}, colours are ${own.color.before} and ${own.color.after}`,
  );
}
