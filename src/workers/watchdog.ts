import { rmdirSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { Worker, isMainThread, workerData } from 'node:worker_threads';
import { outOfMemorySignal } from './messages.js';

interface Watch {
  readonly parentPid: number;
  readonly memoryLimitBytes: number;
  readonly socketPath: string;
}

const intervalMs = 100;

/**
 * Watches this process from a thread of its own, because a model run or a hang blocks the main one: it ends the process
 * when its parent is gone, and when it has more resident memory than it may (`outOfMemorySignal`).
 * What native code allocates counts, which V8's own limit does not see.
 */
export function startWatchdog(watch: Watch): void {
  new Worker(new URL(import.meta.url), { workerData: watch }).unref();
}

/** Removes what a worker that ends by itself leaves behind: its socket, and the folder once it is the last in it. */
export function removeSocket(socketPath: string): void {
  rmSync(socketPath, { force: true });
  try {
    rmdirSync(dirname(socketPath));
  } catch {
    // Not empty: other workers are still there, and the last one removes it.
  }
}

if (!isMainThread) {
  const { parentPid, memoryLimitBytes, socketPath } = workerData as Watch;
  setInterval(() => {
    if (process.ppid !== parentPid) {
      removeSocket(socketPath);
      process.kill(process.pid, 'SIGKILL');
    }
    if (process.memoryUsage.rss() > memoryLimitBytes) process.kill(process.pid, outOfMemorySignal);
  }, intervalMs);
}
