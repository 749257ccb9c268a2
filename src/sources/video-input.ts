import { open } from 'node:fs/promises';
import { parse, posix, resolve } from 'node:path';
import { BlinkstreamError } from '../records/index.js';
import { inputUnreadable, statInput } from './input-path.js';

/** A video as it was asked for, checked as far as that goes without ffmpeg. */
export interface VideoInput {
  /** `file:/…` with an absolute path, or the http(s) URL: never a name that could be read as an option. */
  readonly url: string;
  readonly remote: boolean;
  /** For messages: the path as given; a URL without user, password and query. */
  readonly display: string;
  /** Default name of the source: the file's name without extension. */
  readonly name: string;
  /** Takes what `display` leaves out from a line of text. */
  readonly scrub: (line: string) => string;
}

export const isHttpUrl = (input: string): boolean => /^https?:\/\//i.test(input);

/** @throws BlinkstreamError `SOURCE_URL` on a URL that is none */
export function videoInput(input: string): VideoInput {
  return isHttpUrl(input) ? remoteInput(input) : fileInput(input);
}

function fileInput(input: string): VideoInput {
  const absolute = resolve(input);
  const url = `file:${absolute}`;
  return {
    url,
    remote: false,
    display: input,
    name: parse(absolute).name,
    scrub: (line) => line.replaceAll(url, input),
  };
}

function remoteInput(input: string): VideoInput {
  if (!URL.canParse(input)) {
    throw new BlinkstreamError(`${withoutCredentials(input)} is not a URL`, {
      code: 'SOURCE_URL',
      class: 'user',
      stage: 'source',
      hint: 'give it as http://host/path, special characters percent-encoded',
    });
  }
  const { protocol, host, pathname, href } = new URL(input);
  const display = `${protocol}//${host}${pathname}`;
  return {
    url: href,
    remote: true,
    display,
    name: posix.parse(pathname).name || host.replaceAll(':', '-'),
    scrub: (line) => withoutCredentials(line.replaceAll(href, display)),
  };
}

const withoutCredentials = (text: string): string => text.replace(/\/\/[^/@\s]+@/g, '//');

/**
 * What can be told of a file without opening it.
 * @throws BlinkstreamError class `user`: `SOURCE_NOT_FOUND`, `SOURCE_UNREADABLE`, `SOURCE_IS_FOLDER`, `SOURCE_EMPTY`,
 * `SOURCE_FORMAT_REFUSED`
 */
export async function checkFile({ url, remote, display }: VideoInput): Promise<void> {
  if (remote) return;
  const path = url.slice('file:'.length);
  const info = await statInput(path);
  if (info === undefined) throw inputError('SOURCE_NOT_FOUND', `there is no ${display}`, 'check the path');
  if (info.isDirectory()) {
    throw inputError('SOURCE_IS_FOLDER', `${display} is a folder, not a video`, 'name a file in it');
  }
  if (info.isFile() && info.size === 0) {
    throw inputError('SOURCE_EMPTY', `${display} is empty (0 bytes)`, 'record or copy it again');
  }
  // Builds of ffmpeg differ in which playlists they know under another name; none is let through, but some say
  // nothing useful about it.
  const head = await firstText(path).catch((error: unknown) => {
    throw inputUnreadable(display, error);
  });
  if (/^\s*(?:#EXTM3U|ffconcat|<\?xml|<MPD|v=0\r?\n|\[playlist\])/i.test(head)) throw pointsElsewhere({ display });
}

async function firstText(file: string): Promise<string> {
  await using handle = await open(file);
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(64), 0, 64, 0);
  return buffer.toString('latin1', 0, bytesRead);
}

const pointsElsewhere = ({ display }: Pick<VideoInput, 'display'>): BlinkstreamError =>
  inputError(
    'SOURCE_FORMAT_REFUSED',
    `${display} is a playlist, or of another kind that points elsewhere; such files are not followed`,
    'give the video file itself, in MP4, MOV, MKV, WebM, AVI, MPEG-TS or the like',
  );

/** What ffmpeg or ffprobe said of an input from which not a single frame came, as an error that a person understands. */
export function unreadable(input: VideoInput, reason: string | undefined): BlinkstreamError {
  const { display, remote } = input;
  const because = reason === undefined ? '' : `: ${reason}`;
  if (/whitelist/i.test(reason ?? '')) return pointsElsewhere(input);
  if (
    remote &&
    /server returned|http error|refused|timed out|resolve|unreachable|input\/output|tls|certificate|reset|no route|not found/i.test(
      reason ?? '',
    )
  ) {
    return inputError(
      'SOURCE_UNREACHABLE',
      `${display} cannot be reached${because}`,
      'check the address, and that the server is up',
    );
  }
  if (/permission denied/i.test(reason ?? '')) {
    return inputError('SOURCE_UNREADABLE', `${display} cannot be read${because}`, 'check its permissions');
  }
  if (/moov atom not found/i.test(reason ?? '')) {
    const message = `${display} has no index${because}; it is truncated, or no video at all`;
    return inputError('SOURCE_DAMAGED', message, 'copy it again, whole');
  }
  const size = /picture size (\d+)x(\d+)/i.exec(reason ?? '');
  if (size !== null) return tooLarge(input, Number(size[1]), Number(size[2]));
  return inputError(
    'SOURCE_NOT_VIDEO',
    `${display} is not a video that can be decoded${because}`,
    'give MP4, MOV, MKV, WebM, AVI, MPEG-TS or the like with a video stream',
  );
}

export const tooLarge = ({ display }: VideoInput, width: number, height: number): BlinkstreamError =>
  inputError(
    'SOURCE_TOO_LARGE',
    `${display} has pictures of ${width}×${height} px, more than the limit of pixels allows`,
    'scale it down, or raise maxPixels if you trust where it comes from',
  );

const inputError = (code: string, message: string, hint: string): BlinkstreamError =>
  new BlinkstreamError(message, { code, class: 'user', stage: 'source', hint });
