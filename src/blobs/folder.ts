import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ifThere, makeFolder, replaceFile, syncFolder } from '../records/files.js';
import { BlinkstreamError, messageOf } from '../records/index.js';
import { blobError, checkContent, checkName, defaultMaxBytes, tooLarge } from './errors.js';
import type { ClaimCheckStore } from './index.js';
import { sha256Of } from './sha256.js';

export interface FolderStoreOptions {
  /** On a disk that all who write and read it share; made, for its owner alone, when something is first stored. */
  readonly folder: string;
  /** Largest blob that is read; default 64 MiB. */
  readonly maxBytes?: number;
}

/**
 * Blobs as files `ab/cd/abcd…` under their SHA-256, written beside and renamed, so that a file is there whole or not at
 * all. A folder that is not there is taken for a disk that is not mounted, not for one without blobs.
 */
export function folderStore({ folder, maxBytes = defaultMaxBytes }: FolderStoreOptions): ClaimCheckStore {
  return {
    async get(sha256) {
      checkName(sha256);
      const bytes = await looking(folder, () => readAtMost(pathOf(folder, sha256), maxBytes));
      if (bytes === undefined) return undefined;
      if (bytes === 'too large') throw tooLarge(sha256, folder, maxBytes);
      checkContent(bytes, sha256, folder);
      return { bytes };
    },
    async has(sha256) {
      checkName(sha256);
      return (await looking(folder, () => stat(pathOf(folder, sha256))))?.isFile() ?? false;
    },
    async put(bytes) {
      const sha256 = sha256Of(bytes);
      await guarded(folder, async () => {
        const path = pathOf(folder, sha256);
        const incoming = join(folder, INCOMING);
        await makeFolder(incoming, 0o700);
        await makeDurably(dirname(dirname(path)));
        await makeDurably(dirname(path));
        await replaceFile(path, bytes, incoming);
      });
      return sha256;
    },
  };
}

/** Files that are being written, and such as a crash left. */
const INCOMING = 'incoming';
/** Where a file is held while it is looked at whether it may go. */
const GOING = 'going';
const HOUR_MS = 3_600_000;

const pathOf = (folder: string, sha256: string): string => join(folder, sha256.slice(0, 2), sha256.slice(2, 4), sha256);

/**
 * Removes blobs that were stored more than `maxAgeMs` before `nowMs`, and what crashes left half written. A blob that is
 * stored anew meanwhile stays, by whichever process that is done. @returns how many went
 * @throws BlinkstreamError as the store
 */
export async function sweepFolder(folder: string, { maxAgeMs, nowMs }: SweepOptions): Promise<number> {
  return guarded(folder, async () => {
    const isOld = async (path: string, ageMs: number): Promise<boolean> => {
      const info = await ifThere(stat(path));
      return info !== undefined && nowMs - info.mtimeMs > ageMs;
    };
    let removed = 0;
    // A sweep before this one may have been ended in between.
    for (const sha256 of await namesIn(join(folder, GOING))) removed += await letGo(folder, sha256, isOld, maxAgeMs);
    for (const name of await namesIn(join(folder, INCOMING))) {
      if (await isOld(join(folder, INCOMING, name), HOUR_MS)) await rm(join(folder, INCOMING, name), { force: true });
    }
    for (const first of await namesIn(folder, /^[0-9a-f]{2}$/)) {
      for (const second of await namesIn(join(folder, first), /^[0-9a-f]{2}$/)) {
        for (const sha256 of await namesIn(join(folder, first, second), /^[0-9a-f]{64}$/)) {
          const path = pathOf(folder, sha256);
          if (!(await isOld(path, maxAgeMs))) continue;
          await makeFolder(join(folder, GOING), 0o700);
          // Only what nobody can store anew under our hands may be judged and removed.
          await ifThere(rename(path, join(folder, GOING, sha256)));
          removed += await letGo(folder, sha256, isOld, maxAgeMs);
        }
      }
    }
    return removed;
  });
}

export interface SweepOptions {
  readonly maxAgeMs: number;
  readonly nowMs: number;
}

/** Removes a blob that was put aside, or puts it back where it turns out to have been stored anew. */
async function letGo(
  folder: string,
  sha256: string,
  isOld: (path: string, ageMs: number) => Promise<boolean>,
  maxAgeMs: number,
): Promise<number> {
  const aside = join(folder, GOING, sha256);
  if (await isOld(aside, maxAgeMs)) {
    await rm(aside, { force: true });
    return 1;
  }
  await ifThere(rename(aside, pathOf(folder, sha256)));
  return 0;
}

async function namesIn(folder: string, form = /./): Promise<string[]> {
  return ((await ifThere(readdir(folder))) ?? []).filter((name) => form.test(name));
}

/** The new name in the folder above survives a power cut too: without it what lies below would be lost. */
async function makeDurably(folder: string): Promise<void> {
  try {
    await mkdir(folder, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return;
  }
  await syncFolder(dirname(folder));
}

async function readAtMost(path: string, maxBytes: number): Promise<Uint8Array | 'too large'> {
  const handle = await open(path, 'r');
  try {
    const { size } = await handle.stat();
    return size > maxBytes ? 'too large' : await handle.readFile();
  } finally {
    await handle.close();
  }
}

/** What looking into the folder gives; undefined where the folder is there and what is looked for is not. */
async function looking<T>(folder: string, look: () => Promise<T>): Promise<T | undefined> {
  return guarded(folder, async () => {
    const found = await ifThere(look());
    if (found === undefined && (await ifThere(readdir(folder))) === undefined) {
      if ((await ifThere(stat(folder))) !== undefined) throw refused(folder, 'it is no folder');
      throw unreachable(folder, 'it is not there');
    }
    return found;
  });
}

async function guarded<T>(folder: string, step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (error) {
    if (error instanceof BlinkstreamError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    if (code !== undefined && refusals.has(code)) throw refused(folder, messageOf(error), error);
    if (code === 'ENOSPC' || code === 'EDQUOT') {
      throw blobError(`no space left in the blob store ${folder}`, 'BLOBS_FULL', 'resource', {
        hint: 'free some space, or keep blobs for fewer days',
        cause: error,
      });
    }
    throw unreachable(folder, messageOf(error), error);
  }
}

const refusals = new Set(['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EEXIST']);

const refused = (folder: string, why: string, cause?: unknown): BlinkstreamError =>
  blobError(`the blob store ${folder} may not be used: ${why}`, 'BLOBS_REFUSED', 'user', {
    hint: 'check that it is a folder, who owns it, and its permissions',
    cause,
  });

const unreachable = (folder: string, why: string, cause?: unknown): BlinkstreamError =>
  blobError(`the blob store ${folder} cannot be reached: ${why}`, 'BLOBS_UNREACHABLE', 'external', {
    hint: 'check the path, and that its disk is mounted',
    cause,
  });
