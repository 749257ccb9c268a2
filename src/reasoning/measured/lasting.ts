import type { ObservedRegion, SceneEvidence } from '../../evidence/scene.js';
import { cosine } from '../../evidence/embedding.js';
import { areaOf, centreOf, iou } from '../../pixels/geometry.js';
import type { ChangeKind, DetectedObject, Measure, Region } from '../../records/index.js';
import type { Claim } from '../claim.js';
import { capital, directionOf, nameAmong, numberWord, placeOf, plural, withArticle } from './words.js';

/** Outlines differ by this share before one side is said to hold the thing: (after - before) / (after + before). */
export const OUTLINE_SHARE = 0.1;
/** A reading that the recogniser is less sure of is no text. */
export const READ_CONFIDENCE = 0.6;
/** A part of an unchanged thing (a reflection, a lid that was turned) is smaller than this share of it. */
const PART_OF_THING = 0.3;
/** The same thing in another place: look and size must agree this well. */
const SAME_LOOK = 0.6;
/** Least share of the picture, and least difference over its threshold, of a change that the gate did not see. */
const CREPT_SHARE = 0.003;
const CREPT_SCORE = 2;
const MOVE_PAUSE_MS = 2_000;

/** Claims about what is different for good between the scene before and after. */
export function lastingClaims(evidence: SceneEvidence): Claim[] {
  const certain = evidence.regions.filter((region) => isCertain(region, evidence));
  const single = certain.flatMap((region) => classify(region, evidence) ?? []);
  return pairMoves(single, evidence).map(({ claim }) => claim);
}

/**
 * What the gate saw coming to rest is certain. What only the comparison shows crept in, or is what light and compression
 * leave over: it must be larger and stand out more.
 */
function isCertain(region: ObservedRegion, evidence: SceneEvidence): boolean {
  const { width, height } = sizeOf(evidence);
  return region.intervalMeasured || (region.areaPx >= CREPT_SHARE * width * height && region.score >= CREPT_SCORE);
}

interface Classified {
  readonly claim: Claim;
  readonly region: ObservedRegion;
  readonly kind: ChangeKind;
  readonly object: DetectedObject | undefined;
}

/** Which side holds the thing, by its outline: 1 after, -1 before, 0 both or neither. */
export function outlineSide(region: {
  readonly outline: { readonly before: number; readonly after: number };
}): -1 | 0 | 1 {
  const { before, after } = region.outline;
  const share = (after - before) / Math.max(1, after + before);
  return share > OUTLINE_SHARE ? 1 : share < -OUTLINE_SHARE ? -1 : 0;
}

const normal = (text: string): string => text.replace(/\s+/g, ' ').trim();

export const readable = (region: ObservedRegion): { before: string; after: string } | undefined => {
  const { before, after } = region.text;
  if (before === undefined || after === undefined) return undefined;
  if (Math.min(before.confidence, after.confidence) < READ_CONFIDENCE) return undefined;
  const texts = { before: normal(before.text), after: normal(after.text) };
  return texts.before !== texts.after && texts.before !== '' && texts.after !== '' ? texts : undefined;
};

function classify(region: ObservedRegion, evidence: SceneEvidence): Classified | undefined {
  const { before, after } = region.object;
  const words = readable(region);
  if (words !== undefined) return textChanged(region, words, evidence);
  if (before !== undefined && after === undefined) return gone(region, before, evidence);
  if (after !== undefined && before === undefined) return appeared(region, after, evidence);
  if (before !== undefined && after !== undefined) {
    if (before.label !== after.label) return replaced(region, before, after, evidence);
    // The thing is there on both sides: a small part of it that looks different is a reflection or a turn.
    if (region.areaPx < PART_OF_THING * areaOf(after.region)) return undefined;
    const way = {
      dx: centreOf(after.region).x - centreOf(before.region).x,
      dy: centreOf(after.region).y - centreOf(before.region).y,
    };
    if (Math.hypot(way.dx, way.dy) > 0.2 * Math.sqrt(areaOf(after.region)))
      return moved(region, before, after, way, evidence);
    return changedLook(region, after, evidence);
  }
  const side = outlineSide(region);
  if (side > 0) return appeared(region, undefined, evidence);
  if (side < 0) return gone(region, undefined, evidence);
  return changedLook(region, undefined, evidence);
}

const sizeWords = (r: Region): string => `about ${Math.round(r.width)} × ${Math.round(r.height)} px`;

const sizeOf = (evidence: SceneEvidence) => evidence.sequence.frames[0].ref;

function base(region: ObservedRegion): Pick<Claim, 'interval' | 'ongoing' | 'identity'> {
  return { interval: region.interval, ongoing: false, identity: {} };
}

