import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';

const command = fileURLToPath(new URL('../../bin/blinkstream.js', import.meta.url));

/** `blinkstream run FILE` as a process of its own. */
export class ServiceProcess {
  /** Lines of standard error. */
  readonly lines: string[] = [];
  /** Exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals | null>;
  readonly #child: ChildProcess;

  constructor(file: string, env: NodeJS.ProcessEnv = {}) {
    const child = spawn(process.execPath, [command, 'run', file], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, ...env },
    });
    this.#child = child;
    createInterface({ input: child.stderr }).on('line', (line) => this.lines.push(line));
    this.ended = once(child, 'close').then(([code, signal]) => (code ?? signal) as number | NodeJS.Signals | null);
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Resolves with the first line that holds `text`, after those that were there when `from` were. */
  async line(text: string, from = 0): Promise<string> {
    for (;;) {
      const found = this.lines.slice(from).find((line) => line.includes(text));
      if (found !== undefined) return found;
      if (this.#child.exitCode !== null || this.#child.signalCode !== null) {
        throw new Error(`it ended before it said "${text}":\n${this.lines.join('\n')}`);
      }
      await sleep(20);
    }
  }

  /** Asks it to end. */
  async stop(): Promise<number | NodeJS.Signals | null> {
    this.kill('SIGTERM');
    return this.ended;
  }
}

/** An event as a line of JSON has it, as far as tests look at it. */
export interface WrittenEvent {
  readonly eventId: string;
  readonly source: string;
  readonly kind: string;
  readonly phase: string;
  readonly condition?: string;
  readonly statement: string;
}

/** The events in a file of JSON lines; none where it is not there yet. */
export async function eventsIn(file: string): Promise<WrittenEvent[]> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  // The last line may be on its way.
  return text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as WrittenEvent);
}
