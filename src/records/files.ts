import { mkdir, open, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

/**
 * What `looking` at a path gives; undefined where nothing is at that path, be it that a folder on the way is none.
 * Every other failure, such as a path that may not be read, is no word on what is there, and is thrown.
 */
export async function ifThere<T>(looking: Promise<T>): Promise<T | undefined> {
  try {
    return await looking;
  } catch (error) {
    if (nothingThere.has((error as NodeJS.ErrnoException).code)) return undefined;
    throw error;
  }
}

const nothingThere = new Set<string | undefined>(['ENOENT', 'ENOTDIR']);

/**
 * Makes the folder and those above it, one by one: Node's recursive `mkdir` never returns where the system takes no
 * folders, as under `/proc`.
 * @throws Error of the file system
 */
export async function makeFolder(folder: string): Promise<void> {
  const path = resolve(folder);
  if ((await ifThere(stat(path)))?.isDirectory()) return;
  if (dirname(path) !== path) await makeFolder(dirname(path));
  try {
    await mkdir(path);
  } catch (error) {
    // Another process may have made it since.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || !(await stat(path)).isDirectory()) throw error;
  }
}

/**
 * All that a file holds, where that is `maxBytes` at most; undefined where it is more, of which no more is read. For
 * small files that somebody else writes, pipes such as `/dev/fd/63` among them.
 * @throws Error of the file system
 */
export async function readAtMost(path: string, maxBytes: number): Promise<Buffer | undefined> {
  const handle = await open(path);
  try {
    const parts: Buffer[] = [];
    for (let bytes = 0; ;) {
      const { bytesRead, buffer } = await handle.read({ buffer: Buffer.alloc(Math.min(maxBytes + 1, 64 * 1024)) });
      if (bytesRead === 0) return Buffer.concat(parts);
      bytes += bytesRead;
      if (bytes > maxBytes) return undefined;
      parts.push(buffer.subarray(0, bytesRead));
    }
  } finally {
    await handle.close();
  }
}
