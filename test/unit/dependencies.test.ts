import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const read = (file: string): string => readFileSync(fileURLToPath(new URL(`../../${file}`, import.meta.url)), 'utf8');
const manifest = (file: string) =>
  JSON.parse(read(file)) as Record<'dependencies' | 'devDependencies', Record<string, string>> & { license: string };

test.each([
  ['dependencies', '## At run time'],
  ['devDependencies', '## For building and testing'],
] as const)('docs/dependencies.md tells why each of %s is there and no other', (kind, heading) => {
  const [, section] = read('docs/dependencies.md').split(`${heading}\n`);
  const rows = [...section.split('\n## ')[0].matchAll(/^\| `([^`]+)` +\| (.+?) +\| (.+?) +\|$/gm)];
  expect(rows.map(([, name]) => name)).toEqual(Object.keys(manifest('package.json')[kind]));
  for (const [, name, , licence] of rows) {
    const told = manifest(`node_modules/${name}/package.json`).license.replace(/[()]/g, '');
    expect(`${name}: ${licence}`).toContain(`${name}: ${told}`);
  }
});

test('the lock file names no registry, so that any mirror will do', () => {
  expect(read('package-lock.json')).not.toMatch(/"resolved": "https?:/);
});
