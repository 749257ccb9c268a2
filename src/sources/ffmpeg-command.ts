import ffmpeg from 'fluent-ffmpeg';

/** What ffmpeg may open, and how much of it. */
export interface InputLimits {
  /** `file:…` or an http(s) URL. */
  readonly url: string;
  /** Longest wait for the network, ms. */
  readonly timeoutMs: number;
  readonly maxPixels: number;
}

export interface DecodeCommand extends InputLimits {
  readonly hasFpsMode: boolean;
  readonly threads: number;
  /** Of the frames that come out. */
  readonly pixelFormat: 'rgb24' | 'yuv420p' | 'yuvj420p';
  /** Begin at the last keyframe at or before this, in seconds from the container's start. */
  readonly seekSeconds?: number;
}

/**
 * Containers that hold their own pictures. Playlists and scripts (hls, dash, concat, sdp, image2, lavfi, …) are left
 * out: they name other files and addresses, and ffmpeg knows them by content, whatever the file is called.
 */
export const FORMATS =
  'mov,mp4,matroska,webm,avi,mpegts,mpeg,mpegvideo,m4v,h264,hevc,obu,ivf,flv,asf,ogg,mjpeg,mpjpeg,gif,nut,dv';

/** Every line of the log says its level; demuxers tell of damaged packets only in warnings. */
export const LOG = ['-hide_banner', '-loglevel', 'level+warning'];

function inputOptions({ url, timeoutMs, maxPixels }: InputLimits): string[] {
  const remote = !url.startsWith('file:');
  return [
    ...['-protocol_whitelist', remote ? 'http,https,tcp,tls' : 'file'],
    ...['-format_whitelist', FORMATS],
    ...['-max_pixels', String(maxPixels)],
    ...(remote ? ['-rw_timeout', String(timeoutMs * 1_000)] : []),
  ];
}

/** Every frame once, with its own time, as NUT. */
export const rawFrames = ({ pixelFormat, hasFpsMode }: Pick<DecodeCommand, 'pixelFormat' | 'hasFpsMode'>): string[] => [
  ...['-c:v', 'rawvideo', '-pix_fmt', pixelFormat],
  ...(hasFpsMode ? ['-fps_mode', 'passthrough'] : ['-vsync', '0']),
  ...['-enc_time_base', '-1'],
  // NUT knows no negative times, and what ffmpeg would do about them depends on the first frame it writes, so a
  // seek would give other times. A day's offset is the same everywhere.
  ...['-avoid_negative_ts', '0', '-output_ts_offset', '86400'],
  ...['-f', 'nut', '-write_index', '0', '-flush_packets', '1'],
];

/**
 * Arguments of ffmpeg that write the first real video stream to standard output as NUT: raw frames, upright, each
 * once, with the presentation time that its container gives it.
 */
export function decodeArguments(command: DecodeCommand): string[] {
  const { url, hasFpsMode, threads, pixelFormat, seekSeconds } = command;
  const input = [
    ...inputOptions(command),
    ...['-threads', String(threads)],
    ...(seekSeconds === undefined ? [] : ['-noaccurate_seek', '-ss', String(seekSeconds)]),
  ];
  const output = [
    ...['-map', '0:V:0', '-map_metadata', '-1', '-map_chapters', '-1'],
    ...rawFrames({ pixelFormat, hasFpsMode }),
  ];
  // Spread, because fluent-ffmpeg splits the options of a list at their spaces.
  const built = ffmpeg(url)
    .inputOptions(...input)
    .outputOptions(...output)
    .output('pipe:1');
  return ['-nostdin', ...LOG, '-copyts', ...built._getArguments()];
}

/** Arguments of ffprobe that describe the same stream as JSON, without reading more than its beginning. */
export function probeArguments(limits: InputLimits): string[] {
  return [
    ...LOG,
    ...inputOptions(limits),
    ...['-select_streams', 'V:0'],
    ...[
      '-show_entries',
      'format=format_name,duration:stream=width,height,nb_frames,duration,pix_fmt,color_space,color_range',
    ],
    ...['-of', 'json'],
    ...['-i', limits.url],
  ];
}
