import type { Position } from '../records/index.js';

/** A presentation time in its time base, with that of the source's first frame: what a video's `Position` holds. */
export interface VideoTime {
  readonly pts: number;
  readonly firstPts: number;
  /** Seconds per tick: num/den. */
  readonly num: number;
  readonly den: number;
}

/** `pts:firstPts@num/den` */
export const offsetOf = ({ pts, firstPts, num, den }: VideoTime): string => `${pts}:${firstPts}@${num}/${den}`;

/** @throws Error where the offset is not one of a video */
export function timeOf(position: Position): VideoTime {
  const match = /^(-?\d+):(-?\d+)@(\d+)\/(\d+)$/.exec(position.offset);
  if (match === null) throw new Error(`"${position.offset}" is not the position of a video frame`);
  const [pts, firstPts, num, den] = match.slice(1).map(Number);
  return { pts, firstPts, num, den };
}

/** Exact up to the rounding of the one division. */
export const elapsedMsOf = ({ pts, firstPts, num, den }: VideoTime): number => ((pts - firstPts) * num * 1_000) / den;

/** The sign of `a − b`, exact also where another ffmpeg chose another time base. */
export function compareTimes(a: VideoTime, b: VideoTime): number {
  const left = BigInt(a.pts) * BigInt(a.num) * BigInt(b.den);
  const right = BigInt(b.pts) * BigInt(b.num) * BigInt(a.den);
  return left < right ? -1 : left > right ? 1 : 0;
}
