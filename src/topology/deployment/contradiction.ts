import { BlinkstreamError } from '../../records/index.js';
import type { ValuePath } from './text.js';

/** What a deployment file says and cannot mean. */
export interface Contradiction {
  readonly path: ValuePath;
  readonly message: string;
}

/** What `parse` has against the value at `path`. */
export function tried(path: ValuePath, parse: () => unknown): Contradiction[] {
  try {
    parse();
    return [];
  } catch (error) {
    if (!(error instanceof BlinkstreamError)) throw error;
    return [{ path, message: `${error.message}; ${error.hint}` }];
  }
}

/** Says nothing of what is written there: whoever may read the file could use it. */
export const notWritten = (what: string): string =>
  `a ${what} must not stand in the file: give it as \${file:PATH} or \${env:NAME}`;
