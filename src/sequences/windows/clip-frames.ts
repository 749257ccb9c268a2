import type { FrameRef, SequenceFrame } from '../../records/index.js';

/** A moving picture is this wide at most, px. */
export const CLIP_WIDEST_PX = 480;
/** Frames for it are this far apart at least, ms. */
export const CLIP_EVERY_MS = 330;
/** So many of them are kept: 12 s, as far as an event is likely to lie back. */
const MOST_FRAMES = 36;
/** A moving picture has so many of them at most, four seconds. */
export const CLIP_FRAMES = 12;

export interface ClipFrame {
  readonly ref: FrameRef;
  readonly bytes: number;
}

/** With one more frame, where it is due; the oldest make room for it within `mostBytes`. */
export function withClipFrame(kept: readonly ClipFrame[], frame: ClipFrame, mostBytes: number): readonly ClipFrame[] {
  const newest = kept.at(-1);
  if (newest !== undefined && frame.ref.elapsedMs - newest.ref.elapsedMs < CLIP_EVERY_MS) return kept;
  const most = [...kept, frame].slice(-MOST_FRAMES);
  let bytes = most.reduce((sum, one) => sum + one.bytes, 0);
  while (bytes > mostBytes) bytes -= most.shift()?.bytes ?? bytes;
  return most;
}

/** As a sequence shows them: all, or the latest. */
export const shownClip = (kept: readonly ClipFrame[], which: 'all' | 'latest'): SequenceFrame[] =>
  kept.slice(which === 'all' ? 0 : -CLIP_FRAMES).map(({ ref }) => ({ ref, role: 'clip' }));
