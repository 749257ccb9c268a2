import { areaOf, overlapOfSmaller } from '../pixels/geometry.js';
import { pointOf, type FramePoint, type FrameSequence, type Region, type SettledRegion } from '../records/index.js';

/** From the first frame that no longer looked as before to the first that looks as it does now. */
export interface ChangeInterval {
  readonly first: FramePoint;
  readonly last: FramePoint;
}

/** Likeness of size, 0–1. */
export const alike = (a: Region, b: Region): number =>
  Math.sqrt(Math.min(areaOf(a), areaOf(b)) / Math.max(areaOf(a), areaOf(b)));

/** When a region changed, by the gate's settled region that overlaps it most; things before what may be light. */
export function intervalOf(
  region: Region,
  sequence: FrameSequence,
): { readonly interval: ChangeInterval; readonly isThing: boolean } | undefined {
  const own = sequence.settled
    .map((s) => ({ ...s, overlap: overlapOfSmaller(s.region, region) * alike(s.region, region) }))
    .filter((s) => s.overlap > 0.15)
    .sort(
      (a, b) =>
        Number(isThing(b)) - Number(isThing(a)) || b.overlap - a.overlap || b.restedAt.elapsedMs - a.restedAt.elapsedMs,
    )
    .at(0);
  if (own === undefined) return undefined;
  // By time: frames that came out of order are numbered as they came.
  const last = own.restedAt.elapsedMs >= own.leftAt.elapsedMs ? own.restedAt : own.leftAt;
  return { interval: { first: own.leftAt, last }, isThing: isThing(own) };
}

const isThing = ({ mayBeLight }: SettledRegion): boolean => mayBeLight !== true;

/** All that is known without the gate: after the last frame before, up to the first frame after. */
export function boundsOf(sequence: FrameSequence): ChangeInterval {
  const before =
    sequence.trigger === 'settled' ? sequence.baseline : sequence.frames.findLast((f) => f.role === 'before');
  const after = sequence.frames.find((f) => f.role === 'after');
  return {
    first: before === undefined ? sequence.first : pointOf(before.ref),
    last: after === undefined ? sequence.last : pointOf(after.ref),
  };
}
