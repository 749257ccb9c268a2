import { type ChildProcess, fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { BlinkstreamError } from '../records/index.js';
import { childMessage, outOfMemorySignal, type StartMessage } from './messages.js';
import { errorFromJson } from './status.js';

/** How long a child may take to load its engine and to serve. */
const readyWithinMs = 60_000;
/** How long a child may take to end by itself once its channel is closed. */
const exitWithinMs = 2_000;
/** How long its last lines may take to arrive once it is gone. */
const lastLinesWithinMs = 500;
/** V8 writes some thirty lines when its heap is full; the telling one comes first. */
const keptLines = 60;
const toldLines = 12;
const lineChars = 300;

/** How one life of a worker process ended, as a person reads it. */
export interface ChildExit {
  /** Somebody else killed it, such as a machine that is out of memory: another one may live. */
  readonly isKilled: boolean;
  readonly reason: string;
  /** The last lines that it wrote. */
  readonly lastLines: readonly string[];
}

/** One life of a worker process. */
export interface Child {
  readonly pid: number;
  readonly socketPath: string;
  /** Resolves when the process is gone, however that came. */
  readonly exited: Promise<ChildExit>;
  /** Ends it at once; `why` becomes the reason of its exit. */
  kill(why: string): void;
  /** Asks it to end, and ends it if it does not. */
  stop(): Promise<void>;
}

/**
 * Starts a worker process and waits until it serves.
 * @throws BlinkstreamError what its engine threw while it was built; `WORKER_START_FAILED` (external) with the last
 *   lines that it wrote, where it ended or gave no sign; `WORKER_NOT_BUILT` (internal)
 */
export async function startChild(start: StartMessage, signal: AbortSignal): Promise<Child> {
  const child = fork(builtFile('main'), {
    execArgv: [`--max-old-space-size=${Math.ceil(start.memoryLimitBytes / 2 / 1024 / 1024)}`],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    // Fewer arenas of glibc's allocator: picture buffers that come and go would otherwise stay resident in each.
    env: { MALLOC_ARENA_MAX: '2', ...process.env },
  });
  const lastLines = tailOf(child);
  let killedBecause: string | undefined;
  const kill = (why: string): void => {
    killedBecause ??= why;
    child.kill('SIGKILL');
  };
  const exited = new Promise<ChildExit>((resolve) => {
    // Without a pid the process was never made, and no exit will come.
    child.once(
      'error',
      (error) => child.pid === undefined && resolve({ isKilled: false, reason: error.message, lastLines }),
    );
    child.once('exit', (code, signal) => {
      const done = (): void => {
        clearTimeout(timer);
        const isKilled = killedBecause === undefined && signal === 'SIGKILL';
        resolve({ isKilled, reason: killedBecause ?? exitReason(code, signal, lastLines), lastLines });
      };
      // By `close` what it wrote last has been read; but a process that it left behind may keep its pipes open.
      child.once('close', done);
      const timer = setTimeout(done, lastLinesWithinMs);
    });
  });

  const firstWord = new Promise<'ready' | BlinkstreamError | undefined>((resolve) => {
    child.once('message', (raw) => {
      const message = childMessage.safeParse(raw).data;
      resolve(message?.type === 'failed' ? errorFromJson(message.error) : message?.type);
    });
    void exited.then(() => resolve(undefined));
  });
  const abort = (): void => kill('was ended while it started');
  signal.addEventListener('abort', abort, { once: true });
  if (signal.aborted) abort();
  const timeout = setTimeout(() => kill(`was not ready within ${readyWithinMs / 1_000} s`), readyWithinMs);
  // An error here means that the channel is closed, because the process is gone: `exited` tells why.
  child.send(start, () => undefined);
  const word = await firstWord;
  clearTimeout(timeout);
  signal.removeEventListener('abort', abort);
  if (word === 'ready' && child.pid !== undefined) {
    const stop = async (): Promise<void> => {
      const force = setTimeout(() => kill('did not end when it was asked to'), exitWithinMs);
      if (child.connected) child.disconnect();
      await exited;
      clearTimeout(force);
    };
    return { pid: child.pid, socketPath: start.socketPath, exited, kill, stop };
  }
  kill('could not start');
  const exit = await exited;
  throw word instanceof BlinkstreamError ? word : startFailed(exit);
}

/** What a process that ended left behind, as one line. */
export const describeExit = ({ reason, lastLines }: ChildExit): string =>
  lastLines.length === 0 ? reason : `${reason}; it wrote last: ${lastLines.slice(-toldLines).join(' | ')}`;

const startFailed = (exit: ChildExit): BlinkstreamError =>
  new BlinkstreamError(`a worker process could not start: it ${describeExit(exit)}`, {
    code: exit.isKilled ? 'WORKER_KILLED' : 'WORKER_START_FAILED',
    class: 'external',
    stage: 'worker',
    hint: 'Run blinkstream doctor; free memory or configure fewer workers.',
  });

/**
 * Path of a compiled file of this room. Node runs no TypeScript, so that from sources (tests) the build beside them is
 * taken. @throws BlinkstreamError `WORKER_NOT_BUILT` (internal)
 */
export function builtFile(name: string): string {
  const folder = import.meta.url.endsWith('.ts') ? '../../dist/src/workers/' : './';
  const path = fileURLToPath(new URL(`${folder}${name}.js`, import.meta.url));
  if (existsSync(path)) return path;
  throw new BlinkstreamError(`the worker's program ${path} is missing`, {
    code: 'WORKER_NOT_BUILT',
    class: 'internal',
    stage: 'worker',
    hint: 'Run npm run build.',
  });
}

function exitReason(code: number | null, signal: string | null, lastLines: readonly string[]): string {
  if (signal === outOfMemorySignal) return 'ran out of memory: over its limit of resident memory';
  if (lastLines.some((line) => line.includes('heap out of memory'))) return 'ran out of memory: JavaScript heap';
  if (signal === 'SIGKILL') return 'was killed from outside (SIGKILL), perhaps because the machine is out of memory';
  return signal === null ? `ended with exit code ${code}` : `was ended by ${signal}`;
}

/** The last lines of a process's stdout and stderr, kept up to date. */
function tailOf({ stdout, stderr }: ChildProcess): readonly string[] {
  const lines: string[] = [];
  for (const stream of [stdout, stderr]) {
    let rest = '';
    const add = (line: string): void => {
      if (line.trim() === '') return;
      lines.push(line.trim().slice(0, lineChars));
      if (lines.length > keptLines) lines.shift();
    };
    stream?.setEncoding('utf8').on('data', (text: string) => {
      const parts = (rest + text).split('\n');
      // A process that writes without an end of line must not fill our memory.
      rest = (parts.pop() ?? '').slice(-lineChars);
      parts.forEach(add);
    });
    stream?.on('end', () => add(rest));
  }
  return lines;
}
