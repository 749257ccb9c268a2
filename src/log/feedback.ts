import { randomUUID } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ifThere, makeFolder } from '../records/files.js';
import { BlinkstreamError, messageOf } from '../records/index.js';

/** With the log, so that what is removed together is forgotten together. */
const fileIn = (logFolder: string): string => join(logFolder, 'feedback.json');

/**
 * What people have said of changes of a log; nothing where nobody has.
 * @throws BlinkstreamError `FEEDBACK_NOT_READABLE` (user)
 */
export async function readFeedback<T extends { readonly changeId: string }>(logFolder: string): Promise<T[]> {
  const file = fileIn(logFolder);
  try {
    const text = await ifThere(readFile(file, 'utf8'));
    if (text === undefined) return [];
    const found: unknown = JSON.parse(text);
    if (!Array.isArray(found)) throw new Error('it is no list');
    return found as T[];
  } catch (cause) {
    throw new BlinkstreamError(`${file} cannot be read: ${messageOf(cause)}`, {
      code: 'FEEDBACK_NOT_READABLE',
      class: 'user',
      stage: 'topology',
      hint: 'check its permissions; to forget all that was said of changes, remove it',
      cause,
    });
  }
}

/** Takes the place of what was said before. @throws BlinkstreamError `FEEDBACK_NOT_WRITTEN` (user) */
export async function writeFeedback(
  logFolder: string,
  feedback: readonly { readonly changeId: string }[],
): Promise<void> {
  const file = fileIn(logFolder);
  const unfinished = `${file}.${randomUUID()}.unfinished`;
  try {
    await makeFolder(logFolder);
    await writeFile(unfinished, `${JSON.stringify(feedback, null, 2)}\n`);
    await rename(unfinished, file);
  } catch (cause) {
    throw new BlinkstreamError(`${file} cannot be written: ${messageOf(cause)}`, {
      code: 'FEEDBACK_NOT_WRITTEN',
      class: 'user',
      stage: 'topology',
      hint: 'check the permissions of its folder',
      cause,
    });
  }
}
