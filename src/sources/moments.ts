import {
  BlinkstreamError,
  isTick,
  type Frame,
  type FrameContent,
  type FrameRef,
  type Picture,
} from '../records/index.js';
import { leaseOf, type ByteBudget } from './budget.js';
import type { ReadOptions, Source, SourceReport } from './index.js';

/** A picture of a source at a moment. */
export interface Moment {
  readonly ref: Omit<FrameRef, 'source' | 'position'>;
  readonly content: FrameContent;
}

/** A time of a source: since its beginning, or by the wall clock; ms. */
export type MomentTime = { readonly elapsedMs: number } | { readonly timeMs: number };

/** A time that lies further behind the last frame than this was not recorded, ms. */
const MOST_BEHIND_MS = 1_000;

/** How far a frame is from a time; positive where it comes after it, ms. */
export const distanceMs = (at: MomentTime, { elapsedMs, timeMs }: { elapsedMs: number; timeMs: number }): number =>
  'timeMs' in at ? timeMs - at.timeMs : elapsedMs - at.elapsedMs;

/**
 * The frames of a source nearest to each of `times`, read from its beginning in one go.
 * @throws BlinkstreamError `MOMENT_NOT_FOUND` (user) for a time after its end, or before its beginning by the wall clock;
 * what the source throws
 */
export async function momentsOf(
  source: Source,
  times: readonly MomentTime[],
  { budget, signal }: Pick<ReadOptions, 'signal'> & { readonly budget: ByteBudget },
): Promise<Moment[]> {
  const best: (Frame | undefined)[] = times.map(() => undefined);
  const offBy = (frame: Frame, at: MomentTime): number =>
    distanceMs(at, { elapsedMs: frame.ref.elapsedMs, timeMs: frame.ref.eventTimeMs });
  let last: FrameRef | undefined;
  const reading = source.read({ budget, signal });
  try {
    for (let next = await reading.next(); next.done !== true; next = await reading.next()) {
      const frame = next.value;
      if (isTick(frame)) continue;
      last = frame.ref;
      for (const [i, at] of times.entries()) {
        const before = best[i];
        if (before !== undefined && Math.abs(offBy(before, at)) <= Math.abs(offBy(frame, at))) continue;
        frame.lease.retain();
        before?.lease.release();
        best[i] = frame;
      }
      frame.lease.release();
      // Frames come in order: what follows is further away from all of them.
      if (times.every((at) => offBy(frame, at) > MOST_BEHIND_MS)) break;
    }
    return times.map((at, i) => {
      const frame = best[i];
      if (frame === undefined || Math.abs(offBy(frame, at)) > MOST_BEHIND_MS) throw notFound(source.name, at, last);
      const { index, eventTimeMs, elapsedMs, width, height } = frame.ref;
      return { ref: { index, eventTimeMs, elapsedMs, width, height }, content: ownContent(frame.lease.content()) };
    });
  } finally {
    await reading.return(undefined as unknown as SourceReport);
    for (const frame of best) frame?.lease.release();
  }
}

/** What is released may be written over. */
function ownContent(content: FrameContent): FrameContent {
  switch (content.form) {
    case 'encoded':
      return content;
    case 'yuv420':
      return { form: 'yuv420', picture: { ...content.picture, data: content.picture.data.slice() } };
    case 'pixels':
      return { form: 'pixels', picture: { ...content.picture, data: content.picture.data.slice() } as Picture };
  }
}

function notFound(name: string, at: MomentTime, last: FrameRef | undefined): BlinkstreamError {
  const asked = 'timeMs' in at ? new Date(at.timeMs).toISOString() : `${at.elapsedMs / 1_000} s`;
  const end = last === undefined ? 'nothing' : `frames up to ${(last.elapsedMs / 1_000).toFixed(1)} s of its own time`;
  return new BlinkstreamError(`${name} has no frame at ${asked}: there are ${end}`, {
    code: 'MOMENT_NOT_FOUND',
    class: 'user',
    stage: 'source',
    hint: 'give a time of the recording: seconds, minutes and seconds such as 02:07.4, or a date and time',
  });
}

/** Two moments of one scene as a source of two frames, the earlier one first. */
export function pairSource(name: string, moments: readonly [Moment, Moment]): Source<Frame> {
  const [before, after] = [...moments].sort((a, b) => a.ref.elapsedMs - b.ref.elapsedMs);
  return {
    name,
    async *read({ budget, signal }): AsyncGenerator<Frame, SourceReport, undefined> {
      for (const [n, { ref, content }] of [before, after].entries()) {
        const bytes = content.form === 'encoded' ? content.encoded.bytes.byteLength : content.picture.data.byteLength;
        await budget.take(bytes, signal);
        // Of two pictures without a number of their own each has its place.
        const index = before.ref.index === after.ref.index ? n : ref.index;
        yield {
          ref: { ...ref, index, source: name, position: { index, offset: String(n) } },
          lease: leaseOf(content, bytes, () => budget.give(bytes)),
        };
      }
      return { framesRead: 2, complete: true, unreadable: [] };
    },
  };
}
