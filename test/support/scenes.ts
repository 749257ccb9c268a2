import type { ConditionSpan } from '../../src/evidence/condition-spans.js';
import type { Crowd } from '../../src/evidence/crowds.js';
import { compareScenes } from '../../src/evidence/comparison.js';
import type { NamedTrack, ObservedRegion, SceneEvidence } from '../../src/evidence/scene.js';
import { areaOf, centreOf, iou, unionOf } from '../../src/pixels/geometry.js';
import type { ConditionCause, DetectedObject, FrameSequence, Region, Zone } from '../../src/records/index.js';
import { during } from './findings.js';
import { refOf, Stage, type Shot } from '../../fixtures/stage.js';

export const PICTURE = { width: 320, height: 240 } as const;
/** Ten seconds at 25 frames a second, and when in them things change. */
const FRAMES = 250;
export const CHANGED = during(100, 120);

const stage = new Stage(PICTURE);

/** A drawn scene before and after, and what models would say of it. */
export interface Story {
  readonly before?: Shot;
  readonly after?: Shot;
  readonly objects?: Partial<Record<'before' | 'after', readonly DetectedObject[]>>;
  readonly text?: readonly [before: string, after: string];
  /** Whether things look alike to the embedding on both sides; default true. */
  readonly alike?: boolean;
  readonly crowds?: readonly Crowd[];
  readonly tracks?: readonly NamedTrack[];
  readonly conditions?: readonly ConditionSpan[];
  readonly zones?: readonly Zone[];
}

export const box = (x: number, y: number, width: number, height: number): Region => ({ x, y, width, height });

export const thing = (label: string, region: Region, confidence = 0.6): DetectedObject => ({
  label,
  region,
  confidence,
});

/** What `observeScene` would measure of a story: the comparison is the real one, what models say is told. */
export function sceneOf(story: Story): SceneEvidence {
  const conditions = story.conditions ?? [];
  const tracks = story.tracks ?? [];
  const nothing = {
    sequence: { ...sequenceOf(conditions), ...(story.zones && { zones: story.zones }) },
    regions: [],
    objects: { before: [], after: [] },
    crowds: story.crowds ?? [],
    tracks,
    conditions,
  };
  if (story.before === undefined && story.after === undefined) return nothing;
  const [before, after] = [stage.draw(story.before), stage.draw(story.after)];
  const comparison = compareScenes([before], [after], [], { zones: story.zones });
  const objects = { before: story.objects?.before ?? [], after: story.objects?.after ?? [] };
  const regions = comparison.regions.map((changed): ObservedRegion => {
    const at = (seen: readonly DetectedObject[]) => seen.find((o) => iou(o.region, changed.region) > 0.3);
    const [then, now] = [at(objects.before), at(objects.after)];
    const line = (text: string) => ({ text, confidence: 0.9, region: changed.region });
    return {
      ...changed,
      interval: CHANGED,
      intervalMeasured: true,
      settledAsThing: true,
      object: { ...(then && { before: then }), ...(now && { after: now }) },
      text: story.text ? { before: line(story.text[0]), after: line(story.text[1]) } : {},
      embedding: {
        before: Float32Array.of(1, 0),
        after: story.alike === false ? Float32Array.of(0, 1) : Float32Array.of(1, 0),
      },
    };
  });
  const shot = (index: number, picture: typeof before) => ({ ref: refOf(index, PICTURE), picture });
  return {
    ...nothing,
    before: shot(0, before),
    after: shot(FRAMES - 1, after),
    comparison,
    regions,
    objects,
  };
}

/** A sequence whose frames show the nuisances of `conditions` while those last. */
function sequenceOf(conditions: readonly ConditionSpan[]): FrameSequence {
  const frames = Array.from({ length: FRAMES }, (_, index) => ({
    ref: refOf(index, PICTURE),
    evidence: {
      motion: 'active' as const,
      nuisances: conditions
        .filter(({ first, last }) => index >= first.frame && index <= last.frame)
        .map(({ cause, greatest, unit }) => ({ cause, strength: greatest, unit })),
      tracks: [],
      settled: [],
      light: { gain: 1, offset: 0 },
      overlays: [],
      noiseSigma: 1,
      illumination: 0,
      changedShare: 0,
    },
  }));
  const { first, last } = during(0, FRAMES - 1);
  return { source: 'stage', ordinal: 0, trigger: 'activity', first, last, frames, settled: [], thinnedFrames: 0 };
}

/** A thing of one size that goes along the points, from frame 100 to 120. */
export function trackOf(boxes: readonly Region[], part: Partial<NamedTrack> = {}): NamedTrack {
  const steps = CHANGED.last.frame - CHANGED.first.frame;
  const at = (i: number): Region => {
    const way = (i / steps) * (boxes.length - 1);
    const [a, b] = [boxes[Math.floor(way)], boxes[Math.ceil(way)]];
    const mix = (p: number, q: number) => p + (q - p) * (way - Math.floor(way));
    return box(mix(a.x, b.x), mix(a.y, b.y), mix(a.width, b.width), mix(a.height, b.height));
  };
  const seen = Array.from({ length: steps + 1 }, (_, i) => at(i));
  return {
    id: 7,
    born: CHANGED.first,
    last: CHANGED.last,
    path: seen.map((region, i) => ({
      at: during(CHANGED.first.frame + i, CHANGED.last.frame).first,
      ...centreOf(region),
    })),
    firstRegion: seen[0],
    lastRegion: seen[steps],
    bestRegion: seen.reduce((a, b) => (areaOf(b) > areaOf(a) ? b : a)),
    keyframe: undefined,
    sweep: unionOf(seen),
    travel: 2,
    ongoing: false,
    ...part,
  };
}

export const spanOf = (
  cause: ConditionCause,
  least: number,
  greatest: number,
  unit: string,
  region?: Region,
): ConditionSpan => ({
  cause,
  ...CHANGED,
  frames: 20,
  least,
  greatest,
  unit,
  ...(region && { region }),
  ongoing: false,
});
