import type { Checkpoint, FramePoint } from '../records/index.js';

/** A picture of the scene at rest that the log keeps, so that moments far apart can be compared. */
export interface StoredKeyframe {
  readonly at: FramePoint;
  readonly width: number;
  readonly height: number;
  readonly sha256: string;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** How far apart they are at least, by their age; as backups are rotated, so that months take hundreds and not thousands. */
const rotation = [
  { upToAgeMs: DAY_MS, apartMs: 10 * MINUTE_MS },
  { upToAgeMs: 7 * DAY_MS, apartMs: HOUR_MS },
  { upToAgeMs: 90 * DAY_MS, apartMs: DAY_MS },
] as const;

/** Whether the scene as it was `at` is kept, after the `latest` that was. */
export const isKeyframeDue = (latest: FramePoint | undefined, at: FramePoint): boolean =>
  latest === undefined || at.timeMs - latest.timeMs >= rotation[0].apartMs;

/**
 * Those that stay, now that the latest is there; in order of time, as they came.
 * @param maxAgeMs older ones than this go in any case
 */
export function rotated(kept: readonly StoredKeyframe[], maxAgeMs = Infinity): StoredKeyframe[] {
  const nowMs = kept.at(-1)?.at.timeMs ?? 0;
  const staying: StoredKeyframe[] = [];
  for (const keyframe of kept) {
    const ageMs = nowMs - keyframe.at.timeMs;
    const tier = rotation.find(({ upToAgeMs }) => ageMs <= upToAgeMs);
    if (tier === undefined || ageMs > maxAgeMs) continue;
    const before = staying.at(-1);
    if (before === undefined || keyframe.at.timeMs - before.at.timeMs >= tier.apartMs) staying.push(keyframe);
  }
  return staying;
}

/** Those that a checkpoint names, in order of time. */
export function keyframesIn(checkpoint: Checkpoint | undefined): readonly StoredKeyframe[] {
  const state = checkpoint?.states.run as { readonly keyframes?: readonly StoredKeyframe[] } | undefined;
  return state?.keyframes ?? [];
}