const areaMeasure = (region: ObservedRegion): Measure => ({ name: 'changed area', unit: 'px²', after: region.areaPx });

const outlineMeasure = (region: ObservedRegion): Measure => ({
  name: 'outline contrast',
  unit: 'grey levels',
  before: round(region.outline.before),
  after: round(region.outline.after),
});

const round = (value: number): number => Math.round(value * 100) / 100;

const labelled = (objects: readonly DetectedObject[], label: string): Region[] =>
  objects.filter((o) => o.label === label).map((o) => o.region);

const countMeasure = (label: string, evidence: SceneEvidence): Measure => ({
  name: `${plural(label)} in the picture`,
  unit: 'count',
  before: labelled(evidence.objects.before, label).length,
  after: labelled(evidence.objects.after, label).length,
});

function appeared(region: ObservedRegion, object: DetectedObject | undefined, evidence: SceneEvidence): Classified {
  const box = object?.region ?? region.region;
  const place = placeOf(box, sizeOf(evidence));
  const label = object?.label ?? 'object';
  const now = object ? labelled(evidence.objects.after, label) : [];
  const counted = now.length > 1 ? `; there are ${numberWord(now.length)} ${plural(label)} now` : '';
  const what = object ? withArticle(label) : `an object of ${sizeWords(box)}`;
  return {
    region,
    object,
    kind: 'APPEARED',
    claim: {
      ...base(region),
      kind: 'APPEARED',
      subject: {
        label,
        description: object ? (nameAmong(label, object.region, now) ?? `${label} ${place}`) : `object ${place}`,
        confidence: object?.confidence ?? 0,
      },
      statement: `${capital(what)} appeared ${place}${counted}.`,
      after: { region: box, color: region.color.after },
      measures: [areaMeasure(region), outlineMeasure(region), ...(object ? [countMeasure(label, evidence)] : [])],
      identity: { embedding: [...region.embedding.after] },
    },
  };
}

function gone(region: ObservedRegion, object: DetectedObject | undefined, evidence: SceneEvidence): Classified {
  const box = object?.region ?? region.region;
  const place = placeOf(box, sizeOf(evidence));
  const label = object?.label ?? 'object';
  const then = object ? labelled(evidence.objects.before, label) : [];
  const left = object ? labelled(evidence.objects.after, label).length : 0;
  const among = object ? nameAmong(label, object.region, then) : undefined;
  const what = object ? `the ${among ?? `${label} ${place}`}` : `the object of ${sizeWords(box)} ${place}`;
  const counted =
    then.length > 1 ? `; ${left === 0 ? 'none is' : left === 1 ? 'one is' : `${numberWord(left)} are`} left` : '';
  return {
    region,
    object,
    kind: 'DISAPPEARED',
    claim: {
      ...base(region),
      kind: 'DISAPPEARED',
      subject: { label, description: among ?? `${label} ${place}`, confidence: object?.confidence ?? 0 },
      statement: `${capital(what)} is gone${counted}.`,
      before: { region: box, color: region.color.before },
      measures: [areaMeasure(region), outlineMeasure(region), ...(object ? [countMeasure(label, evidence)] : [])],
      identity: { embedding: [...region.embedding.before] },
    },
  };
}

function textChanged(
  region: ObservedRegion,
  words: { before: string; after: string },
  evidence: SceneEvidence,
): Classified {
  const before = region.text.before?.region ?? region.region;
  const after = region.text.after?.region ?? region.region;
  const place = placeOf(after, sizeOf(evidence));
  return {
    region,
    object: undefined,
    kind: 'TEXT_CHANGED',
    claim: {
      ...base(region),
      kind: 'TEXT_CHANGED',
      subject: {
        label: 'text',
        description: `text ${place}`,
        confidence: Math.min(region.text.before?.confidence ?? 0, region.text.after?.confidence ?? 0),
      },
      statement: `The text "${words.before}" ${place} changed to "${words.after}".`,
      before: { region: before, text: words.before, color: region.color.before },
      after: { region: after, text: words.after, color: region.color.after },
      measures: [areaMeasure(region)],
    },
  };
}

function replaced(
  region: ObservedRegion,
  before: DetectedObject,
  after: DetectedObject,
  evidence: SceneEvidence,
): Classified {
  const place = placeOf(after.region, sizeOf(evidence));
  return {
    region,
    object: after,
    kind: 'REPLACED',
    claim: {
      ...base(region),
      kind: 'REPLACED',
      subject: { label: after.label, description: `${after.label} ${place}`, confidence: after.confidence },
      statement: `The ${before.label} ${place} was replaced by ${withArticle(after.label)}.`,
      before: { region: before.region, color: region.color.before },
      after: { region: after.region, color: region.color.after },
      measures: [areaMeasure(region)],
    },
  };
}

