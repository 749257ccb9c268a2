import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { BlinkstreamError } from '../records/index.js';

export interface DemoSubscriber {
  /** Absent where the process could not be made; `received` tells why. */
  readonly pid: number | undefined;
  /** Resolves once it has printed so many events. @throws BlinkstreamError `DEMO_SUBSCRIBER` (internal) */
  received(events: number): Promise<void>;
  stop(): Promise<void>;
}

/** What is waited for was committed long ago; only a subscriber that hangs takes this long. */
const receivedWithinMs = 15_000;
const toldCharacters = 300;

/** `blinkstream subscribe` as a process of its own that ends with this one; each line that it prints is one event. */
export function startSubscriber(
  address: string,
  { json, onLine }: { readonly json: boolean; readonly onLine: (line: string) => void },
): DemoSubscriber {
  const main = fileURLToPath(new URL('main.js', import.meta.url));
  const child = spawn(process.execPath, [main, 'subscribe', '--from', address, ...(json ? ['--json'] : [])], {
    // Nothing is said over the channel: when we are gone, also by kill -9, it closes, and the subscriber ends.
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    // Node's types do not tell the pipes of a process with a channel.
  }) as ChildProcessByStdio<null, Readable, Readable>;
  let complaint = '';
  child.stderr
    .setEncoding('utf8')
    .on('data', (text: string) => (complaint = (complaint + text).slice(-toldCharacters)));
  let lines = 0;
  const reader = createInterface({ input: child.stdout }).on('line', (line) => {
    lines += 1;
    onLine(line);
  });
  const gone = new AbortController();
  const closed = new Promise<void>((resolve) => {
    const end = (error?: Error): void => {
      complaint ||= error?.message ?? '';
      gone.abort();
      resolve();
    };
    child.once('error', end).once('close', () => end());
  });
  return {
    pid: child.pid,
    async received(events) {
      const given = AbortSignal.any([gone.signal, AbortSignal.timeout(receivedWithinMs)]);
      try {
        while (lines < events) await once(reader, 'line', { signal: given });
      } catch (cause) {
        throw new BlinkstreamError(`the subscriber printed ${lines} of ${events} events: ${complaint.trim()}`, {
          code: 'DEMO_SUBSCRIBER',
          class: 'internal',
          stage: 'cli',
          cause,
        });
      }
    },
    async stop() {
      child.kill('SIGTERM');
      await closed;
    },
  };
}
