import { randomUUID } from 'node:crypto';
import { mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';

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
 * folders, as under `/proc`. `mode` is that of each that is made, less the umask.
 * @throws Error of the file system
 */
export async function makeFolder(folder: string, mode = 0o777): Promise<void> {
  const path = resolve(folder);
  if ((await ifThere(stat(path)))?.isDirectory()) return;
  if (dirname(path) !== path) await makeFolder(dirname(path), mode);
  try {
    await mkdir(path, { mode });
  } catch (error) {
    // Another process may have made it since.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || !(await stat(path)).isDirectory()) throw error;
  }
}

/**
 * Puts `content` at `file`, in place of what is there: after a crash or a power cut either of the two is there, whole.
 * Only its owner may read it. `via`: the folder in which it is written first, on the same disk; default that of `file`.
 * @throws Error of the file system, and leaves `file` as it was
 */
export async function replaceFile(file: string, content: string | Uint8Array, via = dirname(file)): Promise<void> {
  const beside = join(via, `.${basename(file).slice(0, 80)}.${randomUUID()}.tmp`);
  try {
    const handle = await open(beside, 'wx', 0o600);
    try {
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(beside, file);
  } catch (error) {
    await rm(beside, { force: true });
    throw error;
  }
  await syncFolder(dirname(file));
}

/** Makes durable which names stand in the folder. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
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