function moved(
  region: ObservedRegion,
  before: { readonly label: string; readonly region: Region; readonly confidence: number },
  after: { readonly region: Region },
  way: { readonly dx: number; readonly dy: number },
  evidence: SceneEvidence,
): Classified {
  const picture = sizeOf(evidence);
  const distance = Math.round(Math.hypot(way.dx, way.dy));
  return {
    region,
    object: undefined,
    kind: 'MOVED',
    claim: {
      ...base(region),
      kind: 'MOVED',
      subject: {
        label: before.label,
        description: `${before.label} ${placeOf(before.region, picture)}`,
        confidence: before.confidence,
      },
      statement: `The ${before.label} ${placeOf(before.region, picture)} moved ${distance} px ${directionOf(way.dx, way.dy)}.`,
      before: { region: before.region, color: region.color.before },
      after: { region: after.region, color: region.color.after },
      shift: { dx: round(way.dx), dy: round(way.dy) },
      measures: [{ name: 'distance moved', unit: 'px', after: distance }],
    },
  };
}

/** Something is in its place on both sides, or nothing is, and it looks different. */
function changedLook(region: ObservedRegion, object: DetectedObject | undefined, evidence: SceneEvidence): Classified {
  const box = object?.region ?? region.region;
  const place = placeOf(box, sizeOf(evidence));
  const label = object?.label ?? 'object';
  const alike = cosine(region.embedding.before, region.embedding.after);
  const kind = alike > SAME_LOOK ? 'RECOLORED' : 'REPLACED';
  const what = object ? `The ${label} ${place}` : `A part of the scene of ${sizeWords(box)} ${place}`;
  const how =
    kind === 'RECOLORED'
      ? `changed its colour from ${region.color.before} to ${region.color.after}`
      : 'was replaced by something that looks different';
  return {
    region,
    object,
    kind,
    claim: {
      ...base(region),
      kind,
      subject: { label, description: `${label} ${place}`, confidence: object?.confidence ?? 0 },
      statement: `${what} ${how}.`,
      before: { region: box, color: region.color.before },
      after: { region: box, color: region.color.after },
      measures: [areaMeasure(region), { name: 'likeness of look', unit: 'cosine', after: round(alike) }],
    },
  };
}

/** What is gone here and appeared there at the same time, looking the same, moved. */
function pairMoves(found: readonly Classified[], evidence: SceneEvidence): Classified[] {
  const rest = [...found];
  const pairs = found
    .filter((a) => a.kind === 'DISAPPEARED')
    .flatMap((a) =>
      found
        .filter((b) => b.kind === 'APPEARED' && isSame(a, b))
        .map((b) => ({ a, b, likeness: cosine(a.region.embedding.before, b.region.embedding.after) })),
    )
    .sort((x, y) => y.likeness - x.likeness);
  for (const { a, b } of pairs) {
    if (!rest.includes(a) || !rest.includes(b)) continue;
    rest.splice(rest.indexOf(a), 1);
    const from = a.object?.region ?? a.region.region;
    const to = b.object?.region ?? b.region.region;
    const way = { dx: centreOf(to).x - centreOf(from).x, dy: centreOf(to).y - centreOf(from).y };
    const thing = { label: a.object?.label ?? 'object', region: from, confidence: a.object?.confidence ?? 0 };
    const interval = {
      first:
        a.region.interval.first.frame <= b.region.interval.first.frame
          ? a.region.interval.first
          : b.region.interval.first,
      last:
        a.region.interval.last.frame >= b.region.interval.last.frame ? a.region.interval.last : b.region.interval.last,
    };
    rest[rest.indexOf(b)] = moved({ ...b.region, interval }, thing, { region: to }, way, evidence);
  }
  return rest;
}

function isSame(a: Classified, b: Classified): boolean {
  const [x, y] = [a.object?.region ?? a.region.region, b.object?.region ?? b.region.region];
  const sizes = areaOf(x) / areaOf(y);
  const [p, q] = [a.region.interval, b.region.interval];
  const pause = Math.max(p.first.elapsedMs, q.first.elapsedMs) - Math.min(p.last.elapsedMs, q.last.elapsedMs);
  return (
    a.object?.label === b.object?.label &&
    iou(x, y) < 0.5 &&
    sizes > 0.5 &&
    sizes < 2 &&
    pause <= MOVE_PAUSE_MS &&
    cosine(a.region.embedding.before, b.region.embedding.after) > SAME_LOOK
  );
}
