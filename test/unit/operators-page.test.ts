import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { expect, test } from 'vitest';
import { catalogue } from '../../src/topology/catalogue.js';
import { operatorsPage } from '../support/operators-page.js';

const at = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));

test('docs/operators.md is what the catalogue says; `npm run docs` writes it', async () => {
  const file = at('docs/operators.md');
  const page = await format(operatorsPage(), { ...(await resolveConfig(file)), filepath: file });
  await expect(page).toMatchFileSnapshot(file);
});

test('the catalogue lists every operator there is, and no other', () => {
  const folder = at('src/topology/operators');
  const exported = readdirSync(folder)
    .filter((file) => /OperatorFunction|Observable<SourceItem>/.test(readFileSync(`${folder}/${file}`, 'utf8')))
    .map((file) => file.replace('.ts', ''));
  expect([...new Set(catalogue.map(({ name }) => name.replace(/\(.*/, '')))].sort()).toEqual(exported.sort());
});
