import type { Stats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { BlinkstreamError, messageOf } from '../records/index.js';
import { ifThere } from '../records/files.js';

/** Whether `input` reads as a glob. A file may have such a name, too, and is then what is meant. */
export const isGlob = (input: string): boolean => /[*?[\]{}!]/.test(input);

/**
 * What is at the path `input`; undefined where there is nothing.
 * @throws BlinkstreamError `SOURCE_UNREADABLE` (user) where that cannot be told
 */
export async function statInput(input: string): Promise<Stats | undefined> {
  try {
    return await ifThere(stat(input));
  } catch (cause) {
    // A glob may be longer than any name; a path that long is not.
    if (isGlob(input) && (cause as NodeJS.ErrnoException).code === 'ENAMETOOLONG') return undefined;
    throw inputUnreadable(input, cause);
  }
}

/** `display` names the input in the message. */
export const inputUnreadable = (display: string, cause: unknown): BlinkstreamError =>
  new BlinkstreamError(`${display} cannot be read: ${messageOf(cause)}`, {
    code: 'SOURCE_UNREADABLE',
    class: 'user',
    stage: 'source',
    hint: 'check the path and its permissions',
    cause,
  });
