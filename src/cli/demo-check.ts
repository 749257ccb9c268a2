import type { DemoTruth, TrueEvent } from '../../fixtures/truth.js';
import { iou, overlapOfSmaller, unionOf } from '../pixels/geometry.js';
import type { ChangeEvent } from '../records/index.js';

/** What was told, held against what was drawn. */
export interface Telling {
  /** What happened, each with the event that tells it. */
  readonly told: readonly { readonly what: string; readonly event: ChangeEvent }[];
  /** What happened, or disturbed the picture, and was not told. */
  readonly missed: readonly string[];
  /** Changes, as last told, of what never happened. Conditions are left aside: they say that nothing changed. */
  readonly madeUp: readonly ChangeEvent[];
}

/** A box must overlap the true one by this much (intersection over union), that of a passing thing by half of it. */
const LEAST_IOU = 0.5;
const LEAST_PASSING = 0.5;
/** Frames by which an event may begin or end beside the true interval. */
const BESIDE_FRAMES = 12;

/** @param changes each as its revisions */
export function checkTelling(truth: DemoTruth, changes: readonly (readonly ChangeEvent[])[]): Telling {
  const events = changes.flat();
  const told: { what: string; event: ChangeEvent }[] = [];
  const missed: string[] = [];
  for (const one of truth.events) {
    const event = events.find((candidate) => tells(candidate, one));
    if (event === undefined) missed.push(one.what);
    else told.push({ what: one.what, event });
  }
  for (const { cause } of truth.conditions) {
    if (!events.some(({ condition }) => condition === cause)) missed.push(`the condition ${cause}`);
  }
  const isTrue = (event: ChangeEvent) => truth.events.some((one) => tells(event, one));
  const madeUp = changes.filter((revisions) => revisions[0].kind !== 'CONDITION' && !revisions.some(isTrue));
  return { told, missed, madeUp: madeUp.map((revisions) => revisions[revisions.length - 1]) };
}

function tells(event: ChangeEvent, one: TrueEvent): boolean {
  const { first, last } = event.interval;
  // A reversal ends its change: its moment is the end of the interval, and what is back stands where it stood.
  const back = event.kind === 'DISAPPEARED' && event.phase === 'ENDED';
  const from = back ? last.frame : first.frame;
  const inTime = last.frame >= one.firstFrame - BESIDE_FRAMES && from <= one.lastFrame + BESIDE_FRAMES;
  const kind = back ? 'APPEARED' : event.kind;
  if (kind !== one.kind || !inTime || !wordsAre(event, one)) return false;
  const boxes = [event.before?.region, event.after?.region].filter((region) => region !== undefined);
  if (boxes.length === 0) return false;
  if (one.kind === 'ACTIVITY') return overlapOfSmaller(unionOf(boxes), one.region) >= LEAST_PASSING;
  return boxes.some((box) => iou(box, one.region) >= LEAST_IOU);
}

const wordsAre = (event: ChangeEvent, { textBefore, textAfter }: TrueEvent): boolean =>
  (textBefore === undefined || event.before?.text === textBefore) &&
  (textAfter === undefined || event.after?.text === textAfter);
