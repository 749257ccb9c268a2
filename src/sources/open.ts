import { open } from 'node:fs/promises';
import { mediaTypeOf } from '../pixels/decode.js';
import { BlinkstreamError } from '../records/index.js';
import { imagesSource, type ImagesOptions } from './images.js';
import type { Source } from './index.js';
import { inputUnreadable, isGlob, statInput } from './input-path.js';
import { isRtspUrl } from './live/live-input.js';
import { liveSource, type LiveOptions } from './live/live.js';
import { isHttpUrl } from './video-input.js';
import { videoSource, type VideoOptions } from './video.js';

/** What each kind understands; each leaves out what is not its own. */
export interface OpenOptions extends Omit<VideoOptions & ImagesOptions & LiveOptions, 'input'> {
  /** An http(s) URL is a stream without end, not a video file; RTSP always is. */
  readonly live?: boolean;
}

/**
 * The source that fits `input`: an RTSP URL is a camera; an http(s) URL or a video file is a video; a folder, a glob or
 * a picture file is images. Files are told by their content, not their name.
 * @throws BlinkstreamError class `user`: `SOURCE_KIND` for other URLs, `SOURCE_URL`, `SOURCE_NOT_FOUND`,
 * `SOURCE_UNREADABLE`
 */
export async function openSource(input: string, options: OpenOptions = {}): Promise<Source> {
  if (isRtspUrl(input) || (isHttpUrl(input) && options.live === true)) return liveSource({ ...options, input });
  if (isHttpUrl(input)) return videoSource({ ...options, input });
  const scheme = /^([a-z][a-z0-9+.-]+):\/\//i.exec(input)?.[1];
  if (scheme !== undefined) throw kindError(`${scheme}:// is not a kind of input that is read`);
  const info = await statInput(input);
  if (info === undefined && !isGlob(input)) {
    throw new BlinkstreamError(`there is no ${input}`, {
      code: 'SOURCE_NOT_FOUND',
      class: 'user',
      stage: 'source',
      hint: 'check the path',
    });
  }
  const images = info === undefined || info.isDirectory() || (info.isFile() && (await isPicture(input)));
  return images ? imagesSource({ ...options, input }) : videoSource({ ...options, input });
}

async function isPicture(file: string): Promise<boolean> {
  try {
    await using handle = await open(file);
    const head = new Uint8Array(16);
    const { bytesRead } = await handle.read(head, 0, head.byteLength, 0);
    return mediaTypeOf(head.subarray(0, bytesRead)) !== undefined;
  } catch (error) {
    throw inputUnreadable(file, error);
  }
}

const kindError = (message: string): BlinkstreamError =>
  new BlinkstreamError(message, {
    code: 'SOURCE_KIND',
    class: 'user',
    stage: 'source',
    hint: 'give a video file, an http(s) URL of one, an rtsp URL, a folder of images, or a glob such as "shots/*.png"',
  });
