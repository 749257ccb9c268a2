import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { parseDeployment } from '../../src/topology/deployment/parse.js';
import { loadZones } from '../../src/topology/deployment/zones.js';
import { codeBlocks } from '../support/documents.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'blinkstream-zones-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const load = async (yaml: string) => {
  const file = join(folder, 'zones.yaml');
  await writeFile(file, yaml);
  return loadZones(file);
};

describe('a file of zones', () => {
  it('is a list of areas, each with a name that sentences say unless told otherwise', async () => {
    const zones = await load('- { name: desk, polygon: [[0, 0.5], [1, 0.5], [0.5, 1]] }');
    const polygon = [
      [0, 0.5],
      [1, 0.5],
      [0.5, 1],
    ];
    expect(zones).toEqual([{ name: 'desk', use: 'name', polygon }]);
  });

  it.each([
    ['- { name: desk, polygon: [[0, 0], [1, 1]] }', '1:26: [0].polygon must have at least 3 entries'],
    ['- { name: desk, polygon: [[0, 0], [1, 1], [20, 1]] }', '1:44: [0].polygon[2][0] must be at most 1'],
    ['- { name: desk, use: privat, polygon: [[0, 0], [1, 1], [0, 1]] }', 'did you mean "private"?'],
    ['- { nmae: desk, polygon: [[0, 0], [1, 1], [0, 1]] }', 'there is no "nmae" in [0]; did you mean "name"?'],
    ['desk: 1', '1:1: the file must be a list, and is a mapping'],
    [
      '- { name: desk, polygon: [[0, 0], [1, 1], [0, 1]] }\n- { name: desk, polygon: [[0, 0], [1, 1], [0, 1]] }',
      '2:11: [1].name: two areas are named desk',
    ],
    ['- [', 'zones.yaml:1:'],
  ])('%s is told with its place', async (yaml, told) => {
    await expect(load(yaml)).rejects.toMatchObject({
      ...{ code: 'ZONES_INVALID', class: 'user' },
      message: expect.stringContaining(told) as string,
    });
  });

  it('that cannot be read is told', async () => {
    await expect(loadZones(join(folder, 'none.yaml'))).rejects.toMatchObject({ code: 'ZONES_NOT_READABLE' });
  });

  it('and a deployment file are as docs/zones.md has them', async () => {
    const [file, deployment] = codeBlocks('docs/zones.md').filter(({ language }) => language === 'yaml');
    expect((await load(file.code)).map(({ use }) => use)).toEqual(['name', 'exclude', 'private']);
    expect(parse(deployment.code)).toHaveProperty('sources');
    const parsed = parseDeployment(deployment.code);
    expect(parsed).toHaveProperty('deployment.sources.0.zones.0.name', 'driveway');
  });
});
