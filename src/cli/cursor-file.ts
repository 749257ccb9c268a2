import { readFile, rename, writeFile } from 'node:fs/promises';
import type { Cursor } from '../log/index.js';
import { BlinkstreamError, messageOf } from '../records/index.js';

/** The cursor that `file` keeps; undefined where there is no such file. @throws BlinkstreamError `CURSOR_FILE` (user) */
export async function readCursor(file: string): Promise<Cursor | undefined> {
  let content: string;
  try {
    content = (await readFile(file, 'utf8')).trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw cursorFileError(`cursor file ${file} cannot be read: ${messageOf(error)}`, error);
  }
  if (/^[\w-]+$/.test(content)) return Buffer.from(content, 'base64url');
  throw cursorFileError(`cursor file ${file} holds no cursor`);
}

/** Keeps `cursor` in place of the one before; a crash leaves one of the two, whole. */
export async function writeCursor(file: string, cursor: Cursor): Promise<void> {
  const beside = `${file}.${process.pid}.tmp`;
  try {
    await writeFile(beside, `${Buffer.from(cursor).toString('base64url')}\n`);
    await rename(beside, file);
  } catch (error) {
    throw cursorFileError(`cursor file ${file} cannot be written: ${messageOf(error)}`, error);
  }
}

const cursorFileError = (message: string, cause?: unknown): BlinkstreamError =>
  new BlinkstreamError(message, {
    code: 'CURSOR_FILE',
    class: 'user',
    stage: 'cli',
    hint: 'Give another file with --cursor-file, or delete this one to begin anew.',
    ...(cause !== undefined && { cause }),
  });
