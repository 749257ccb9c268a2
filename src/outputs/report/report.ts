import { createHash, randomUUID } from 'node:crypto';
import { open, readFile, rename, rm, type FileHandle } from 'node:fs/promises';
import type { BlobStore } from '../../log/index.js';
import { BlinkstreamError, messageOf, type ChangeEvent } from '../../records/index.js';
import { html } from './html.js';
import { Moments } from './moments.js';
import { body, type ReportSource } from './page.js';
import { choosePictures, type PictureBook } from './pictures.js';
import { tell } from './story.js';

export type { ReportSource } from './page.js';

export interface ReportInput {
  /** The HTML file to write; replaced in one step where it exists. */
  readonly path: string;
  readonly title: string;
  readonly source: ReportSource;
  /** Every change with all its revisions; those of kind `CONDITION` are told apart. */
  readonly changes: readonly (readonly ChangeEvent[])[];
  readonly blobs: Pick<BlobStore, 'get'>;
  /** IANA time zone in which times of day are told, where the source knows them; default: that of this machine. */
  readonly timeZone?: string;
  /** Bytes of pictures that the file may hold (a third more in the file, as base64); default 32 MiB. */
  readonly maxPictureBytes?: number;
}

export interface WrittenReport {
  readonly pictures: number;
  /** Pictures that the file does not hold; it says so itself. */
  readonly picturesLeftOut: number;
}

const MAX_PICTURE_BYTES = 32 * 2 ** 20;

/**
 * Writes the report: one HTML file that needs nothing else and may reach nothing else. Pictures are read one at a time
 * and written through, so memory does not grow with their number.
 * @throws BlinkstreamError `REPORT_NOT_WRITTEN` (resource) where the file cannot be written; no half file stays
 */
export async function writeReport(input: ReportInput): Promise<WrittenReport> {
  const { path, title, source, changes, blobs, timeZone, maxPictureBytes = MAX_PICTURE_BYTES } = input;
  const stories = tell(changes);
  const book = await choosePictures(stories, blobs, maxPictureBytes);
  const moments = new Moments(
    stories.map(({ last }) => last.interval.first),
    source.durationMs,
    timeZone,
  );
  const showing = { book, moments, frameSize: source.frameSize };
  const [script, ...styles] = await Promise.all(['report.js', ...styleSheets].map(asset));
  const style = styles.join('\n');
  const unfinished = `${path}.${randomUUID()}.unfinished`;
  try {
    const file = await open(unfinished, 'wx');
    try {
      await file.appendFile(head(title, style, script));
      await file.appendFile(body({ title, source, stories, showing, maxPictureBytes }).text);
      await writePictures(file, book, blobs);
      await file.appendFile(`<script>${script}</script>\n</body>\n</html>\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(unfinished, path);
  } catch (cause) {
    await rm(unfinished, { force: true });
    if (cause instanceof BlinkstreamError) throw cause;
    throw notWritten(path, messageOf(cause), cause);
  }
  return { pictures: book.ids.size, picturesLeftOut: book.overLimit + book.missing + book.notShowable };
}

/** In the order of the cascade. */
const styleSheets = ['page.css', 'timeline.css', 'card.css', 'pictures.css', 'media.css'];

const asset = (name: string): Promise<string> => readFile(new URL(`./assets/${name}`, import.meta.url), 'utf8');

/** Source expression of the content security policy that lets exactly this text in. */
const allowed = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

function head(title: string, style: string, script: string): string {
  const policy = [
    "default-src 'none'",
    'img-src data:',
    `style-src ${allowed(style)}`,
    `script-src ${allowed(script)}`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  const meta = html`<meta charset="utf-8" />
    <meta http-equiv="Content-Security-Policy" content="${policy}" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <meta name="color-scheme" content="light dark" />
    <meta name="referrer" content="no-referrer" />
    <title>${title}</title>`;
  return `<!doctype html>\n<html lang="en">\n<head>\n${meta.text}\n<style>${style}</style>\n</head>\n<body>\n`;
}

/** Each picture once, as a data block: text that the browser neither runs nor decodes until a card asks for it. */
async function writePictures(file: FileHandle, book: PictureBook, blobs: Pick<BlobStore, 'get'>): Promise<void> {
  for (const [sha256, id] of book.ids) {
    const blob = await blobs.get(sha256);
    if (blob === undefined) throw notWritten(`picture ${sha256}`, 'it was removed from the log meanwhile');
    const data = Buffer.from(blob.bytes.buffer, blob.bytes.byteOffset, blob.bytes.byteLength).toString('base64');
    await file.appendFile(`<script type="text/plain" id="${id}">data:${blob.mediaType};base64,${data}</script>\n`);
  }
}

const notWritten = (path: string, why: string, cause?: unknown): BlinkstreamError =>
  new BlinkstreamError(`the report could not be written to ${path}: ${why}`, {
    code: 'REPORT_NOT_WRITTEN',
    class: 'resource',
    stage: 'output',
    hint: 'check that the folder exists, may be written to and has space, then run again',
    cause,
  });
