import { cosine } from '../../evidence/embedding.js';
import type { ObservedRegion, SceneEvidence } from '../../evidence/scene.js';
import { colourName } from '../../pixels/colour.js';
import { centreOf, roundedRegion, unionOf } from '../../pixels/geometry.js';
import type { DetectedObject, Measure, Region, TextLine } from '../../records/index.js';
import type { Claim } from '../claim.js';
import { sceneryOf } from './scenery.js';
import { capital, directionOf, isPair, nameAmong, numberWord, placeOf, plural, withArticle } from './words.js';

/** A region, and the thing that the detector sees in it. */
export interface Seen {
  readonly region: ObservedRegion;
  readonly object?: DetectedObject;
}

/** "A bottle appeared at the left; there are three bottles now." */
export function appearedClaim(region: ObservedRegion, evidence: SceneEvidence): Claim {
  const object = region.object.after;
  const box = boxOf(region, object);
  const place = placeOf(box, sceneryOf(evidence));
  const now = object ? labelled(evidence.objects.after, object.label) : [];
  const what = object ? withArticle(object.label) : `an object of ${sizeWords(box)}`;
  const counted = object && now.length > 1 ? `; there are ${numberWord(now.length)} ${plural(object.label)} now` : '';
  return {
    ...at(region),
    kind: 'APPEARED',
    subject: subjectOf(object, (object && nameAmong(object.label, object.region, now)) ?? nameAt(object, place)),
    statement: `${capital(what)} appeared ${place}${counted}.`,
    after: { region: box, color: region.color.after },
    measures: [areaMeasure(region), outlineMeasure(region), ...countMeasures(object, evidence)],
    identity: { embedding: [...region.embedding.after] },
  };
}

/** "The left of three bottles is gone; two are left." */
export function goneClaim(region: ObservedRegion, evidence: SceneEvidence): Claim {
  const object = region.object.before;
  const box = boxOf(region, object);
  const place = placeOf(box, sceneryOf(evidence));
  const then = object ? labelled(evidence.objects.before, object.label) : [];
  const left = object ? labelled(evidence.objects.after, object.label).length : 0;
  const among = object && nameAmong(object.label, object.region, then);
  const what = object ? `the ${among ?? nameAt(object, place)}` : `the object of ${sizeWords(box)} ${place}`;
  const are = object && among === undefined && isPair(object.label) ? 'are' : 'is';
  const remain = left === 0 ? 'none is left' : left === 1 ? 'one is left' : `${numberWord(left)} are left`;
  return {
    ...at(region),
    kind: 'DISAPPEARED',
    subject: subjectOf(object, among ?? nameAt(object, place)),
    statement: `${capital(what)} ${are} gone${among === undefined ? '' : `; ${remain}`}.`,
    before: { region: box, color: region.color.before },
    measures: [areaMeasure(region), outlineMeasure(region), ...countMeasures(object, evidence)],
    identity: { embedding: [...region.embedding.before] },
  };
}

/** `The text at the top changed from "OPEN" to "CLOSED".` */
export function textClaim(
  region: ObservedRegion,
  words: { readonly before: string; readonly after: string },
  evidence: SceneEvidence,
): Claim {
  // A line is wider than the letters of it that changed, and a sign that was turned is larger than its line.
  const around = (line: TextLine | undefined) =>
    roundedRegion(line === undefined ? region.region : unionOf([region.region, line.region]));
  const [before, after] = [around(region.text.before), around(region.text.after)];
  const place = placeOf(after, sceneryOf(evidence));
  const confidence = Math.min(region.text.before?.confidence ?? 0, region.text.after?.confidence ?? 0);
  return {
    ...at(region),
    kind: 'TEXT_CHANGED',
    subject: { label: 'text', description: `text ${place}`, confidence },
    statement: `The text ${place} changed from "${words.before}" to "${words.after}".`,
    before: { region: before, text: words.before, color: region.color.before },
    after: { region: after, text: words.after, color: region.color.after },
    measures: [areaMeasure(region)],
  };
}

