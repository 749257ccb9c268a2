import { shrunk, shrunkSize } from '../pixels/shrink.js';
import { encodeAnimation } from '../pixels/encode.js';
import { pictureOf } from '../pixels/content.js';
import { decodeSmall } from '../pixels/decode.js';
import { resize } from '../pixels/resize.js';
import { toRgb8 } from '../pixels/rgb8.js';
import { CLIP_EVERY_MS, CLIP_FRAMES, CLIP_WIDEST_PX } from '../sequences/windows/clip-frames.js';
import type { FrameContent, FrameSequence, Lease, PictureU8, SequenceFrame } from '../records/index.js';
import type { Claim } from './claim.js';

/** A lasting change is shown with so much of what was before and after it, ms. */
const ROLL_MS = 1_000;
const QUALITY = 60;

type Shown = SequenceFrame<Lease> & { readonly lease: Lease };

/**
 * The frames of a moving picture of a claim, in order, among those that the sequence shows: of an activity the latest, of a
 * lasting change those from a second before it to a second after it. Empty where fewer than three are there, and of an
 * activity between its first part and its last, which publish nothing.
 */
export function clipFrames({ kind, interval, ongoing }: Claim, sequence: FrameSequence): readonly Shown[] {
  if (kind === 'CONDITION' || !sequence.frames.some(({ role }) => role === 'clip')) return [];
  if (kind === 'ACTIVITY' && ongoing && interval.first.elapsedMs < sequence.first.elapsedMs) return [];
  const shown = sequence.frames.filter((frame): frame is Shown => frame.lease !== undefined);
  const apart = shown.reduce<Shown[]>((kept, frame) => {
    const last = kept.at(-1);
    return last && frame.ref.elapsedMs - last.ref.elapsedMs < CLIP_EVERY_MS * 0.9 ? kept : [...kept, frame];
  }, []);
  const { first, last } = interval;
  const around = apart.filter(
    ({ ref }) => ref.elapsedMs >= first.elapsedMs - ROLL_MS && ref.elapsedMs <= last.elapsedMs + ROLL_MS,
  );
  const frames = kind === 'ACTIVITY' ? apart.slice(-CLIP_FRAMES) : evenly(around);
  return frames.length < 3 ? [] : frames;
}

const evenly = <T>(all: readonly T[]): readonly T[] =>
  all.length <= CLIP_FRAMES
    ? all
    : Array.from({ length: CLIP_FRAMES }, (_, i) => all[Math.round((i * (all.length - 1)) / (CLIP_FRAMES - 1))]);

/** An animated WebP of them, 480 px wide at most. */
export async function encodeClip(
  frames: readonly Shown[],
): Promise<{ readonly bytes: Uint8Array; readonly width: number; readonly height: number }> {
  const { ref } = frames[0];
  const { width, height } = shrunkSize(ref.width, ref.height, CLIP_WIDEST_PX);
  const pictures: PictureU8[] = [];
  for (const { lease } of frames) pictures.push(await smallOf(lease.content(), width, height));
  return { bytes: await encodeAnimation(pictures, CLIP_EVERY_MS, QUALITY), width, height };
}

async function smallOf(content: FrameContent, width: number, height: number): Promise<PictureU8> {
  if (content.form === 'encoded') return decodeSmall(content.encoded, width, height);
  return resize(toRgb8(await pictureOf(shrunk(content, CLIP_WIDEST_PX) ?? content)), width, height);
}
