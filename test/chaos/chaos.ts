import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ShelfScript } from '../../fixtures/shelf.js';
import { drawFaults, type FaultKind } from './faults.js';
import { Job, type JobResult, makeShelfClip, undisturbedEvents } from './job.js';

export interface ChaosOptions {
  readonly seed: number;
  readonly faults: number;
  readonly script: ShelfScript;
  readonly signal: AbortSignal;
  readonly tell: (line: string) => void;
}

export interface ChaosResult {
  /** Events of one undisturbed job. */
  readonly eventsPerJob: number;
  /** Faults that happened, by where. */
  readonly hits: ReadonlyMap<FaultKind, number>;
  /** Several where the faults outlasted a job. */
  readonly jobs: readonly JobResult[];
}

/** A progress line after so many faults. */
const toldEvery = 10;

/**
 * Watches a drawn clip undisturbed, then again with faults, the same command after each, and holds what came out against
 * each other. Where a job is done before a fault has happened the next job begins with that fault.
 */
export async function chaos({ seed, faults, script, signal, tell }: ChaosOptions): Promise<ChaosResult> {
  const folder = await mkdtemp(join(tmpdir(), 'blinkstream-chaos-'));
  try {
    const clip = join(folder, 'shelf.mp4');
    await makeShelfClip(clip, script);
    const startedMs = performance.now();
    const expected = await undisturbedEvents(clip, join(folder, 'undisturbed'), signal);
    const undisturbedSeconds = (performance.now() - startedMs) / 1_000;
    tell(`undisturbed: ${expected.length} events in ${undisturbedSeconds.toFixed(0)} s`);

    const hits = new Map<FaultKind, number>();
    const jobs: JobResult[] = [];
    const begin = (): Promise<Job> => Job.begin(clip, join(folder, `job-${jobs.length + 1}`), signal);
    let job = await begin();
    try {
      for (const [i, fault] of drawFaults(seed, faults, script.steps).entries()) {
        while (!(await job.suffer(fault))) {
          jobs.push(await job.finish(expected));
          tell(`job ${jobs.length} is done after ${i} faults; the next begins`);
          job = await begin();
        }
        hits.set(fault.at, (hits.get(fault.at) ?? 0) + 1);
        if ((i + 1) % toldEvery === 0) {
          const seconds = ((performance.now() - startedMs) / 1_000).toFixed(0);
          tell(
            `${i + 1} of ${faults} faults, job ${jobs.length + 1}: ${job.subscriber.events.length} of ${expected.length} events read, ${seconds} s`,
          );
        }
      }
      jobs.push(await job.finish(expected));
    } catch (error) {
      await job.abandon();
      throw error;
    }
    return { eventsPerJob: expected.length, hits, jobs };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
