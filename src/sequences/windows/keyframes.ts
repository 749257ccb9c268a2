import type { SequenceFrame, TrackPoint } from '../../records/index.js';

/** The frame that shows a moving thing best so far. */
export interface Keyframe {
  readonly frame: SequenceFrame;
  readonly trackId: number;
  readonly score: number;
}

/** A new frame must show a thing this much better before it takes the place of an older one. */
const BETTER = 1.15;

/**
 * Keeps for each track the frame that shows it largest and clear of the picture's border. With more tracks than `room`
 * the best shown are kept; `thinned` counts the frames that were given up for want of room.
 */
export function chooseKeyframe(
  kept: readonly Keyframe[],
  frame: SequenceFrame,
  tracks: readonly TrackPoint[],
  room: number,
): { readonly keyframes: Keyframe[]; readonly thinned: number } {
  let keyframes = [...kept];
  for (const { id, region } of tracks) {
    const { width, height } = frame.ref;
    const cut =
      region.x <= 0 || region.y <= 0 || region.x + region.width >= width || region.y + region.height >= height;
    const score = region.width * region.height * (cut ? 0.3 : 1);
    const old = keyframes.find((k) => k.trackId === id);
    if (old !== undefined && score < old.score * BETTER) continue;
    keyframes = [...keyframes.filter((k) => k !== old), { frame, trackId: id, score }];
  }
  const distinct = (list: readonly Keyframe[]) => new Set(list.map((k) => k.frame.ref.index)).size;
  const before = distinct(keyframes);
  keyframes.sort((a, b) => b.score - a.score || a.trackId - b.trackId);
  while (distinct(keyframes) > room) keyframes.pop();
  return { keyframes, thinned: before - distinct(keyframes) };
}
