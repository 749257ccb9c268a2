import { pictureOf } from '../pixels/content.js';
import { areaOf, grownBy, iou, overlapOfSmaller, shareIn } from '../pixels/geometry.js';
import { toRgb8 } from '../pixels/rgb8.js';
import {
  type DetectedObject,
  type FrameRef,
  type FrameSequence,
  type Lease,
  type PictureU8,
  type Region,
  type SequenceFrame,
  type TextLine,
} from '../records/index.js';
import type { ChangedRegion } from './changed-region.js';
import { compareScenes, type SceneComparison } from './comparison.js';
import { conditionSpans, type ConditionSpan } from './condition-spans.js';
import { crowdsOf, isLiving, mayBeCrowd, type Crowd } from './crowds.js';
import { embed } from './embedding.js';
import { decidedObjects, HEARD_CONFIDENCE } from './decided.js';
import { alike, boundsOf, intervalOf, type ChangeInterval } from './interval.js';
import type { Models } from './models.js';
import { INPUT_PX } from './nanodet.js';
import { detectObjects } from './objects.js';
import { observedTracks, type ObservedTrack } from './observed-tracks.js';
import { readText } from './text.js';

/** A frame and its pixels. */
export interface Shot {
  readonly ref: FrameRef;
  readonly picture: PictureU8;
  /** In which light the gate saw it; absent where none has looked. */
  readonly illumination?: number | undefined;
}

/** A changed region with what the models see in it on both sides. */
export interface ObservedRegion extends ChangedRegion {
  readonly interval: ChangeInterval;
  /** Whether the interval was measured by the gate, or only bounded by the frames compared. */
  readonly intervalMeasured: boolean;
  /** Whether the gate saw it come to rest there, and is sure that it is no light. */
  readonly settledAsThing: boolean;
  readonly object: { readonly before?: DetectedObject; readonly after?: DetectedObject };
  readonly text: { readonly before?: TextLine; readonly after?: TextLine };
  readonly embedding: { readonly before: Float32Array; readonly after: Float32Array };
}

export interface NamedTrack extends ObservedTrack {
  readonly shot?: Shot;
  readonly object?: DetectedObject;
}

/** All that was measured of one sequence of a scene. */
export interface SceneEvidence {
  readonly sequence: FrameSequence;
  readonly before?: Shot;
  readonly after?: Shot;
  readonly comparison?: SceneComparison;
  readonly regions: readonly ObservedRegion[];
  readonly objects: { readonly before: readonly DetectedObject[]; readonly after: readonly DetectedObject[] };
  readonly crowds: readonly Crowd[];
  readonly tracks: readonly NamedTrack[];
  readonly conditions: readonly ConditionSpan[];
}

/** Words are looked for in so many regions at most, the largest first: reading costs about 100 ms a side. */
const READ_REGIONS = 6;
/** A thing that moved must have got this far, in its own size, before a model is asked what it is. */
export const LEAST_TRAVEL = 0.5;
/** A changed region shows a part of an object, or more than it; what moves is boxed by itself, and things stand behind it. */
const OBJECT_OVERLAP = 0.3;
const MOVER_OVERLAP = 0.4;

/**
 * Measures a sequence: the scene before against the scene after, what moved, what disturbed the picture. Models look only
 * at keyframes and at changed regions.
 */
export async function observeScene(
  sequence: FrameSequence,
  models: Models,
  signal: AbortSignal,
): Promise<SceneEvidence> {
  const shots = (role: SequenceFrame['role']) =>
    Promise.all(sequence.frames.filter((f) => f.role === role && f.lease !== undefined).map(shotOf));
  const baseline = sequence.baseline?.lease === undefined ? [] : [await shotOf(sequence.baseline)];
  const before = sequence.trigger === 'settled' ? baseline : await shots('before');
  const after = await shots('after');
  signal.throwIfAborted();
  const tracks = await nameTracks(observedTracks(sequence), models, signal);
  const conditions = conditionSpans(sequence);
  const first = before.at(-1);
  const last = after.at(-1);
  if (first === undefined || last === undefined || !sameSize(before, after)) {
    return { sequence, regions: [], objects: { before: [], after: [] }, crowds: [], tracks, conditions };
  }
  const comparison = compareScenes(
    before.map((shot) => shot.picture),
    after.map((shot) => shot.picture),
    ignoredParts(sequence),
    { zones: sequence.zones, within: acrossLights(before, after, sequence) },
  );
  const objects = { before: [] as DetectedObject[], after: [] as DetectedObject[] };
  // Those who move in the very frames that are compared leave no changed region.
  const livingMoved = tracks.some(({ object }) => object !== undefined && isLiving(object.label));
  if (comparison.regions.length > 0 || livingMoved) {
    objects.before = await namedObjects(models, first.picture);
    signal.throwIfAborted();
    objects.after = await namedObjects(models, last.picture);
  }
  const crowds = await countedCrowds([before, after], objects, models, signal);
  const regions: ObservedRegion[] = [];
  const joined = joinByObjects(comparison.regions, objects, comparison);
  const largest = [...joined].sort((a, b) => b.areaPx - a.areaPx).slice(0, READ_REGIONS);
  for (const region of joined) {
    signal.throwIfAborted();
    regions.push(
      await observeRegion(region, { sequence, first, last, objects, models, read: largest.includes(region) }),
    );
  }
  return { sequence, before: first, after: last, comparison, regions, objects, crowds, tracks, conditions };
}

