import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { ChangeLog } from '../../src/log/index.js';
import { type CommitCount, writerKey } from './workers/log-steps.js';

const writerFile = fileURLToPath(new URL('../../dist/test/support/workers/log-writer.js', import.meta.url));

/** What a writing process tells: a commit, or why there are no more. */
export type WriterLine =
  | { readonly commits: number; readonly code?: undefined }
  | { readonly code: string; readonly class: string; readonly message: string; readonly hint: string };

export interface Writer {
  readonly child: ChildProcess;
  readonly lines: AsyncIterator<WriterLine>;
  /** Told as durable so far. */
  readonly told: () => number;
  /** The next line; that the process ended without another is an error. */
  readonly line: () => Promise<WriterLine>;
  /** SIGKILL; resolves when the process is gone and its last words are read. */
  readonly kill: () => Promise<void>;
}

/** Starts a writer; `limits` are words of the shell before it, such as `ulimit -f 1000`. */
export function startWriter(path: string, options: { eventsKept?: number; limits?: string } = {}): Writer {
  const args = [writerFile, path, ...(options.eventsKept === undefined ? [] : [String(options.eventsKept)])];
  const stdio: ['ignore', 'pipe', 'inherit'] = ['ignore', 'pipe', 'inherit'];
  const child =
    options.limits === undefined
      ? spawn(process.execPath, args, { stdio })
      : spawn('sh', ['-c', `${options.limits}; exec "$0" "$@"`, process.execPath, ...args], { stdio });
  let told = 0;
  const input = createInterface({ input: child.stdout });
  const read = async function* (): AsyncGenerator<WriterLine> {
    for await (const text of input) {
      const line = JSON.parse(text) as WriterLine;
      if (line.code === undefined) told = line.commits;
      yield line;
    }
  };
  const lines = read();
  const gone = once(child, 'close');
  return {
    child,
    lines,
    told: () => told,
    line: async () => {
      const next = await lines.next();
      if (next.done) throw new Error(`the writer ended, ${child.exitCode ?? child.signalCode}`);
      return next.value;
    },
    kill: async () => {
      child.kill('SIGKILL');
      for (let last = await lines.next(); !last.done;) last = await lines.next();
      await gone;
    },
  };
}

/** How many commits a log's checkpoint says there were. */
export async function commitsIn(log: ChangeLog): Promise<number> {
  const checkpoint = await log.checkpoint(writerKey);
  return checkpoint ? (checkpoint.states as unknown as CommitCount).commits : 0;
}

export async function idsIn(log: ChangeLog): Promise<string[]> {
  const ids: string[] = [];
  for await (const entry of log.read({ untilEnd: true, signal: new AbortController().signal })) {
    if (entry.type === 'event') ids.push(entry.event.eventId);
  }
  return ids;
}
