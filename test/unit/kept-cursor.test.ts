import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { KeptCursor } from '../../src/outputs/kept-cursor.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'blinkstream-cursor-'));
});
afterEach(() => rm(folder, { recursive: true }));

describe('the cursor of an output', () => {
  it('is read as it was written last, from a file of its own', async () => {
    const kept = new KeptCursor(join(folder, 'outputs', 'kafka', 'x'.repeat(249)));
    expect(await kept.read()).toBeUndefined();
    for (const cursor of [Uint8Array.of(1, 2, 3), Uint8Array.from({ length: 65 }, (_, i) => 255 - i)]) {
      await kept.write(cursor);
      expect(await new KeptCursor(kept.file).read()).toEqual(Buffer.from(cursor));
    }
    expect(await readdir(join(folder, 'outputs', 'kafka'))).toHaveLength(1);
    expect((await stat(kept.file)).mode & 0o777).toBe(0o600);
  });

  it.each(['', '\n', 'AQID', 'not one\n', 'AQID\nAQID\n'])(
    'is refused where the file holds none: %j',
    async (content) => {
      await writeFile(join(folder, 'cursor'), content);
      await expect(new KeptCursor(join(folder, 'cursor')).read()).rejects.toMatchObject({
        code: 'OUTPUT_DAMAGED',
        class: 'user',
        message: `${join(folder, 'cursor')} holds no cursor`,
      });
    },
  );

  it('says which file cannot be written', async () => {
    await writeFile(join(folder, 'file'), '');
    await expect(new KeptCursor(join(folder, 'file', 'cursor')).write(Uint8Array.of(1))).rejects.toMatchObject({
      code: 'OUTPUT_FAILED',
      class: 'user',
      message: expect.stringContaining(join(folder, 'file', 'cursor')) as string,
    });
  });
});
