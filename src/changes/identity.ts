import { cosine, SAME_LOOK } from '../evidence/embedding.js';
import { colourStep } from '../pixels/colour.js';
import { iou, overlapOfSmaller } from '../pixels/geometry.js';
import type { Finding, Region } from '../records/index.js';
import { capital, lasting } from '../reasoning/measured/words.js';

/** Colours of one thing in one state differ by less in each channel, 0–255. */
const SAME_COLOUR = 24;
/** Two accounts of one change begin no further apart than this, ms. */
const SAME_MOMENT_MS = 2_000;

export const boxOf = (finding: Pick<Finding, 'before' | 'after'>): Region | undefined =>
  finding.after?.region ?? finding.before?.region;

/** Whether two boxes are one place: a thing that is put back stands a little beside where it stood. */
export const samePlace = (a: Region | undefined, b: Region | undefined): boolean =>
  a !== undefined && b !== undefined && (iou(a, b) >= 0.3 || overlapOfSmaller(a, b) >= 0.7);

/** Whether two findings tell of one and the same change. */
export function isSameChange(known: Finding, found: Finding): boolean {
  if (known.kind !== found.kind || !samePlace(boxOf(known), boxOf(found))) return false;
  return Math.abs(known.interval.first.elapsedMs - found.interval.first.elapsedMs) <= SAME_MOMENT_MS;
}

/** Whether two counts are of one crowd, which wanders and grows. */
export const isSameCount = (known: Finding, found: Finding): boolean =>
  known.kind === 'COUNT_CHANGED' &&
  found.kind === 'COUNT_CHANGED' &&
  known.subject.label === found.subject.label &&
  samePlace(known.after?.region ?? known.before?.region, found.before?.region ?? found.after?.region);

/** Whether labels may name one thing: a thing without a name may be anything. */
export const mayBe = (a: Pick<Finding, 'subject'>, b: Pick<Finding, 'subject'>): boolean =>
  a.subject.label === b.subject.label || a.subject.confidence === 0 || b.subject.confidence === 0;

function looksAlike(a: Finding, b: Finding): boolean {
  const [x, y] = [a.identity.embedding, b.identity.embedding];
  if (x === undefined || y === undefined || x.length !== y.length) return true;
  return cosine(x, y) >= SAME_LOOK;
}

/**
 * The known change as ended by `found`, if that takes it back: what was gone is back, what had come is gone, words,
 * colours and places are as before. Undefined where it does not.
 */
export function reversalOf(known: Finding, found: Finding): Finding | undefined {
  if (!samePlace(boxOf(known), boxOf(found)) || !mayBe(known, found)) return undefined;
  const interval = { first: known.interval.first, last: found.interval.last };
  const after = lasting(found.interval.first.elapsedMs - known.interval.first.elapsedMs);
  const name = known.subject.description;
  const ended = (statement: string): Finding => ({
    ...known,
    statement: capital(statement),
    interval,
    pictures: found.pictures,
    verification: found.verification,
  });
  if (known.kind === 'DISAPPEARED' && found.kind === 'APPEARED' && looksAlike(known, found)) {
    return { ...ended(`the ${name} is back after ${after}.`), ...(found.after && { after: found.after }) };
  }
  if (known.kind === 'APPEARED' && found.kind === 'DISAPPEARED' && looksAlike(known, found)) {
    return ended(`the ${name} is gone again after ${after}.`);
  }
  if (known.kind !== found.kind) return undefined;
  if (known.kind === 'TEXT_CHANGED' && known.before?.text === found.after?.text) {
    return {
      ...ended(`the ${name} reads "${found.after?.text ?? ''}" again after ${after}.`),
      ...(found.after && { after: found.after }),
    };
  }
  if (known.kind === 'RECOLORED' && sameColour(known.before?.color, found.after?.color)) {
    return {
      ...ended(`the ${name} has its old colour again after ${after}.`),
      ...(found.after && { after: found.after }),
    };
  }
  if (known.kind === 'MOVED' && iou(known.before?.region ?? nowhere, found.after?.region ?? nowhere) >= 0.5) {
    return ended(`the ${name} is back in its place after ${after}.`);
  }
  return undefined;
}

const sameColour = (a: string | undefined, b: string | undefined): boolean =>
  a !== undefined && b !== undefined && colourStep(a, b) < SAME_COLOUR;

const nowhere: Region = { x: 0, y: 0, width: 0, height: 0 };