async function shotOf(frame: SequenceFrame<Lease>): Promise<Shot> {
  const content = frame.lease?.content();
  if (content === undefined) throw new RangeError(`frame ${frame.ref.index} has no pixels`);
  return {
    ref: frame.ref,
    picture: toRgb8(await pictureOf(content)),
    illumination: frame.evidence?.illumination,
  };
}

const sameSize = (before: readonly Shot[], after: readonly Shot[]): boolean =>
  new Set([...before, ...after].map(({ picture }) => `${picture.width}x${picture.height}`)).size === 1;

/**
 * In another light, by night or with a lamp on, materials look otherwise: only what the gate has seen coming to rest is
 * held against what was there. Undefined where the light is one.
 */
function acrossLights(
  before: readonly Shot[],
  after: readonly Shot[],
  { settled }: FrameSequence,
): readonly Region[] | undefined {
  const lights = new Set([...before, ...after].map(({ illumination }) => illumination));
  lights.delete(undefined);
  return lights.size > 1 ? settled.flatMap(({ region, mayBeLight }) => (mayBeLight ? [] : region)) : undefined;
}

/** Overlays, what never rests, and what moves in the very frames that are compared. */
function ignoredParts(sequence: FrameSequence): Region[] {
  const compared = sequence.frames.filter((f) => f.role === 'before' || f.role === 'after');
  const moving = [...compared, ...(sequence.baseline ? [sequence.baseline] : [])];
  const { overlays = [], restless = [] } = sequence.frames.at(-1)?.evidence ?? {};
  return [...overlays, ...restless, ...moving.flatMap((f) => f.evidence?.tracks.map((track) => track.region) ?? [])];
}

const namedObjects = async (models: Models, picture: PictureU8): Promise<DetectedObject[]> =>
  decidedObjects(await detectObjects(models, picture, { minConfidence: HEARD_CONFIDENCE }));

/** Counts in every picture of both sides, where there may be a crowd. */
async function countedCrowds(
  [before, after]: readonly [readonly Shot[], readonly Shot[]],
  objects: SceneEvidence['objects'],
  models: Models,
  signal: AbortSignal,
): Promise<Crowd[]> {
  if (!mayBeCrowd(objects.before) && !mayBeCrowd(objects.after)) return [];
  const seenIn = async (shots: readonly Shot[], last: readonly DetectedObject[]) => {
    const seen: (readonly DetectedObject[])[] = [];
    for (const { picture } of shots.slice(0, -1)) {
      signal.throwIfAborted();
      seen.push(await namedObjects(models, picture));
    }
    return [...seen, last];
  };
  return crowdsOf(await seenIn(before, objects.before), await seenIn(after, objects.after));
}

/** Names what moves by the frame that shows it best; one look at a frame serves everything that it shows. */
async function nameTracks(
  observed: readonly ObservedTrack[],
  models: Models,
  signal: AbortSignal,
): Promise<NamedTrack[]> {
  const looks = new Map<number, { readonly shot: Shot; readonly seen: DetectedObject[] }>();
  const tracks: NamedTrack[] = [];
  for (const track of observed) {
    if (track.keyframe === undefined || track.travel < LEAST_TRAVEL) {
      tracks.push(track);
      continue;
    }
    signal.throwIfAborted();
    const { index } = track.keyframe.ref;
    let look = looks.get(index);
    if (look === undefined) {
      const shot = await shotOf(track.keyframe);
      look = { shot, seen: await detectObjects(models, shot.picture, { minConfidence: HEARD_CONFIDENCE }) };
      looks.set(index, look);
    }
    const { shot, seen } = look;
    const object = await moverAt(seen, shot.picture, track.bestRegion, models);
    tracks.push({ ...track, shot, ...(object && { object }) });
  }
  return tracks;
}

