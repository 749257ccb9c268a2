import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { folderStore } from '../../src/blobs/folder.js';
import { blobConformance } from './blobs.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'blinkstream-blobs-'));
});
afterAll(() => rm(folder, { recursive: true }));

blobConformance('a folder', () => ({
  open: (options) => folderStore({ folder: join(folder, 'blobs'), ...options }),
  damage: (sha256, bytes) => writeFile(join(folder, 'blobs', sha256.slice(0, 2), sha256.slice(2, 4), sha256), bytes),
  unreachable: () => folderStore({ folder: join(folder, 'not-mounted') }),
  refusing: async () => {
    // Whoever runs the tests as root is refused by no mode.
    await writeFile(join(folder, 'file'), '');
    return folderStore({ folder: join(folder, 'file') });
  },
}));
