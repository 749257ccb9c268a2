import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import path from 'node:path';
import { BlinkstreamError } from '../../records/index.js';

/** Something on this machine that Blinkstream works with. */
export interface Check {
  readonly name: string;
  /** Without it nothing runs; else only what its remedy names is missing. */
  readonly needed: boolean;
  /** How to get it, unless the error has a hint of its own. */
  readonly remedy: string;
  /** What is there, in words with versions. Throws where it is not, with a message that says so. */
  find(env: NodeJS.ProcessEnv): string | Promise<string>;
}

/** What a check throws where the thing is not there. */
export const lacking = (message: string, cause?: unknown, hint?: string): BlinkstreamError =>
  new BlinkstreamError(message, {
    code: 'ENVIRONMENT_LACKS',
    class: 'external',
    stage: 'cli',
    ...(cause !== undefined && { cause }),
    ...(hint !== undefined && { hint }),
  });

/** The first executable file of these names on PATH. */
export async function onPath(names: readonly string[], env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const folders = (env.PATH ?? '').split(path.delimiter).filter(Boolean);
  for (const candidate of names.flatMap((name) => folders.map((folder) => path.join(folder, name)))) {
    try {
      await access(candidate, constants.X_OK);
      return candidate;
    } catch {
      // Not this one.
    }
  }
  return undefined;
}
