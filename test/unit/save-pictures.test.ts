import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { eventOf } from '../../fixtures/events.js';
import { savePictures } from '../../src/cli/save-pictures.js';
import type { Blob, ChangeEvent } from '../../src/records/index.js';

const bytes = Buffer.from('as good as a picture');
const blob: Blob = { bytes, mediaType: 'image/png', sha256: createHash('sha256').update(bytes).digest('hex') };
const blobs = { get: () => Promise.resolve(blob), has: () => Promise.resolve(true) };
const shown: ChangeEvent[] = [
  eventOf(1, { pictures: [{ role: 'after', sha256: blob.sha256, mediaType: blob.mediaType, width: 1, height: 1 }] }),
];

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'blinkstream-pictures-'));
});
afterEach(() => rm(dir, { recursive: true }));

describe('saving pictures', () => {
  it('makes the folder', async () => {
    const { files, gone } = await savePictures(shown, blobs, join(dir, 'a', 'b'));
    expect(gone).toEqual([]);
    expect(files).toHaveLength(1);
    expect(await readFile(files[0])).toEqual(bytes);
  });

  it('fails where the folder cannot be made, naming the file', async () => {
    await writeFile(join(dir, 'file'), '');
    await expect(savePictures(shown, blobs, join(dir, 'file', 'x'))).rejects.toMatchObject({ code: 'PICTURE_UNSAVED' });
  });

  it.runIf(existsSync('/proc/self'))('fails where the system takes no folders', async () => {
    await expect(savePictures(shown, blobs, '/proc/blinkstream/a')).rejects.toMatchObject({ code: 'PICTURE_UNSAVED' });
  });
});
