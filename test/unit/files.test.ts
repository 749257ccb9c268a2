import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ifThere, makeFolder } from '../../src/records/files.js';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'blinkstream-files-'));
  await writeFile(join(dir, 'file'), 'text');
  await symlink('loop', join(dir, 'loop'));
});
afterEach(() => rm(dir, { recursive: true }));

describe('looking at a path', () => {
  it('gives what is there, and nothing where nothing is', async () => {
    expect(await ifThere(readFile(join(dir, 'file'), 'utf8'))).toBe('text');
    expect(await ifThere(stat(join(dir, 'gone')))).toBeUndefined();
    expect(await ifThere(stat(join(dir, 'file', 'below')))).toBeUndefined();
  });

  it.each([
    ['loop', 'ELOOP'],
    ['x'.repeat(300), 'ENAMETOOLONG'],
    ['.', 'EISDIR'],
  ])('does not take a failure for nothing: %s', async (name, code) => {
    await expect(ifThere(readFile(join(dir, name)))).rejects.toMatchObject({ code });
  });

  it('does not take an error of another kind for nothing', async () => {
    await expect(ifThere(Promise.reject(new Error('other')))).rejects.toThrow('other');
  });
});

describe('making a folder', () => {
  it('makes those above it too, and takes one that is there', async () => {
    const folder = join(dir, 'a', 'b', 'c');
    await Promise.all([makeFolder(folder), makeFolder(folder), makeFolder(folder)]);
    await makeFolder(folder);
    expect((await stat(folder)).isDirectory()).toBe(true);
  });

  it.each([
    ['file', 'EEXIST'],
    ['file/below', 'EEXIST'],
    ['loop', 'ELOOP'],
    ['loop/below', 'ELOOP'],
  ])('fails where something else stands: %s', async (name, code) => {
    await expect(makeFolder(join(dir, name))).rejects.toMatchObject({ code });
  });

  it.runIf(existsSync('/proc/self'))('fails where the system takes no folders', async () => {
    await expect(makeFolder('/proc/blinkstream/a')).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
