import { availableParallelism } from 'node:os';
import { BlinkstreamError, yuv420Bytes, type Frame, type FrameContent, type Position } from '../records/index.js';
import { leaseOf } from './budget.js';
import { videoReport } from './completeness.js';
import { findFfmpeg, type Ffmpeg } from './ffmpeg-binary.js';
import { decodeArguments } from './ffmpeg-command.js';
import { FfmpegLog } from './ffmpeg-log.js';
import { FrameReader, type ReadStep } from './frame-reader.js';
import type { ReadOptions, Source, SourceReport } from './index.js';
import { probeVideo, type DecodedPixels, type VideoProbe } from './probe.js';
import { checkFile, tooLarge, unreadable, videoInput, type VideoInput } from './video-input.js';
import { compareTimes, elapsedMsOf, offsetOf, timeOf, type VideoTime } from './video-time.js';

export interface VideoOptions {
  /** Path of a file, or an http(s) URL. */
  readonly input: string;
  /** Default: the file's name without extension. */
  readonly name?: string;
  /** Pixels that a picture may have at most; default 100,000,000. */
  readonly maxPixels?: number;
  /** Longest wait for data, network and decoder alike, in ms; default 15,000. */
  readonly timeoutMs?: number;
}

/** How long before the wanted frame a seek goes, so that decoders have settled and broken leading frames are past. */
const SEEK_MARGIN_SECONDS = 5;
/** More threads only hold more frames. */
const MAX_THREADS = 16;
/** Buffers kept for the next frames instead of being allocated anew: large ones cost page faults. */
const MAX_SPARE_BUFFERS = 2;

/**
 * The video stream of a file or an HTTP(S) resource, through ffmpeg, at its original size, turned upright. 8-bit
 * 4:2:0, which nearly all video is, comes in planes just as its codec holds it; everything else as 8-bit RGB.
 *
 * Frames: each decoded frame once, in order of presentation; `index` counts them from 0. `elapsedMs` is the frame's own
 * presentation time less that of the first, exact at constant and variable rate; files know no wall clock (their
 * creation time is not trusted), so `eventTimeMs` equals it. `from` gives the same frames, indices and times as
 * reading from the start: by a seek where the container has an index of exact times, else by decoding up to there.
 * Memory: `budget` for the frame in reading and those leased, and `MAX_SPARE_BUFFERS` more; ffmpeg waits meanwhile.
 * A lease's samples are used again once it is free.
 *
 * The report's `framesExpected` may be off by a few. A damaged rest or middle does not throw; the report tells it.
 * `read` throws BlinkstreamError class `user`, where no frame at all can be read: `SOURCE_NOT_FOUND`,
 * `SOURCE_UNREADABLE`, `SOURCE_IS_FOLDER`, `SOURCE_EMPTY`, `SOURCE_URL`, `SOURCE_UNREACHABLE`, `SOURCE_NOT_VIDEO`,
 * `SOURCE_DAMAGED`, `SOURCE_FORMAT_REFUSED`, `SOURCE_TOO_LARGE`, `SOURCE_CHANGED`, `FFMPEG_NOT_FOUND`.
 */
export function videoSource(options: VideoOptions): Source<Frame> {
  const input = videoInput(options.input);
  const limits = { maxPixels: options.maxPixels ?? 100_000_000, timeoutMs: options.timeoutMs ?? 15_000 };
  const name = options.name ?? input.name;
  return {
    name,
    async *read(reading) {
      reading.signal.throwIfAborted();
      await checkFile(input);
      const ffmpeg = await findFfmpeg();
      const probe = await probeVideo(input, limits, reading.signal);
      const run: Run = { name, input, ffmpeg, probe, ...limits, ...reading };
      const seekSeconds = run.from === undefined ? undefined : seekTo(run.from, probe);
      if (seekSeconds !== undefined) {
        const report = yield* decode(run, seekSeconds);
        if (report !== 'not found') return report;
      }
      const report = yield* decode(run);
      if (report === 'not found') throw changed(run);
      return report;
    },
  };
}

interface Run extends ReadOptions {
  readonly name: string;
  readonly input: VideoInput;
  readonly ffmpeg: Ffmpeg;
  readonly probe: VideoProbe;
  readonly maxPixels: number;
  readonly timeoutMs: number;
}

/** Where to seek for a frame; undefined where decoding from the start is as good, or the only exact way. */
function seekTo(from: Position, probe: VideoProbe): number | undefined {
  const wanted = timeOf(from);
  const sinceFirst = elapsedMsOf(wanted) / 1_000;
  const seconds = sinceFirst - SEEK_MARGIN_SECONDS;
  return probe.seekable && seconds > 0 ? seconds : undefined;
}

/**
 * One ffmpeg from start to end. `not found`: the frame at `run.from` did not come; nothing was given.
 * After a seek that frame is known by its time, from the start by its index, and its time must agree.
 */
