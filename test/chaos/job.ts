import { existsSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { encodeClip } from '../../fixtures/clip.js';
import { drawShelf, SHELF, type ShelfScript } from '../../fixtures/shelf.js';
import { findFfmpeg } from '../../src/sources/ffmpeg-binary.js';
import { type Difference, differenceOf } from './comparison.js';
import type { Fault } from './faults.js';
import { Subscriber } from './subscriber.js';
import { Life } from './life.js';

const pollMs = 20;
/** Nothing that is waited for takes so long, were it to come at all. */
const patienceMs = 300_000;

/** Draws the clip that every job watches. */
export async function makeShelfClip(path: string, script: ShelfScript): Promise<void> {
  const { path: ffmpeg } = await findFfmpeg();
  await encodeClip(
    path,
    ffmpeg,
    { widthPx: SHELF.widthPx, heightPx: SHELF.heightPx, fps: script.fps },
    drawShelf(script),
  );
}

const eventsIn = async (out: string): Promise<string[]> =>
  (await readFile(join(out, 'events.jsonl'), 'utf8')).split('\n').slice(0, -1);

/** The events of a clip as an undisturbed run gives them. */
export async function undisturbedEvents(clip: string, out: string, signal: AbortSignal): Promise<string[]> {
  await new Life({ args: ['watch', clip, '--out', out], signal }).done();
  return eventsIn(out);
}

/** What the two readers of a job missed or got twice, against the undisturbed run. */
export interface JobResult {
  readonly overGrpc: Difference;
  readonly inFile: Difference;
  readonly retries: number;
}

/** One run over a clip in an output folder of its own, through any number of deaths, with a subscriber all along. */
export class Job {
  readonly subscriber: Subscriber;
  readonly #address: string;
  readonly #out: string;
  #lives = 0;
  #watched: Life | undefined;

  private constructor(
    private readonly clip: string,
    private readonly folder: string,
    private readonly signal: AbortSignal,
  ) {
    this.#address = `unix:${join(folder, 'grpc')}`;
    this.#out = join(folder, 'out');
    this.subscriber = new Subscriber(this.#address);
  }

  static async begin(clip: string, folder: string, signal: AbortSignal): Promise<Job> {
    await mkdir(folder);
    return new Job(clip, folder, signal);
  }

  /** Starts the command and lets the fault happen. False where the job was done before it could. */
  async suffer(fault: Fault): Promise<boolean> {
    const hit = join(this.folder, `hit-${this.#lives}`);
    const startedMs = performance.now();
    const watched = this.#start(fault.at === 'outside' ? undefined : `${fault.at}:${fault.passing}:${hit}`);
    if (fault.at === 'outside') {
      await this.#until(() => performance.now() - startedMs >= fault.afterMs || this.#isDone);
      if (this.#isDone) return false;
    } else if (fault.at === 'worker') {
      await this.#until(() => existsSync(hit) || this.#isDone);
      if (!existsSync(hit)) return false;
      // Only the worker is gone: its sequence and the next must come through all the same.
      const { printed } = watched;
      await this.#until(() => watched.printed >= printed + 2 || this.#isDone);
    } else {
      await this.#until(() => watched.wasKilled || this.#isDone);
      if (!existsSync(hit)) return false;
      await watched.ended;
      return true;
    }
    await watched.kill();
    return true;
  }

  /** Lets the run come to its end, if it has not, and tells what its readers have. */
  async finish(expected: readonly string[]): Promise<JobResult> {
    const { subscriber } = this;
    const watched = this.#watched === undefined || this.#watched.hasEnded ? this.#start() : this.#watched;
    await this.#until(() => this.#isDone);
    await this.#until(() => subscriber.isAtEnd());
    await watched.stop();
    await subscriber.stop();
    return {
      overGrpc: differenceOf(expected, subscriber.events),
      inFile: differenceOf(expected, await eventsIn(this.#out)),
      retries: subscriber.retries,
    };
  }

  async abandon(): Promise<void> {
    await this.#watched?.kill();
    await this.subscriber.stop();
  }

  #start(killAt?: string): Life {
    this.#lives += 1;
    const { clip, signal } = this;
    this.#watched = new Life({
      args: ['watch', clip, '--out', this.#out, '--listen', this.#address, '--keep-serving'],
      signal,
      ...(killAt !== undefined && { killAt }),
    });
    return this.#watched;
  }

  /** The report is written once everything is committed and `events.jsonl` is whole. */
  get #isDone(): boolean {
    return existsSync(join(this.#out, 'report.html'));
  }

  /** @throws Error where it never comes, or a process or the subscription ends that nobody has ended */
  async #until(condition: () => boolean | Promise<boolean>): Promise<void> {
    let [read, deadlineMs] = [this.subscriber.events.length, performance.now() + patienceMs];
    while (!(await condition())) {
      this.subscriber.check();
      this.signal.throwIfAborted();
      // A long run is none that hangs: only where nothing more is read, too, does nothing happen.
      if (this.subscriber.events.length !== read) {
        [read, deadlineMs] = [this.subscriber.events.length, performance.now() + patienceMs];
      }
      // Between the look before and this one it may have ended in the way that is waited for.
      if (this.#watched?.hasEnded && !(await condition())) {
        throw new Error(`the watching process ended by itself, ${this.#watched.account}`);
      }
      if (performance.now() > deadlineMs) throw new Error(`nothing happened in ${patienceMs / 1_000} s`);
      await sleep(pollMs);
    }
  }
}
