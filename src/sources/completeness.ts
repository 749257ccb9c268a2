import type { FfmpegLog } from './ffmpeg-log.js';
import type { SourceReport } from './index.js';
import type { VideoProbe } from './probe.js';

/** Containers count a few frames more than come out: encoder delay, a broken group at the end. */
const TOLERANCE_FRAMES = 3;
/** And announce durations that are rounded, or those of a longer sound track. */
const TOLERANCE_SECONDS = 0.5;
const TOLERANCE_SHARE = 0.02;

export interface Arrived {
  readonly display: string;
  /** Index of the last frame + 1. */
  readonly frames: number;
  /** Time of the last frame since the first. */
  readonly elapsedSeconds: number;
  /** What ended the reading, where it was not the end of the stream. */
  readonly cutBy?: string;
}

/**
 * Holds what arrived against what the container announced. ffmpeg's exit code says nothing: truncated, corrupt and
 * stalled inputs all exit 0.
 */
export function videoReport(arrived: Arrived, probe: VideoProbe, log: FfmpegLog): SourceReport {
  const { frames, display, cutBy } = arrived;
  const expected = expectedFrames(arrived, probe);
  const of =
    expected === undefined || expected <= frames ? `${frames} frames` : `${frames} of about ${expected} frames`;
  const because = log.firstDamage === undefined ? '' : ` (${log.firstDamage})`;
  let problem: string | undefined;
  if (cutBy !== undefined) problem = `read ${of} of ${display}; ${cutBy}`;
  else if (isShort(arrived, probe)) problem = `read ${of}; the rest of ${display} is damaged or missing${because}`;
  else if (log.damageCount > 0) {
    const errors = log.damageCount === 1 ? 'an error' : `${log.damageCount} errors`;
    problem = `read ${of}, with ${errors} on the way; parts of ${display} are damaged or missing${because}`;
  }
  return {
    framesRead: frames,
    ...(expected !== undefined && { framesExpected: expected }),
    complete: problem === undefined,
    ...(problem !== undefined && { problem }),
    unreadable: [],
  };
}

/** As announced; else the duration at the rate that was seen. */
function expectedFrames({ frames, elapsedSeconds }: Arrived, probe: VideoProbe): number | undefined {
  if (probe.frames !== undefined) return probe.frames;
  if (probe.durationSeconds === undefined || frames < 2 || elapsedSeconds <= 0) return undefined;
  return Math.max(frames, Math.round((probe.durationSeconds * (frames - 1)) / elapsedSeconds));
}

/** Short by count and by time: an edit list may leave out frames, and a variable rate has no count to go by. */
function isShort({ frames, elapsedSeconds }: Arrived, probe: VideoProbe): boolean {
  if (probe.frames !== undefined && frames >= probe.frames - TOLERANCE_FRAMES) return false;
  if (probe.durationSeconds === undefined) return probe.frames !== undefined;
  const meanSeconds = frames > 1 ? elapsedSeconds / (frames - 1) : 0;
  const tolerance = Math.max(TOLERANCE_SECONDS, TOLERANCE_SHARE * probe.durationSeconds);
  return elapsedSeconds + TOLERANCE_FRAMES * meanSeconds < probe.durationSeconds - tolerance;
}
