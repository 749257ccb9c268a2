import { FORMATS, LOG, rawFrames } from '../ffmpeg-command.js';
import type { LiveInput } from './live-input.js';

export interface LiveCommand {
  readonly input: LiveInput;
  readonly transport: 'tcp' | 'udp';
  readonly videoStream: number;
  /** Longest wait for the network, ms. */
  readonly timeoutMs: number;
  readonly maxPixels: number;
  /** Pictures a second that are given at most; undefined: all. */
  readonly maxFps: number | undefined;
  /** ffmpeg 5.1 or later. */
  readonly isModern: boolean;
}

/** How long a stream is looked at before its first picture, at most; its frame rate is of no interest. */
const PROBE: readonly (readonly [name: string, value: string])[] = [
  ['fflags', 'nobuffer'],
  ['analyzeduration', '2000000'],
  ['fpsprobesize', '0'],
];

/** Slices only: threads by frame would hold pictures back. */
const THREADS = ['-threads', '2', '-thread_type', 'slice'];

/**
 * Arguments of ffmpeg that write the live stream to standard output as NUT, planes of 4:2:0 in limited range, at its
 * own size whenever that changes. Frames are counted by twos instead of timed: the times of cameras cannot be trusted.
 *
 * The URL goes in by standard input, as a script of one line, because arguments are shown to everybody on the machine.
 * An ffmpeg before 5.1, whose scripts know no options, has it among them, and is therefore given no secret.
 */
export function liveCommand(command: LiveCommand): { readonly args: string[]; readonly stdin: string | undefined } {
  const { input, videoStream, maxPixels, maxFps, isModern } = command;
  const formats = input.kind === 'rtsp' ? 'rtsp' : FORMATS;
  const options = networkOptions(command);
  const direct = [...options.flatMap(([name, value]) => [`-${name}`, value]), '-i', input.url];
  const script = [
    'ffconcat version 1.0',
    `file '${input.url}'`,
    ...options.map(([name, value]) => `option ${name} ${value}`),
  ];
  const args = [
    '-nostdin',
    ...LOG,
    ...['-protocol_whitelist', `pipe,${protocols(command)}`],
    ...['-format_whitelist', isModern ? `concat,${formats}` : formats],
    ...(isModern ? PROBE.flatMap(([name, value]) => [`-${name}`, value]) : []),
    ...['-max_pixels', String(maxPixels), ...THREADS],
    ...(isModern ? ['-f', 'concat', '-safe', '0', '-i', 'pipe:0'] : direct),
    ...['-map', `0:V:${videoStream}`, '-map_metadata', '-1', '-map_chapters', '-1'],
    ...(isModern ? ['-autoscale', '0'] : []),
    ...['-vf', [...thinned(maxFps), 'setpts=2*N'].join(',')],
    ...rawFrames({ pixelFormat: 'yuv420p', hasFpsMode: isModern }),
    'pipe:1',
  ];
  // What the script names may not be a script in its turn.
  return { args, stdin: isModern ? `${[...script, `option format_whitelist ${formats}`].join('\n')}\n` : undefined };
}

/** Pictures that come no sooner than a tenth of their distance too early count as due: cameras are not that punctual. */
const EARLY = 0.1;

/** Chooses pictures by the time at which they are here, since those of cameras cannot be trusted. */
function thinned(maxFps: number | undefined): string[] {
  if (maxFps === undefined) return [];
  const leastS = (1 - EARLY) / maxFps;
  return [
    'setpts=(RTCTIME-RTCSTART)/(TB*1000000)',
    `select='isnan(prev_selected_t)+gte(t-prev_selected_t\,${leastS.toFixed(6)})'`,
  ];
}

function networkOptions({
  input,
  transport,
  timeoutMs,
  isModern,
}: LiveCommand): (readonly [name: string, value: string])[] {
  const timeout = String(timeoutMs * 1_000);
  if (input.kind === 'http') return [...PROBE, ['rw_timeout', timeout]];
  return [
    ...PROBE,
    ['rtsp_transport', transport],
    // Before 5.0 `timeout` made ffmpeg wait for a camera to call.
    [isModern ? 'timeout' : 'stimeout', timeout],
  ];
}

function protocols({ input, transport }: LiveCommand): string {
  if (input.kind === 'http') return 'http,https,tcp,tls';
  return transport === 'udp' ? 'rtsp,rtp,udp,tcp,tls' : 'rtsp,rtp,tcp,tls';
}
