import { areaOf, centreOf, shareIn } from '../pixels/geometry.js';
import {
  pointOf,
  type FramePoint,
  type FrameSequence,
  type Lease,
  type Region,
  type SequenceFrame,
} from '../records/index.js';

/** A moving thing as one sequence shows it. */
export interface ObservedTrack {
  readonly id: number;
  /** When it was first seen, in this sequence or before it. */
  readonly born: FramePoint;
  readonly last: FramePoint;
  /** Centre of its box, frame by frame of this sequence. */
  readonly path: readonly { readonly at: FramePoint; readonly x: number; readonly y: number }[];
  /** Its box when it was born, and the last one in this sequence. */
  readonly firstRegion: Region;
  readonly lastRegion: Region;
  /** Its box in the frame that shows it best, and that frame where its pixels were kept. */
  readonly bestRegion: Region;
  readonly keyframe: SequenceFrame<Lease> | undefined;
  /** The box around everything that it covered since it was born. */
  readonly sweep: Region;
  /** How far it got, in its own size (square root of its largest box). */
  readonly travel: number;
  /** Still seen where the sequence ends. */
  readonly ongoing: boolean;
}

/** With this share of all that it covered in its first box, a thing has gone nowhere, however its outline changed. */
const IN_PLACE = 0.9;
/** Seen no longer ago than this at the end of a sequence, a thing is still there. */
const STILL_THERE_MS = 350;

/** The frames that a sequence tells about; frames shown from before it were told about already. */
export const ownFrames = (sequence: FrameSequence): SequenceFrame<Lease>[] =>
  sequence.frames.filter(
    ({ ref }) => ref.elapsedMs >= sequence.first.elapsedMs && ref.elapsedMs <= sequence.last.elapsedMs,
  );

/** The tracks that a sequence's frames hold, oldest first. */
export function observedTracks(sequence: FrameSequence): ObservedTrack[] {
  const seen = new Map<
    number,
    { frame: SequenceFrame<Lease>; region: Region; sweep: Region; born: FramePoint; origin: Region }[]
  >();
  for (const frame of ownFrames(sequence)) {
    for (const { id, region, sweep, born, origin } of frame.evidence?.tracks ?? []) {
      const list = seen.get(id) ?? [];
      list.push({ frame, region, sweep, born, origin });
      seen.set(id, list);
    }
  }
  return [...seen].map(([id, points]) => {
    const first = points[0];
    const last = points[points.length - 1];
    const largest = points.reduce((best, p) => (areaOf(p.region) > areaOf(best.region) ? p : best));
    const shown = points
      .filter((p) => p.frame.lease !== undefined && p.frame.role !== 'clip')
      .reduce<typeof first | undefined>(
        (best, p) => (best && areaOf(best.region) >= areaOf(p.region) ? best : p),
        undefined,
      );
    const path = points.map(({ frame, region }) => ({ at: pointOf(frame.ref), ...centreOf(region) }));
    const origin = centreOf(first.origin);
    const way = Math.max(...path.map((p) => Math.hypot(p.x - origin.x, p.y - origin.y)));
    const isInPlace = shareIn(last.sweep, first.origin) >= IN_PLACE;
    const covered = Math.hypot(last.sweep.width - largest.region.width, last.sweep.height - largest.region.height);
    return {
      id,
      born: first.born,
      last: pointOf(last.frame.ref),
      path,
      firstRegion: first.origin,
      lastRegion: last.region,
      bestRegion: (shown ?? largest).region,
      keyframe: shown?.frame,
      sweep: last.sweep,
      travel: isInPlace ? 0 : Math.max(way, covered) / Math.sqrt(areaOf(largest.region)),
      ongoing: sequence.last.elapsedMs - last.frame.ref.elapsedMs <= STILL_THERE_MS,
    };
  });
}
