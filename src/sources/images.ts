import { open, readdir } from 'node:fs/promises';
import path from 'node:path';
import { glob } from 'tinyglobby';
import { readHeader } from '../pixels/decode.js';
import { BlinkstreamError, messageOf, type Frame, type Position } from '../records/index.js';
import { leaseOf, type ByteBudget } from './budget.js';
import { exifTimeMs, timeReader, type ImageTimes, type TimeReader } from './image-times.js';
import type { Source, SourceReport } from './index.js';
import { inputUnreadable, isGlob, statInput } from './input-path.js';

export interface ImagesOptions {
  /** A folder, a glob or a single file. */
  readonly input: string;
  /** Default: the folder's name; of a single file, its name without extension. */
  readonly name?: string;
  /** Default: `exif` if the first readable image has a time there, else an error that names the ways. */
  readonly times?: ImageTimes;
  /** Pixels that a picture may have at most; default 100,000,000. */
  readonly maxPixels?: number;
}

/** Larger files are no pictures that are read here. */
const MAX_FILE_BYTES = 1 << 30;
/** What counts as a picture in a folder; of these, formats that cannot be read are reported. A glob takes all it matches. */
const PICTURE_NAME = /^[^.].*\.(?:jpe?g|jpe|png|webp|tiff?|gif|bmp|avif|hei[cf]|jp2|svg|dng|cr2|nef|arw)$/i;

/**
 * Image files in natural order (`frame_2` before `frame_10`), as their undecoded originals; sizes may differ.
 *
 * `index` is the place in that order; a file that cannot be read leaves its number and, with `intervalMs`, its time
 * unused, and stands in the report's `unreadable`. Memory: the budget holds the file's bytes.
 *
 * `read` throws BlinkstreamError class `user`: `SOURCE_NOT_FOUND`, `SOURCE_UNREADABLE`, `SOURCE_EMPTY`,
 * `SOURCE_TIMES_UNKNOWN`, `SOURCE_CHANGED`, `SOURCE_NOT_IMAGES` where not one can be read.
 */
export function imagesSource(options: ImagesOptions): Source<Frame> {
  const { input, times, maxPixels } = options;
  let timeOf = times === undefined ? undefined : timeReader(times);
  const name = options.name ?? nameOf(input);
  return {
    name,
    async *read({ from, budget, signal }): AsyncGenerator<Frame, SourceReport, undefined> {
      const files = await listImages(input);
      const start = from === undefined ? undefined : startAt(from, files, input);
      let firstMs = start?.firstMs;
      let framesRead = start?.index ?? 0;
      const unreadable: { where: string; problem: string }[] = [];
      for (let index = framesRead; index < files.length; index++) {
        signal.throwIfAborted();
        const file = files[index];
        const image = await readImage(file, { budget, signal, ...(maxPixels !== undefined && { maxPixels }) });
        if ('problem' in image) {
          unreadable.push({ where: file, problem: image.problem });
          continue;
        }
        const free = () => budget.give(image.heldBytes);
        let eventTimeMs: number;
        try {
          timeOf ??= await inferTimes(image.bytes, file);
          eventTimeMs = await timeOf({ name: path.basename(file), index, bytes: image.bytes });
        } catch (error) {
          free();
          if (error instanceof BlinkstreamError) throw error;
          unreadable.push({ where: file, problem: messageOf(error) });
          continue;
        }
        firstMs ??= eventTimeMs;
        framesRead++;
        const { mediaType, width, height } = image.header;
        yield {
          ref: {
            source: name,
            index,
            eventTimeMs,
            elapsedMs: eventTimeMs - firstMs,
            position: { index, offset: `${firstMs} ${path.basename(file)}` },
            width,
            height,
          },
          lease: leaseOf({ form: 'encoded', encoded: { mediaType, bytes: image.bytes } }, image.heldBytes, free),
        };
      }
      if (framesRead === 0) throw nothingReadable(input, unreadable);
      const [first] = unreadable;
      return {
        framesRead,
        framesExpected: files.length,
        complete: first === undefined,
        ...(first !== undefined && {
          problem: `read ${framesRead} of ${files.length} images; ${first.where}: ${first.problem}${unreadable.length > 1 ? `, and ${unreadable.length - 1} more` : ''}`,
        }),
        unreadable,
      };
    },
  };
}

