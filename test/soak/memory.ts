import { readFile, rm } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';

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
  NODE_OPTIONS: `--expose-gc --import ${pathToFileURL(sampler()).href}`,
});

/** Also from the build of this file, which has no copy of it. */
function sampler(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder);
  return join(folder, 'test', 'soak', 'sampler.mjs');
}

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
