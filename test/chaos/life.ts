import { type ChildProcess, spawn } from 'node:child_process';
import { projectFile } from '../support/project-file.js';

/** How much of what it wrote last an error repeats. */
const toldCharacters = 2_000;

export interface LifeOptions {
  /** Arguments of the command. */
  readonly args: readonly string[];
  /** `point:n:FILE`, as `killPoint` reads it. */
  readonly killAt?: string;
  /** Of the process, beside ours. */
  readonly env?: Readonly<Record<string, string>>;
  /** Kills it on abort, so that it does not outlive who started it. */
  readonly signal: AbortSignal;
}

/** One life of a `blinkstream` process. */
export class Life {
  /** Lines that it has printed; of `watch`, each an event after its commit. */
  printed = 0;
  #wrote = '';
  readonly #args: readonly string[];
  readonly #child: ChildProcess;
  readonly ended: Promise<void>;

  constructor({ args, killAt, env, signal }: LifeOptions) {
    this.#args = args;
    const child = spawn(process.execPath, [projectFile('bin', 'blinkstream.js'), ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env, ...(killAt !== undefined && { BLINKSTREAM_KILL_AT: killAt }) },
      signal,
      killSignal: 'SIGKILL',
    });
    this.#child = child;
    child.stdout.setEncoding('utf8').on('data', (text: string) => (this.printed += text.split('\n').length - 1));
    child.stderr
      .setEncoding('utf8')
      .on('data', (text: string) => (this.#wrote = (this.#wrote + text).slice(-toldCharacters)));
    this.ended = new Promise((resolve, reject) => {
      // Of an abort there is an error too, and the process ends all the same.
      child.once('error', (error) => child.pid === undefined && reject(error));
      child.once('close', () => resolve());
    });
    // Whoever looks at it while it runs sees that it is gone; only the failure to start is told here.
    this.ended.catch(() => undefined);
  }

  get hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  get wasKilled(): boolean {
    return this.#child.signalCode === 'SIGKILL';
  }

  get pid(): number {
    return this.#child.pid ?? Number.NaN;
  }

  /** How it ended and what it wrote last, for an error. */
  get account(): string {
    return `exit code ${this.#child.exitCode}, signal ${this.#child.signalCode}: ${this.#wrote.trim()}`;
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.ended;
  }

  /** Asks it to end; @throws Error where it does not end well */
  async stop(): Promise<void> {
    this.#child.kill('SIGTERM');
    await this.ended;
    // One that has not begun yet is ended by the signal itself.
    if (this.#child.signalCode !== 'SIGTERM') await this.done();
  }

  /** Waits for its end; @throws Error where that is not a good one */
  async done(): Promise<void> {
    await this.ended;
    if (this.#child.exitCode !== 0) throw new Error(`blinkstream ${this.#args[0]} ended badly, ${this.account}`);
  }
}
