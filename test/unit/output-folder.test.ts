import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { claimOutputFolder, makeOutputFolder, outputFolder, readRunRecord } from '../../src/cli/output-folder.js';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'blinkstream-output-'));
});
afterEach(() => rm(dir, { recursive: true }));

describe('an output folder', () => {
  it('is made with the folders above it, and taken as it is where it is there', async () => {
    const out = join(dir, 'a', 'b');
    await makeOutputFolder(out);
    await makeOutputFolder(out);
    expect((await stat(out)).isDirectory()).toBe(true);
  });

  it('that cannot be made is an error of the user, told at once', async () => {
    await writeFile(join(dir, 'file'), '');
    await expect(makeOutputFolder(join(dir, 'file', 'out'))).rejects.toMatchObject({ code: 'OUTPUT_NOT_WRITABLE' });
  });

  it.runIf(existsSync('/proc/self'))('is refused where the system takes no folders', async () => {
    await expect(makeOutputFolder('/proc/blinkstream/out')).rejects.toMatchObject({ code: 'OUTPUT_NOT_WRITABLE' });
  });

  it('holds the results of one input: the same goes on, another is refused', async () => {
    const run = { topology: 'watch', source: 'yard', input: join(dir, 'yard.mp4') };
    await writeFile(run.input, 'one');
    await claimOutputFolder(dir, run);
    await claimOutputFolder(dir, run);
    await expect(claimOutputFolder(dir, { ...run, input: join(dir, 'other.mp4') })).rejects.toMatchObject({
      code: 'OUTPUT_OF_OTHER_INPUT',
    });
    await writeFile(run.input, 'another file under the same name');
    await expect(claimOutputFolder(dir, run)).rejects.toMatchObject({ code: 'OUTPUT_OF_OTHER_INPUT' });
  });

  it('is not claimed for an input that cannot be looked at', async () => {
    const input = join(dir, 'loop.mp4');
    await symlink('loop.mp4', input);
    const claim = claimOutputFolder(dir, { topology: 'watch', source: 'loop', input });
    await expect(claim).rejects.toMatchObject({ code: 'SOURCE_UNREADABLE' });
  });

  it('whose record cannot be read is no new one', async () => {
    const { recordFile } = outputFolder(dir);
    expect(await readRunRecord(recordFile)).toBeUndefined();
    await mkdir(recordFile);
    const unreadable = { code: 'OUTPUT_NOT_READABLE', message: expect.stringContaining(recordFile) as string };
    await expect(readRunRecord(recordFile)).rejects.toMatchObject(unreadable);
    await expect(
      claimOutputFolder(dir, { topology: 'watch', source: 'yard', input: join(dir, 'yard.mp4') }),
    ).rejects.toMatchObject(unreadable);
  });
});
