import { readFile, rm } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { projectFile } from '../support/project-file.js';

/** Memory of a process, MB. */
export interface Memory {
  readonly rssMb: number;
  /** What of it are mapped files, code and the log's index among them: the kernel takes these back where it must. */
  readonly mappedMb: number;
  /** Of JavaScript, after a collection. */
  readonly heapMb: number;
  /** Buffers and the like, after a collection. */
  readonly externalMb: number;
}

const patienceMs = 60_000;
const bytesPerMb = 1e6;

/** The environment of a process as docs/operations.md has it, which `memoryOf` can ask, and its children too. */
export const samplerEnv = (folder: string): Readonly<Record<string, string>> => ({
  MALLOC_ARENA_MAX: '2',
  BLINKSTREAM_SOAK_FOLDER: folder,
  NODE_OPTIONS: `--expose-gc --import ${pathToFileURL(projectFile('test', 'soak', 'sampler.mjs')).href}`,
});

/** @throws Error where the process does not answer */
export async function memoryOf(pid: number, folder: string): Promise<Memory> {
  const file = join(folder, `${pid}.json`);
  await rm(file, { force: true });
  process.kill(pid, 'SIGUSR2');
  for (const deadlineMs = performance.now() + patienceMs; !existsSync(file); await sleep(20)) {
    if (performance.now() > deadlineMs) throw new Error(`process ${pid} does not tell its memory`);
  }
  const told = JSON.parse(await readFile(file, 'utf8')) as Record<
    `${'rss' | 'mapped' | 'heap' | 'external'}Bytes`,
    number
  >;
  return {
    rssMb: told.rssBytes / bytesPerMb,
    mappedMb: told.mappedBytes / bytesPerMb,
    heapMb: told.heapBytes / bytesPerMb,
    externalMb: told.externalBytes / bytesPerMb,
  };
}

/** The children of a process, as the kernel has them. */
export async function childrenOf(pid: number): Promise<number[]> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return children.trim().split(' ').filter(Boolean).map(Number);
}
