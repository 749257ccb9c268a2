import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { projectFile } from '../../test/support/project-file.js';

/** Nothing that is waited for takes so long, were it to come at all. */
const patienceMs = 120_000;

/** A `blinkstream run` that is watched from outside: its metrics, and its events as it prints them. */
export class WatchedService {
  #child: ChildProcess | undefined;
  #metrics = '';
  readonly #delays: { readonly atMs: number; readonly delayMs: number }[] = [];
  #wrote = '';

  get pid(): number {
    return this.#child?.pid ?? Number.NaN;
  }

  /** Starts it, and waits until its metrics are served. */
  async start(file: string): Promise<void> {
    const child = spawn(process.execPath, [projectFile('bin', 'blinkstream.js'), 'run', file, '--json'], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    createInterface(child.stdout).on('line', (line) => this.#event(line));
    createInterface(child.stderr).on('line', (line) => {
      this.#wrote = `${this.#wrote}\n${line}`.slice(-2_000);
      const [, address] = /metrics and health are served on ([^\s"]+)/.exec(line) ?? [];
      if (address !== undefined) this.#metrics = `http://${address}`;
    });
    await this.#until(() => Promise.resolve(this.#metrics !== ''));
  }

  /** Waits until something of each camera has been measured. */
  untilAllRead(cameras: number): Promise<void> {
    return this.#until(async () => [...(await this.#frames())].filter((frames) => frames > 0).length === cameras);
  }

  /** Frames that came through the gate into a window. */
  async measuredFrames(): Promise<number> {
    return (await this.#frames()).reduce((sum, frames) => sum + frames, 0);
  }

  /** How long after the last frame that they tell of events were committed and printed, ms; of those since `fromMs`. */
  delaysSince(fromMs: number): number[] {
    return this.#delays.filter(({ atMs }) => atMs >= fromMs).map(({ delayMs }) => delayMs);
  }

  async stop(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null) return;
    child.kill('SIGTERM');
    await once(child, 'exit');
  }

  #event(line: string): void {
    const event = JSON.parse(line) as { phase?: string; interval?: { last?: { time?: string } } };
    const lastMs = Date.parse(event.interval?.last?.time ?? '');
    if (event.phase === 'STARTED' && !Number.isNaN(lastMs)) {
      this.#delays.push({ atMs: Date.now(), delayMs: Date.now() - lastMs });
    }
  }

  async #frames(): Promise<number[]> {
    const text = await (await fetch(`${this.#metrics}/metrics`)).text();
    return [...text.matchAll(/^blinkstream_windowed_frames_total\{[^}]*\} (\d+)/gm)].map(([, value]) => Number(value));
  }

  async #until(condition: () => Promise<boolean>): Promise<void> {
    const deadlineMs = performance.now() + patienceMs;
    while (!(await condition())) {
      if (this.#child?.exitCode !== null) throw new Error(`the service ended by itself: ${this.#wrote}`);
      if (performance.now() > deadlineMs)
        throw new Error(`nothing happened in ${patienceMs / 1_000} s: ${this.#wrote}`);
      await sleep(100);
    }
  }
}
