import { execFile } from 'node:child_process';
import { z } from 'zod';
import type { YuvColour } from '../records/index.js';
import { findBinary } from './ffmpeg-binary.js';
import { probeArguments } from './ffmpeg-command.js';
import { FfmpegLog } from './ffmpeg-log.js';
import { notStarted, toolEnvironment } from './ffmpeg-process.js';
import { tooLarge, unreadable, type VideoInput } from './video-input.js';

/** What the container announces of its video; hostile input may announce anything. */
export interface VideoProbe {
  readonly frames: number | undefined;
  readonly durationSeconds: number | undefined;
  /** Whether the container's index makes a seek give the same times as decoding from the start. */
  readonly seekable: boolean;
  readonly pixels: DecodedPixels;
}

/** How frames leave ffmpeg: as the codec holds them where that is 8-bit 4:2:0, else converted to RGB. */
export type DecodedPixels = (YuvColour & { readonly format: 'yuv420p' | 'yuvj420p' }) | { readonly format: 'rgb24' };

export interface ProbeLimits {
  readonly timeoutMs: number;
  readonly maxPixels: number;
}

const numeric = z.coerce.number().nonnegative().optional().catch(undefined);
const probeJson = z.object({
  format: z.object({
    format_name: z.string().default(''),
    duration: numeric,
  }),
  streams: z
    .array(
      z.object({
        width: z.number().default(0),
        height: z.number().default(0),
        nb_frames: numeric,
        duration: numeric,
        pix_fmt: z.string().optional(),
        color_space: z.string().optional(),
        color_range: z.string().optional(),
      }),
    )
    .default([]),
});

/**
 * Asks ffprobe.
 * @throws BlinkstreamError class `user`, as `unreadable` says, and `SOURCE_TOO_LARGE`; the signal's reason on abort
 */
export async function probeVideo(input: VideoInput, limits: ProbeLimits, signal: AbortSignal): Promise<VideoProbe> {
  const { path: file } = findBinary('ffprobe');
  const log = new FfmpegLog(input.scrub);
  const args = probeArguments({ url: input.url, ...limits });
  const { stdout, stderr, endedBy } = await runProbe(file, args, limits, signal);
  log.write(stderr);
  log.end();
  if (endedBy === 'timeout') throw unreadable(input, `timed out, no answer in ${(2 * limits.timeoutMs) / 1_000} s`);
  // The build of 2018 that npm has crashes on some MPEG-TS that its ffmpeg reads: then nothing is known beforehand.
  if (endedBy === 'crash')
    return { frames: undefined, durationSeconds: undefined, seekable: false, pixels: { format: 'rgb24' } };
  const refused = log.find(/whitelist|picture size/i);
  const parsed = probeJson.safeParse(stdout.trim() === '' ? {} : JSON.parse(stdout));
  const stream = parsed.data?.streams[0];
  if (parsed.data === undefined || stream === undefined || refused !== undefined) {
    throw unreadable(input, refused ?? log.reason ?? 'it has no video stream');
  }
  if (stream.width * stream.height > limits.maxPixels) throw tooLarge(input, stream.width, stream.height);
  const { format } = parsed.data;
  const durations = [stream.duration, format.duration].filter((seconds) => seconds !== undefined && seconds > 0);
  return {
    frames: stream.nb_frames === 0 ? undefined : stream.nb_frames,
    // An edit list may show less than the stream holds; other streams may be longer than the video.
    durationSeconds: durations.length === 0 ? undefined : Math.min(...(durations as number[])),
    pixels: pixelsOf(stream.pix_fmt, stream.color_space, stream.color_range),
    seekable: /\b(?:mov|mp4|matroska|webm)\b/.test(format.format_name),
  };
}

/** What is not told is BT.601, limited: ffmpeg's own reading. Rare matrices (BT.2020, …) are left to its conversion. */
const matrices: Readonly<Record<string, YuvColour['matrix'] | undefined>> = {
  unknown: 'bt601',
  smpte170m: 'bt601',
  bt470bg: 'bt601',
  bt709: 'bt709',
};

function pixelsOf(format = 'unknown', space = 'unknown', range = 'unknown'): DecodedPixels {
  const matrix = matrices[space];
  if ((format !== 'yuv420p' && format !== 'yuvj420p') || matrix === undefined) return { format: 'rgb24' };
  // The `j` says full by itself.
  return { format, matrix, range: format === 'yuvj420p' || range === 'pc' ? 'full' : 'limited' };
}

function runProbe(
  file: string,
  args: string[],
  { timeoutMs }: ProbeLimits,
  signal: AbortSignal,
): Promise<{ stdout: string; stderr: string; endedBy: 'itself' | 'timeout' | 'crash' }> {
  return new Promise((resolve, reject) => {
    // Twice the network's own time-out: it only ends a probe that hangs or is fed drop by drop.
    const options = {
      timeout: 2 * timeoutMs,
      killSignal: 'SIGKILL',
      maxBuffer: 1 << 22,
      env: toolEnvironment(),
      signal,
    } as const;
    const child = execFile(file, args, options, (error, stdout, stderr) => {
      if (signal.aborted) reject(signal.reason as Error);
      else if (error !== null && child.exitCode === null && child.signalCode === null) reject(notStarted(file, error));
      else {
        const endedBy = child.signalCode === null ? 'itself' : child.killed ? 'timeout' : 'crash';
        resolve({ stdout, stderr, endedBy });
      }
    });
  });
}