/** What moves there; where the whole picture is too coarse to show anything, by a closer look. */
async function moverAt(
  seen: readonly DetectedObject[],
  picture: PictureU8,
  region: Region,
  models: Models,
): Promise<DetectedObject | undefined> {
  const there = (objects: readonly DetectedObject[]) => objects.filter((o) => iou(o.region, region) >= MOVER_OVERLAP);
  const coarse = Math.max(picture.width, picture.height) > INPUT_PX;
  const closer =
    there(seen).length > 0 || !coarse
      ? seen
      : await detectObjects(models, picture, { region, minConfidence: HEARD_CONFIDENCE });
  return there(decidedObjects(closer)).at(0);
}

/** The object that a box means: best by overlap, which must reach `OBJECT_OVERLAP`. */
function bestAt(objects: readonly DetectedObject[], region: Region): DetectedObject | undefined {
  const by = (o: DetectedObject) =>
    Math.max(iou(o.region, region), 0.8 * overlapOfSmaller(o.region, region) * alike(o.region, region) ** 2);
  const best = objects.reduce<DetectedObject | undefined>((a, b) => (a && by(a) >= by(b) ? a : b), undefined);
  return best !== undefined && by(best) >= OBJECT_OVERLAP ? best : undefined;
}

/** Fragments that lie in one detected object of either side are one change. */
function joinByObjects(
  regions: readonly ChangedRegion[],
  objects: SceneEvidence['objects'],
  comparison: SceneComparison,
): ChangedRegion[] {
  const left = [...regions];
  const joined: ChangedRegion[] = [];
  for (const { region: box } of [...objects.before, ...objects.after].sort(
    (a, b) => areaOf(a.region) - areaOf(b.region),
  )) {
    const inside = left.filter((r) => shareIn(r.region, box) > 0.7);
    if (inside.length < 2) continue;
    for (const part of inside) left.splice(left.indexOf(part), 1);
    joined.push(comparison.join(inside));
  }
  return [...joined, ...left];
}

async function observeRegion(
  changed: ChangedRegion,
  seen: {
    readonly sequence: FrameSequence;
    readonly first: Shot;
    readonly last: Shot;
    readonly objects: SceneEvidence['objects'];
    readonly models: Models;
    readonly read: boolean;
  },
): Promise<ObservedRegion> {
  const { first, last, objects, models, sequence } = seen;
  const before = bestAt(objects.before, changed.region);
  const after = bestAt(objects.after, changed.region);
  const named = before !== undefined || after !== undefined;
  const text = seen.read && !named ? await readBoth(models, first.picture, last.picture, changed.region) : {};
  const measured = intervalOf(changed.region, sequence);
  return {
    ...changed,
    interval: measured?.interval ?? boundsOf(sequence),
    intervalMeasured: measured !== undefined,
    settledAsThing: measured?.isThing ?? false,
    object: { ...(before && { before }), ...(after && { after }) },
    text,
    embedding: {
      before: await embed(models, first.picture, { region: changed.region }),
      after: await embed(models, last.picture, { region: changed.region }),
    },
  };
}

/** The line of text that a change lies in, on both sides; a line is wider than the glyphs that changed. */
async function readBoth(
  models: Models,
  before: PictureU8,
  after: PictureU8,
  region: Region,
): Promise<ObservedRegion['text']> {
  const reach = Math.max(region.height, 16);
  const wide = grownBy(region, reach / 2, before);
  const around = grownBy({ ...wide, x: wide.x - 10 * reach, width: wide.width + 20 * reach }, 0, before);
  const lineAt = async (picture: PictureU8) => {
    const lines = (await readText(models, picture, { region: around })).filter(
      (l) => overlapOfSmaller(l.region, region) > 0.3,
    );
    return lines.reduce<TextLine | undefined>(
      (a, b) => (a && overlapOfSmaller(a.region, region) >= overlapOfSmaller(b.region, region) ? a : b),
      undefined,
    );
  };
  const [a, b] = [await lineAt(before), await lineAt(after)];
  return { ...(a && { before: a }), ...(b && { after: b }) };
}
