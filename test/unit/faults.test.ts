import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root, textOf } from '../support/documents.js';

/** The numbers in the names of a file's tests: `fault 3: …`, `faults 1, 2: …`. */
function faultsIn(file: string): Set<number> {
  const text = readFileSync(join(root, file), 'utf8');
  const inNames = text.matchAll(/^.*['"`][^'"`]*\bfaults? (\d+(?:, \d+)*)/gm);
  return new Set([...inNames].flatMap(([, numbers]) => numbers.split(', ').map(Number)));
}

const testFiles = readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' })
  .map((file) => join('test', file))
  .filter((file) => file.endsWith('.test.ts') || /^test\/conformance\/[a-z]+\.ts$/.test(file))
  .filter((file) => file !== 'test/unit/faults.test.ts');

const rows = [...textOf('docs/faults.md').matchAll(/^\| (\d+) +\|(.*)\|$/gm)].map(([, number, cells]) => ({
  number: Number(number),
  files: [...(cells.split(' | ').at(-1) ?? '').matchAll(/`(test\/[^`]+)`/g)].map(([, file]) => file),
}));

describe('docs/faults.md', () => {
  it('tells each of the 26 faults, in their order', () => {
    expect(rows.map(({ number }) => number)).toEqual(Array.from({ length: 26 }, (_, i) => i + 1));
  });

  it('names for each the files of all tests that have its number in their names', () => {
    const shown = new Map(testFiles.map((file) => [file, faultsIn(file)]));
    for (const { number, files } of rows) {
      const those = testFiles.filter((file) => shown.get(file)?.has(number));
      expect(those, `fault ${number}`).not.toEqual([]);
      expect([...files].sort(), `fault ${number}`).toEqual(those.sort());
    }
  });
});
