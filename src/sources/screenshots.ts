import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { glob } from 'tinyglobby';
import { readHeader } from '../pixels/decode.js';
import { BlinkstreamError, messageOf, type Frame, type FrameContent } from '../records/index.js';
import { leaseOf } from './budget.js';
import type { Source, SourceReport } from './index.js';
import { statInput } from './input-path.js';

export interface ScreenshotsOptions {
  /** A folder, or a file, of the release before. */
  readonly before: string;
  /** A folder, or a file, of the release after: of the same kind. */
  readonly after: string;
  /** Pixels that a screenshot may have at most; default 50,000,000: comparing takes about 30 bytes a pixel. */
  readonly maxPixels?: number;
}

/** Two screenshots of one place. */
interface ScreenshotPair {
  /** Path relative to the folder, with `/`, without extension. */
  readonly name: string;
  readonly before: string;
  readonly after: string;
}

/** The screenshots of two releases: each pair is two frames, the one before first. */
export interface ScreenshotSource extends Source<Frame> {
  readonly pairs: number;
  /** The place that a frame shows. */
  nameOf(frame: number): string;
  /** Places that only one of the releases has a screenshot of. */
  readonly onlyBefore: readonly string[];
  readonly onlyAfter: readonly string[];
}

const pattern = '**/*.{png,jpg,jpeg,webp,PNG,JPG,JPEG,WEBP}';

/**
 * Pairs the screenshots of two folders by their paths, or two files. Pairs whose files hold the same bytes are not given.
 * A file that cannot be read stands in the report's `unreadable`, and its pair is not given.
 *
 * @throws BlinkstreamError class `user`: `SOURCE_NOT_FOUND`, `SOURCE_UNREADABLE`, `SOURCE_EMPTY`, `SOURCES_OF_TWO_KINDS`
 */
export async function openScreenshots({
  before,
  after,
  maxPixels = 50_000_000,
}: ScreenshotsOptions): Promise<ScreenshotSource> {
  const [old, young] = [await listScreenshots(before), await listScreenshots(after)];
  if (old.isFile !== young.isFile) {
    throw new BlinkstreamError(`${before} and ${after}: one is a file, the other a folder`, {
      code: 'SOURCES_OF_TWO_KINDS',
      class: 'user',
      stage: 'source',
      hint: 'name two folders, or two files',
    });
  }
  const pairs: ScreenshotPair[] = [];
  for (const [name, file] of old.files) {
    const other = young.isFile ? [...young.files.values()][0] : young.files.get(name);
    if (other !== undefined) pairs.push({ name, before: file, after: other });
  }
  const missingIn = (one: typeof old, other: typeof old): string[] =>
    one.isFile ? [] : [...one.files.keys()].filter((name) => !other.files.has(name));
  const name = path.basename(path.resolve(after)).replace(/\.[^.]+$/, '');
  return {
    name,
    pairs: pairs.length,
    nameOf: (frame) => pairs[frame >> 1].name,
    onlyBefore: missingIn(old, young),
    onlyAfter: missingIn(young, old),
    async *read({ from, budget, signal }): AsyncGenerator<Frame, SourceReport, undefined> {
      const unreadable: { where: string; problem: string }[] = [];
      let framesRead = from?.index ?? 0;
      for (let i = framesRead >> 1; i < pairs.length; i++) {
        signal.throwIfAborted();
        const files = [pairs[i].before, pairs[i].after];
        const contents = await contentsOf(files, maxPixels);
        framesRead = 2 * i + 2;
        if ('problems' in contents) {
          unreadable.push(...contents.problems);
          continue;
        }
        const [a, b] = contents.contents;
        if (a.bytes.equals(b.bytes)) continue;
        for (const [side, { bytes, content, width, height }] of [a, b].entries()) {
          await budget.take(bytes.byteLength, signal);
          const index = 2 * i + side;
          yield {
            ref: {
              ...{ source: name, index, eventTimeMs: index, elapsedMs: index, width, height },
              position: { index, offset: files[side] },
            },
            lease: leaseOf(content, bytes.byteLength, () => budget.give(bytes.byteLength)),
          };
        }
      }
      const [first] = unreadable;
      return {
        framesRead,
        framesExpected: 2 * pairs.length,
        complete: first === undefined,
        ...(first !== undefined && { problem: `${first.where}: ${first.problem}` }),
        unreadable,
      };
    },
  };
}

interface Screenshot {
  readonly bytes: Buffer;
  readonly content: FrameContent;
  readonly width: number;
  readonly height: number;
}

async function contentsOf(
  files: readonly string[],
  maxPixels: number,
): Promise<{ contents: Screenshot[] } | { problems: { where: string; problem: string }[] }> {
  const contents: Screenshot[] = [];
  const problems: { where: string; problem: string }[] = [];
  for (const file of files) {
    try {
      const bytes = await readFile(file);
      const name = path.basename(file);
      const { mediaType, width, height } = await readHeader(bytes, {
        name,
        maxPixels,
      });
      contents.push({ bytes, width, height, content: { form: 'encoded', encoded: { mediaType, bytes } } });
    } catch (error) {
      problems.push({ where: file, problem: messageOf(error) });
    }
  }
  return problems.length > 0 ? { problems } : { contents };
}

/** Files by name of the place that they show, in natural order. */
async function listScreenshots(input: string): Promise<{ isFile: boolean; files: Map<string, string> }> {
  const info = await statInput(input);
  if (info === undefined) throw inputError('SOURCE_NOT_FOUND', `there is no ${input}`, 'check the path');
  if (info.isFile()) return { isFile: true, files: new Map([[withoutExtension(path.basename(input)), input]]) };
  const found = await glob([pattern], { cwd: input, onlyFiles: true });
  if (found.length === 0) {
    throw inputError(
      'SOURCE_EMPTY',
      `there is no screenshot in ${input}`,
      'name a folder with PNG, JPEG or WebP files',
    );
  }
  const natural = new Intl.Collator('en', { numeric: true });
  const files = new Map<string, string>();
  const names = found.map((file) => file.replaceAll('\\', '/'));
  for (const file of names.sort((a, b) => natural.compare(a, b) || (a < b ? -1 : 1))) {
    const name = withoutExtension(file);
    // Two files that differ by their extension alone show two places.
    files.set(files.has(name) ? file : name, path.join(input, file));
  }
  return { isFile: false, files };
}

const withoutExtension = (file: string): string => file.replace(/\.[^./]+$/, '');

const inputError = (code: string, message: string, hint: string): BlinkstreamError =>
  new BlinkstreamError(message, { code, class: 'user', stage: 'source', hint });
