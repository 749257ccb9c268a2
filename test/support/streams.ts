import { Writable } from 'node:stream';
import type { TerminalStream } from '../../src/cli/terminal.js';

/** A stream that keeps what is written to it, as a terminal of 80 columns or as a pipe. */
export function keptStream(kind: 'terminal' | 'pipe'): TerminalStream & { readonly text: () => string } {
  let kept = '';
  const stream = new Writable({
    decodeStrings: false,
    write(chunk: string, _encoding, done) {
      kept += chunk;
      done();
    },
  });
  return Object.assign(stream, { text: () => kept, ...(kind === 'terminal' && { isTTY: true, columns: 80 }) });
}

/** What a person sees at the end: carriage returns and erased lines done, colours left out. */
export function shown(text: string): string[] {
  const lines = [''];
  // eslint would have this read as a mistake, but the escape character is what is looked for.
  const escape = String.fromCharCode(27);
  for (const part of text.split(new RegExp(`(\\r${escape}\\[2K|\\n|${escape}\\[\\d+m)`))) {
    if (part === '\n') lines.push('');
    else if (part.startsWith('\r')) lines[lines.length - 1] = '';
    else if (!part.startsWith(escape)) lines[lines.length - 1] += part;
  }
  return lines;
}