async function* decode(run: Run, seekSeconds?: number): AsyncGenerator<Frame, SourceReport | 'not found', undefined> {
  const { input, ffmpeg, probe, budget, signal } = run;
  const log = new FfmpegLog(input.scrub);
  const args = decodeArguments({
    url: input.url,
    hasFpsMode: ffmpeg.hasFpsMode,
    threads: Math.min(availableParallelism() + 1, MAX_THREADS),
    timeoutMs: run.timeoutMs,
    maxPixels: run.maxPixels,
    pixelFormat: probe.pixels.format,
    ...(seekSeconds !== undefined && { seekSeconds }),
  });
  // ffmpeg's own time-out comes first and says more.
  const reader = await FrameReader.start(ffmpeg.path, args, log, 2 * run.timeoutMs);
  const onAbort = () => void reader.stop();
  signal.addEventListener('abort', onAbort, { once: true });
  let credit = 0;
  try {
    // It may have come while ffmpeg was started.
    signal.throwIfAborted();
    const head = await reader.next();
    signal.throwIfAborted();
    if (head.type !== 'header') {
      await reader.stop();
      if (seekSeconds !== undefined) return 'not found';
      throw unreadable(
        input,
        head.type === 'stalled' ? `timed out, no data in ${(2 * run.timeoutMs) / 1_000} s` : log.reason,
      );
    }
    const { width, height } = head.video;
    const { num, den } = head.video.timeBase;
    if (width * height > run.maxPixels) throw tooLarge(input, width, height);
    const bytes = probe.pixels.format === 'rgb24' ? width * height * 3 : yuv420Bytes(width, height);
    const spare: Uint8Array[] = [];
    const free = (buffer: Uint8Array) => {
      budget.give(bytes);
      if (spare.length < MAX_SPARE_BUFFERS) spare.push(buffer);
    };
    const wanted = run.from === undefined ? undefined : { index: run.from.index, time: timeOf(run.from) };
    const seeked = seekSeconds !== undefined;
    // Ticks of another ffmpeg need not be whole ones here.
    if (seeked && wanted !== undefined && (wanted.time.num !== num || wanted.time.den !== den)) return 'not found';
    let firstPts = seeked ? wanted?.time.firstPts : undefined;
    let found = wanted === undefined;
    let index = 0;
    let elapsedMs = 0;
    let cutBy: string | undefined;
    for (;;) {
      await budget.take(bytes, signal);
      credit = bytes;
      const buffer = spare.pop() ?? new Uint8Array(bytes);
      const step = await reader.next(buffer);
      signal.throwIfAborted();
      if (step.type !== 'frame') {
        cutBy = await cutOf(step, reader, run.timeoutMs);
        break;
      }
      firstPts ??= step.pts;
      const time: VideoTime = { pts: step.pts, firstPts, num, den };
      credit = 0;
      if (!found && wanted !== undefined) {
        const order = compareTimes(time, wanted.time);
        if (seeked ? order < 0 : index < wanted.index) {
          index++;
          free(buffer);
          continue;
        }
        if (order !== 0) {
          budget.give(bytes);
          return 'not found';
        }
        found = true;
        index = wanted.index;
        if (seeked) log.forgetDamage();
      }
      elapsedMs = elapsedMsOf(time);
      yield {
        ref: {
          source: run.name,
          index,
          eventTimeMs: elapsedMs,
          elapsedMs,
          position: { index, offset: offsetOf(time) },
          width,
          height,
        },
        lease: leaseOf(contentOf(probe.pixels, width, height, buffer), bytes, () => free(buffer)),
      };
      index++;
    }
    if (!found) return 'not found';
    if (index === 0) throw unreadable(input, cutBy ?? log.reason);
    const arrived = { display: input.display, frames: index, elapsedSeconds: elapsedMs / 1_000 };
    return videoReport({ ...arrived, ...(cutBy !== undefined && { cutBy }) }, probe, log);
  } finally {
    if (credit > 0) budget.give(credit);
    signal.removeEventListener('abort', onAbort);
    await reader.stop();
  }
}

function contentOf(pixels: DecodedPixels, width: number, height: number, data: Uint8Array): FrameContent {
  if (pixels.format === 'rgb24') return { form: 'pixels', picture: { type: 'u8', width, height, channels: 3, data } };
  const { matrix, range } = pixels;
  return { form: 'yuv420', picture: { type: 'yuv420', width, height, matrix, range, data } };
}

/** Why no more frames come, where it is not the end of the stream. */
async function cutOf(step: ReadStep, reader: FrameReader, timeoutMs: number): Promise<string | undefined> {
  if (step.type === 'stalled') return `then nothing came for ${(2 * timeoutMs) / 1_000} s`;
  if (step.type === 'resized') return 'then the size of the picture changes, and only frames of one size are read';
  return reader.exitProblem();
}

const changed = ({ input, from }: Run): BlinkstreamError =>
  new BlinkstreamError(`${input.display} no longer has frame ${from?.index ?? 0} where it was`, {
    code: 'SOURCE_CHANGED',
    class: 'user',
    stage: 'source',
    hint: 'the file was replaced since the last run: begin anew with another output folder, or put the old file back',
  });
