import { ownFrames } from './observed-tracks.js';
import { unionOf } from '../pixels/geometry.js';
import {
  pointOf,
  type ConditionCause,
  type FramePoint,
  type FrameSequence,
  type Nuisance,
  type Region,
} from '../records/index.js';

/** A stretch of a sequence in which a nuisance was measured. */
export interface ConditionSpan {
  readonly cause: ConditionCause;
  readonly first: FramePoint;
  readonly last: FramePoint;
  /** Frames in which it was measured. */
  readonly frames: number;
  /** Least and greatest measured strength, in `unit`. */
  readonly least: number;
  readonly greatest: number;
  readonly unit: string;
  readonly region?: Region;
  /** Still measured near the end of the sequence. */
  readonly ongoing: boolean;
}

/** A nuisance that pauses no longer than this goes on: light that is regulated, or a shower. */
const PAUSE_MS = 1_000;

/** Where the frames of a sequence showed nuisances, cause by cause. A cause seen in one frame alone is chance. */
export function conditionSpans(sequence: FrameSequence): ConditionSpan[] {
  const found = new Map<ConditionCause, { at: FramePoint; nuisance: Nuisance }[]>();
  for (const { ref, evidence } of ownFrames(sequence)) {
    for (const nuisance of evidence?.nuisances ?? []) {
      const list = found.get(nuisance.cause) ?? [];
      list.push({ at: pointOf(ref), nuisance });
      found.set(nuisance.cause, list);
    }
  }
  const spans: ConditionSpan[] = [];
  for (const [cause, seen] of found) {
    const frames = new Set(seen.map(({ at }) => at.frame)).size;
    if (frames < 2) continue;
    const last = seen[seen.length - 1].at;
    const unit = mostFrequent(seen.map(({ nuisance }) => nuisance.unit));
    const strengths = seen.filter(({ nuisance }) => nuisance.unit === unit).map(({ nuisance }) => nuisance.strength);
    const regions = seen.flatMap(({ nuisance }) => nuisance.region ?? []);
    spans.push({
      cause,
      first: seen[0].at,
      last,
      frames,
      least: Math.min(...strengths),
      greatest: Math.max(...strengths),
      unit,
      ...(regions.length > 0 && { region: unionOf(regions) }),
      ongoing: sequence.last.elapsedMs - last.elapsedMs <= PAUSE_MS,
    });
  }
  return spans;
}

/** The first of those that occur most often: a hand is out of focus for a moment before it covers the lens. */
function mostFrequent(values: readonly string[]): string {
  const times = new Map<string, number>();
  for (const value of values) times.set(value, (times.get(value) ?? 0) + 1);
  const most = Math.max(...times.values());
  return values.find((value) => times.get(value) === most) ?? '';
}