/** Paths in natural order. */
async function listImages(input: string): Promise<string[]> {
  const info = await statInput(input);
  let files: string[];
  if (info?.isFile()) files = [input];
  else if (info?.isDirectory()) {
    const entries = await readdir(input, { withFileTypes: true }).catch((error: unknown) => {
      throw inputUnreadable(input, error);
    });
    const named = entries.filter((entry) => !entry.isDirectory() && PICTURE_NAME.test(entry.name));
    files = named.map((entry) => path.join(input, entry.name));
  } else if (isGlob(input)) {
    files = await glob([input.replaceAll('\\', '/')], { onlyFiles: true, expandDirectories: false });
  } else throw inputError('SOURCE_NOT_FOUND', `there is no ${input}`, 'check the path');
  if (files.length === 0) {
    const what = info === undefined ? `no file matches ${input}` : `there is no image in ${input}`;
    throw inputError('SOURCE_EMPTY', what, 'name a folder or a glob with JPEG, PNG, WebP or TIFF files');
  }
  // The same order on every machine, whatever its language.
  const natural = new Intl.Collator('en', { numeric: true });
  return files.sort((a, b) => natural.compare(a, b) || (a < b ? -1 : 1));
}

type Image =
  { bytes: Uint8Array; heldBytes: number; header: Awaited<ReturnType<typeof readHeader>> } | { problem: string };

/** Takes credit for the file's bytes, which the caller gives back; a problem holds none. */
async function readImage(
  file: string,
  { budget, signal, maxPixels }: { budget: ByteBudget; signal: AbortSignal; maxPixels?: number },
): Promise<Image> {
  let heldBytes = 0;
  const problem = (reason: string): Image => {
    if (heldBytes > 0) budget.give(heldBytes);
    return { problem: reason };
  };
  try {
    await using handle = await open(file);
    const { size } = await handle.stat();
    if (size > MAX_FILE_BYTES) return problem(`it has ${size} bytes, more than 1 GiB`);
    await budget.take(size, signal);
    heldBytes = size;
    const bytes = new Uint8Array(size);
    const { bytesRead } = await handle.read(bytes, 0, size, 0);
    if (bytesRead < size) return problem('it was cut short while it was read');
    const name = path.basename(file);
    const header = await readHeader(bytes, { name, ...(maxPixels !== undefined && { maxPixels }) });
    if (header.pages > 1) return problem(`it has ${header.pages} pages, and only single pictures are read`);
    return { bytes, heldBytes, header };
  } catch (error) {
    const failed = problem(messageOf(error));
    signal.throwIfAborted();
    return failed;
  }
}

async function inferTimes(bytes: Uint8Array, file: string): Promise<TimeReader> {
  if ((await exifTimeMs(bytes)) !== undefined) return timeReader('exif');
  throw inputError(
    'SOURCE_TIMES_UNKNOWN',
    `${file} does not tell when it was taken`,
    'say how far apart the images are (--interval 10000), or how their names hold the time ({YYYY}{MM}{DD}_{hh}{mm}{ss}), or give images with EXIF times',
  );
}

/** Where to go on; `offset` is the time of the first image and this one's name. */
function startAt(from: Position, files: readonly string[], input: string): { index: number; firstMs: number } {
  const space = from.offset.indexOf(' ');
  const name = from.offset.slice(space + 1);
  if (from.index >= files.length || path.basename(files[from.index]) !== name) {
    throw inputError(
      'SOURCE_CHANGED',
      `${input} no longer has ${name} as image ${from.index}`,
      'images were added or removed since the last run: begin anew with another output folder',
    );
  }
  return { index: from.index, firstMs: Number(from.offset.slice(0, space)) };
}

function nameOf(input: string): string {
  const fixed = input.replaceAll('\\', '/').split('/');
  const globAt = fixed.findIndex(isGlob);
  if (globAt === 0) return path.basename(process.cwd());
  if (globAt > 0) return path.basename(path.resolve(fixed.slice(0, globAt).join('/') || '/'));
  return path.parse(path.resolve(input)).name;
}

function nothingReadable(input: string, unreadable: readonly { where: string; problem: string }[]): BlinkstreamError {
  const [{ where, problem }] = unreadable;
  const more = unreadable.length > 1 ? ` (nor any of ${unreadable.length - 1} others)` : '';
  const message = `no image of ${input} can be read: ${where}: ${problem}${more}`;
  return inputError('SOURCE_NOT_IMAGES', message, 'give JPEG, PNG, WebP or TIFF files');
}

const inputError = (code: string, message: string, hint: string): BlinkstreamError =>
  new BlinkstreamError(message, { code, class: 'user', stage: 'source', hint });
