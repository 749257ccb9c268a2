import { BlinkstreamError, yuv420Bytes, type SourceItem, type Yuv420Picture } from '../../records/index.js';
import { pauseFor } from '../../records/pause.js';
import { leaseOf } from '../budget.js';
import { findFfmpeg, type Ffmpeg } from '../ffmpeg-binary.js';
import { FfmpegLog } from '../ffmpeg-log.js';
import { FrameReader, type ReadStep } from '../frame-reader.js';
import type { ReadOptions, Source, SourceReport } from '../index.js';
import { tooLarge } from '../video-input.js';
import { BackOff } from '../../records/back-off.js';
import { systemClock, type Clock } from './event-time.js';
import { FreezeDetector } from './freeze.js';
import { liveCommand } from './live-command.js';
import { liveInput, type LiveInput } from './live-input.js';
import { lastingProblem, problemOf, type Problem } from './problem.js';
import { FrameCount } from './frame-count.js';
import { Signal } from './signal.js';

export interface LiveOptions {
  /** An `rtsp://`, `rtsps://`, `http://` or `https://` URL, credentials included. They are shown nowhere. */
  readonly input: string;
  /** Default: host and path. */
  readonly name?: string;
  /** Which of its video streams, counted from 0; default 0. A camera's smaller pictures usually have a URL of their own. */
  readonly videoStream?: number;
  /** How RTSP brings pictures; default `tcp`, which loses none. */
  readonly transport?: 'tcp' | 'udp';
  /** Without a picture for so long the connection is given up, and another tried; default 10,000 ms. */
  readonly stallMs?: number;
  /** Pictures may be the same, bit for bit, for so long; default 30,000 ms; 0: for ever. */
  readonly freezeMs?: number;
  /** Pixels that a picture may have at most; default 100,000,000. */
  readonly maxPixels?: number;
  /** Pictures a second that are given at most, above 0; the others are decoded and let go. Default: all. */
  readonly maxFps?: number;
  /** Default: the system's. */
  readonly clock?: Clock;
}

/** Buffers kept for the next frames instead of being allocated anew. */
const MAX_SPARE_BUFFERS = 2;
/** ffmpeg looks at a stream for so long, at most, before it gives pictures. */
const PROBE_MS = 4_000;
/** A size that lasted so long may change without a pause. */
const SHAPE_LASTED_MS = 2_000;
/** From so many lines on colour means what HDTV says, below what television said before. */
const HD_LINES = 720;

/**
 * A camera or another stream without end: RTSP, or HTTP(S) that sends MJPEG, MPEG-TS, fragmented MP4 or the like.
 * Playlists are not followed.
 *
 * Event time is the wall clock when a picture has arrived: the clocks of cameras cannot be trusted, and their stamps begin
 * anew with each connection. It never goes backwards; where the system's clock was set back it goes on at half speed until
 * that has caught up. `index` goes on over reconnects and restarts. What was missed is gone: the source is not
 * `replayable`, and a restart begins with a gap.
 *
 * While nothing comes there is a tick every second. A connection that breaks, ends, or gives nothing for `stallMs`, and
 * pictures that stand still for `freezeMs`, are gaps from the last fresh picture on; the next one ends them. It tries again
 * by itself, with pauses from half a second to half a minute. A picture of another size begins another connection, and
 * follows with its own size. Memory: `budget`, `MAX_SPARE_BUFFERS` frames more, and one to compare with.
 *
 * Pictures are planes, BT.709 from 720 lines on and BT.601 below.
 *
 * @throws BlinkstreamError `SOURCE_URL` (user). `read` throws, where no picture has ever come, what would be the same
 * another time: `SOURCE_UNAUTHORIZED`, `SOURCE_UNREACHABLE` (no such stream), `SOURCE_NOT_VIDEO`,
 * `SOURCE_FORMAT_REFUSED`, `SOURCE_TOO_LARGE`, `FFMPEG_NOT_FOUND`; `FFMPEG_EXPOSES`, where the URL has a secret and ffmpeg is
 * so old that it would stand in its arguments; and `SOURCE_CHANGED` for the position of another kind of
 * source. It ends by its signal alone.
 */
export function liveSource(options: LiveOptions): Source {
  const input = liveInput(options.input);
  const name = options.name ?? input.name;
  const settings: Settings = {
    input,
    transport: options.transport ?? 'tcp',
    videoStream: options.videoStream ?? 0,
    stallMs: options.stallMs ?? 10_000,
    freezeMs: options.freezeMs ?? 30_000,
    maxPixels: options.maxPixels ?? 100_000_000,
    maxFps: options.maxFps,
  };
  return {
    name,
    replayable: false,
    async *read({ from, budget, signal: stop }): AsyncGenerator<SourceItem, SourceReport, undefined> {
      stop.throwIfAborted();
      const ffmpeg = await findFfmpeg();
      if (input.isSecret && !ffmpeg.hasFpsMode) throw exposed(input, ffmpeg);
      const signal = new Signal(name, options.clock ?? systemClock, from);
      const backOff = new BackOff();
      if (from !== undefined) {
        signal.lose('nobody was reading it');
        yield signal.tick();
      }
      for (;;) {
        const startedMs = performance.now();
        const ended = yield* connection({ ...settings, ffmpeg, signal, budget, stop });
        const { lasting } = ended.problem ?? {};
        if (lasting !== undefined && signal.pictures === 0) throw lasting;
        if (ended.problem !== undefined) {
          signal.lose(ended.problem.reason);
          yield signal.tick();
        }
        const lastedMs = ended.gavePictures ? performance.now() - startedMs : 0;
        if (ended.problem === undefined && lastedMs >= SHAPE_LASTED_MS) continue;
        yield* signal.until(pauseFor(backOff.pauseMs(lastedMs), stop));
        stop.throwIfAborted();
      }
    },
  };
}