/** "The cup at the left was replaced by a bottle." */
export function replacedClaim(region: ObservedRegion, evidence: SceneEvidence): Claim {
  const { before, after } = region.object;
  const [from, to] = [boxOf(region, before ?? after), boxOf(region, after ?? before)];
  const place = placeOf(from, sceneryOf(evidence));
  const what = before ? nameAt(before, place) : `object of ${sizeWords(from)} ${place}`;
  const by = after === undefined || before?.label === after.label ? 'another' : withArticle(after.label);
  const were = before && isPair(before.label) ? 'were' : 'was';
  return {
    ...at(region),
    kind: 'REPLACED',
    subject: subjectOf(after, nameAt(after, place)),
    statement: `The ${what} ${were} replaced by ${by}.`,
    before: { region: from, color: region.color.before },
    after: { region: to, color: region.color.after },
    measures: [areaMeasure(region), likenessMeasure(region)],
  };
}

/** "The car at the left turned from red to blue." */
export function recoloredClaim(region: ObservedRegion, evidence: SceneEvidence): Claim {
  const after = region.object.after ?? region.object.before;
  const box = boxOf(region, after);
  const place = placeOf(box, sceneryOf(evidence));
  const [from, to] = [colourName(region.color.before), colourName(region.color.after)];
  const how = from === to ? `turned another shade of ${to}` : `turned from ${from} to ${to}`;
  return {
    ...at(region),
    kind: 'RECOLORED',
    subject: subjectOf(after, nameAt(after, place)),
    statement: `The ${after ? nameAt(after, place) : `object of ${sizeWords(box)} ${place}`} ${how}.`,
    before: { region: box, color: region.color.before },
    after: { region: box, color: region.color.after },
    measures: [areaMeasure(region), likenessMeasure(region)],
  };
}

/** "The chair in the middle moved 120 px to the right." */
export function movedClaim(from: Seen, to: Seen, interval: Claim['interval'], evidence: SceneEvidence): Claim {
  const [before, after] = [boxOf(from.region, from.object), boxOf(to.region, to.object)];
  const [a, b] = [centreOf(before), centreOf(after)];
  const shift = { dx: b.x - a.x, dy: b.y - a.y };
  const distance = Math.round(Math.hypot(shift.dx, shift.dy));
  const name = nameAt(from.object, placeOf(before, sceneryOf(evidence)));
  // In one region the colours of the thing and of what it uncovered are mixed.
  const colours = from.region === to.region ? undefined : [from.region.color.before, to.region.color.after];
  return {
    ...at(to.region),
    kind: 'MOVED',
    subject: subjectOf(from.object, name),
    statement: `The ${name} moved ${distance} px ${directionOf(shift.dx, shift.dy)}.`,
    interval,
    before: { region: before, ...(colours && { color: colours[0] }) },
    after: { region: after, ...(colours && { color: colours[1] }) },
    shift,
    measures: [{ name: 'distance moved', unit: 'px', after: distance }],
  };
}

const sizeWords = (r: Region): string => `about ${r.width} × ${r.height} px`;
const boxOf = (region: ObservedRegion, object: DetectedObject | undefined): Region =>
  roundedRegion(object?.region ?? region.region);

const nameAt = (object: DetectedObject | undefined, place: string): string => `${object?.label ?? 'object'} ${place}`;

const subjectOf = (object: DetectedObject | undefined, description: string): Claim['subject'] => ({
  label: object?.label ?? 'object',
  description,
  confidence: object?.confidence ?? 0,
});

const at = (region: ObservedRegion): Pick<Claim, 'interval' | 'ongoing' | 'identity'> => ({
  interval: region.interval,
  ongoing: false,
  identity: {},
});

const labelled = (objects: readonly DetectedObject[], label: string): Region[] =>
  objects.filter((o) => o.label === label).map((o) => o.region);

const hundredths = (value: number): number => Math.round(value * 100) / 100;

const areaMeasure = (region: ObservedRegion): Measure => ({ name: 'changed area', unit: 'px²', after: region.areaPx });

const outlineMeasure = ({ outline }: ObservedRegion): Measure => ({
  name: 'outline contrast',
  unit: 'grey levels',
  before: hundredths(outline.before),
  after: hundredths(outline.after),
});

const likenessMeasure = ({ embedding }: ObservedRegion): Measure => ({
  name: 'likeness of look',
  unit: 'cosine',
  after: hundredths(cosine(embedding.before, embedding.after)),
});

const countMeasures = (object: DetectedObject | undefined, { objects }: SceneEvidence): Measure[] =>
  object === undefined
    ? []
    : [
        {
          name: `${plural(object.label)} in the picture`,
          unit: 'count',
          before: labelled(objects.before, object.label).length,
          after: labelled(objects.after, object.label).length,
        },
      ];
