import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const command = fileURLToPath(new URL('../../bin/blinkstream.js', import.meta.url));

/** A line of `blinkstream run --log json`. */
export interface LoggedNote {
  readonly time: string;
  readonly level: string;
  readonly code: string;
  readonly topology?: string;
  readonly source?: string;
  readonly message: string;
}

/** The built `blinkstream run FILE --log json` as a process of its own, and all that it says. */
export class LoggedService {
  readonly notes: LoggedNote[] = [];
  stdout = '';
  stderr = '';
  readonly exited: Promise<number | null>;
  readonly #child: ChildProcess;
  readonly #waiting = new Set<() => void>();

  constructor(file: string, args: readonly string[] = []) {
    this.#child = spawn(process.execPath, [command, 'run', file, '--log', 'json', ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const { stdout, stderr } = this.#child;
    if (stdout === null || stderr === null) throw new Error('its output is not piped');
    stdout.on('data', (data: Buffer) => (this.stdout += data.toString()));
    createInterface({ input: stderr }).on('line', (line) => {
      this.stderr += `${line}\n`;
      this.notes.push(JSON.parse(line) as LoggedNote);
      for (const look of this.#waiting) look();
    });
    this.exited = once(this.#child, 'close').then(([code]) => {
      for (const look of this.#waiting) look();
      return code as number | null;
    });
  }

  /** Asks it to end, as an orchestrator does. */
  terminate(): void {
    this.#child.kill('SIGTERM');
  }

  /** Ends it where a test has failed. */
  kill(): void {
    this.#child.kill('SIGKILL');
  }

  /** The first note of this code. @throws Error where it ends without one */
  async note(code: string): Promise<LoggedNote> {
    const found = (): LoggedNote | undefined => this.notes.find((note) => note.code === code);
    for (;;) {
      const note = found();
      if (note !== undefined) return note;
      if (this.#child.exitCode !== null || this.#child.signalCode !== null) {
        throw new Error(`it ended without ${code}: ${this.stderr}`);
      }
      await new Promise<void>((resolve) => {
        const look = (): void => {
          this.#waiting.delete(look);
          resolve();
        };
        this.#waiting.add(look);
      });
    }
  }

  /** Asks its HTTP face; `status` is 0 where nobody listens any more. */
  async ask(path: string): Promise<{ readonly status: number; readonly body: string }> {
    const { message } = await this.note('OPERATION_SERVED');
    const address = message.split(' ').at(-1);
    try {
      const response = await fetch(`http://${address}${path}`);
      return { status: response.status, body: await response.text() };
    } catch (error) {
      // What undici throws where there is no connection, or none any more.
      if (error instanceof TypeError) return { status: 0, body: '' };
      throw error;
    }
  }
}