interface Settings {
  readonly input: LiveInput;
  readonly transport: 'tcp' | 'udp';
  readonly videoStream: number;
  readonly stallMs: number;
  readonly freezeMs: number;
  readonly maxPixels: number;
  readonly maxFps: number | undefined;
}

interface Connection extends Settings, Pick<ReadOptions, 'budget'> {
  readonly ffmpeg: Ffmpeg;
  readonly signal: Signal;
  readonly stop: AbortSignal;
}

/** How a connection ended; without a problem: its pictures have another size now. */
interface Ended {
  readonly problem?: Problem;
  readonly gavePictures: boolean;
}

/** One ffmpeg, for as long as it gives pictures of one size. */
async function* connection(options: Connection): AsyncGenerator<SourceItem, Ended, undefined> {
  const { input, ffmpeg, signal, budget, stop, stallMs } = options;
  const log = new FfmpegLog(input.scrub);
  // Ours comes first and says more; its own ends it when we are gone.
  const { args, stdin } = liveCommand({ ...options, timeoutMs: 2 * stallMs, isModern: ffmpeg.hasFpsMode });
  const reader = await FrameReader.start(ffmpeg.path, args, log, stallMs, stdin);
  const onAbort = () => void reader.stop();
  stop.addEventListener('abort', onAbort, { once: true });
  let credit = 0;
  let gavePictures = false;
  const endedBy = async (step: ReadStep): Promise<Ended> => {
    stop.throwIfAborted();
    if (step.type === 'stalled')
      return {
        problem: lastingProblem(input, log) ?? { reason: `nothing arrived for ${stallMs / 1_000} s` },
        gavePictures,
      };
    const crash = await reader.exitProblem();
    return { problem: crash === undefined ? problemOf(input, log, gavePictures) : { reason: crash }, gavePictures };
  };
  try {
    stop.throwIfAborted();
    const head = yield* signal.until(reader.next(undefined, stallMs + PROBE_MS));
    if (head.type !== 'header') return await endedBy(head);
    const { width, height } = head.video;
    if (width * height > options.maxPixels) {
      return {
        problem: { reason: 'its pictures are too large', lasting: tooLarge(input, width, height) },
        gavePictures,
      };
    }
    const bytes = yuv420Bytes(width, height);
    const freeze = new FreezeDetector(options.freezeMs);
    const spare: Uint8Array[] = [];
    const free = (buffer: Uint8Array) => {
      budget.give(bytes);
      if (spare.length < MAX_SPARE_BUFFERS) spare.push(buffer);
    };
    const shape = new FrameCount();
    for (;;) {
      await budget.take(bytes, stop);
      credit = bytes;
      const data = spare.pop() ?? new Uint8Array(bytes);
      const step = yield* signal.until(reader.next(data));
      if (step.type === 'resized') return { gavePictures };
      if (step.type !== 'frame') return await endedBy(step);
      // Sides may have changed places, and the number of bytes be the same: then the count of frames begins anew.
      if (shape.changes(step.pts)) return { gavePictures };
      gavePictures = true;
      credit = 0;
      const nowMs = signal.now();
      const frozenSinceMs = freeze.frozenSince(data, nowMs);
      if (frozenSinceMs !== undefined) {
        free(data);
        if (!signal.isLost) {
          signal.lose('the picture stood still', frozenSinceMs);
          yield signal.tick(nowMs);
        } else {
          yield* signal.tickIfDue(nowMs);
        }
        continue;
      }
      yield* signal.back();
      const picture: Yuv420Picture = {
        type: 'yuv420',
        width,
        height,
        matrix: height >= HD_LINES ? 'bt709' : 'bt601',
        range: 'limited',
        data,
      };
      yield {
        ref: signal.picture(width, height),
        lease: leaseOf({ form: 'yuv420', picture }, bytes, () => free(data)),
      };
    }
  } finally {
    if (credit > 0) budget.give(credit);
    stop.removeEventListener('abort', onAbort);
    await reader.stop();
  }
}

const exposed = ({ display }: LiveInput, { version }: Ffmpeg): BlinkstreamError =>
  new BlinkstreamError(`ffmpeg ${version} would show the password or key of ${display} to everybody on this machine`, {
    code: 'FFMPEG_EXPOSES',
    class: 'user',
    stage: 'source',
    hint: 'install ffmpeg 5.1 or later, or name one by FFMPEG_PATH',
  });
