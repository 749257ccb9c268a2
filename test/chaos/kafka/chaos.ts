import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { kafkaNames } from '../../support/kafka/names.js';
import { startBroker } from '../../support/kafka/server.js';
import { sendCameras, type CamerasScript } from './cameras.js';
import { drawKafkaFaults, targetOf, type DeepestPassing, type DrawnFault, type KafkaFaultKind } from './faults.js';
import { KafkaJob, type KafkaJobResult } from './job.js';

export interface KafkaChaosOptions {
  readonly seed: number;
  readonly faults: number;
  readonly script: CamerasScript;
  readonly deepest: DeepestPassing;
  readonly signal: AbortSignal;
  readonly tell: (line: string) => void;
}

export interface KafkaChaosResult {
  /** Events of one undisturbed job. */
  readonly eventsPerJob: number;
  /** Faults that happened, by what. */
  readonly hits: ReadonlyMap<KafkaFaultKind, number>;
  /** Several where the faults outlasted a job. */
  readonly jobs: readonly KafkaJobResult[];
}

/** Instances that are there all the time, but for being killed; one more comes and goes. */
const instances = 2;
/** After so many faults there is a lull: where they never stopped, nothing would ever come to be disturbed. */
const burstFaults = 10;
const lullMs = 5_000;

/**
 * Runs a service over a topic of frames, undisturbed by one instance and then by several with faults, and holds what came
 * out against each other: what subscribers of each instance read, and what a read-committed consumer finds.
 */
export async function kafkaChaos(options: KafkaChaosOptions): Promise<KafkaChaosResult> {
  const { seed, faults, script, deepest, signal, tell } = options;
  const folder = await mkdtemp(join(tmpdir(), 'blinkstream-chaos-'));
  const broker = await startBroker();
  try {
    const names = kafkaNames(broker.brokers);
    const client = names.client();
    const topic = await names.topic(script.partitions);
    await sendCameras(client, topic, script);
    const common = { broker, brokers: broker.brokers, client, topic, partitions: script.partitions, signal };
    const startedMs = performance.now();
    const seconds = (): string => ((performance.now() - startedMs) / 1_000).toFixed(0);
    const begin = (name: string, count: number): Promise<KafkaJob> =>
      KafkaJob.begin({
        ...common,
        folder: join(folder, name),
        group: names.group(),
        prefix: names.group(),
        instances: count,
      });

    const undisturbed = await begin('undisturbed', 1);
    await undisturbed.done();
    const expected = await undisturbed.events();
    await undisturbed.end();
    const eventsPerJob = [...expected.values()].reduce((sum, events) => sum + events.length, 0);
    tell(`undisturbed: ${eventsPerJob} events of ${expected.size} cameras in ${seconds()} s`);

    const hits = new Map<KafkaFaultKind, number>();
    const jobs: KafkaJobResult[] = [];
    let [happened, lullUntilMs] = [0, 0];
    const count = (job: KafkaJob, at: KafkaFaultKind): void => {
      hits.set(at, (hits.get(at) ?? 0) + 1);
      happened += 1;
      if (happened % burstFaults !== 0) return;
      lullUntilMs = performance.now() + lullMs;
      const which = `${happened} of ${faults} faults, job ${jobs.length + 1}`;
      tell(`${which}: ${job.read} of ${eventsPerJob} events read, ${seconds()} s`);
    };
    const lanes = lanesOf(drawKafkaFaults(seed, faults, instances, deepest));
    while (happened < faults) {
      const job = await begin(`job-${jobs.length + 1}`, instances);
      try {
        const schedule: Schedule = {
          lullUntilMs: () => lullUntilMs,
          doneShare: () => happened / faults,
          happened: (at) => count(job, at),
        };
        await Promise.all(lanes.map((lane) => sufferAll(job, lane, schedule)));
        jobs.push(await job.finish(expected));
      } catch (error) {
        await job.abandon();
        throw error;
      }
      tell(`job ${jobs.length} is done after ${happened} faults, ${seconds()} s`);
    }
    return { eventsPerJob, hits, jobs };
  } finally {
    await broker.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** The faults of one target: they follow each other, while those of others go on. */
interface FaultLane {
  readonly count: number;
  readonly waiting: DrawnFault[];
}

function lanesOf(drawn: readonly DrawnFault[]): FaultLane[] {
  const byTarget = new Map<string, DrawnFault[]>();
  for (const one of drawn) {
    const target = targetOf(one.fault);
    byTarget.set(target, [...(byTarget.get(target) ?? []), one]);
  }
  return [...byTarget.values()].map((waiting) => ({ count: waiting.length, waiting }));
}

interface Schedule {
  lullUntilMs(): number;
  /** Of all faults, those that have happened. */
  doneShare(): number;
  happened(at: KafkaFaultKind): void;
}

/** No lane runs ahead of all by more than this share of its faults: else what is quick is over long before the rest. */
const mostAhead = 0.03;

/** One fault after the other, until there are no more or the job is over; takes those that have happened out of the lane. */
async function sufferAll(job: KafkaJob, { count, waiting }: FaultLane, schedule: Schedule): Promise<void> {
  const isAhead = (): boolean => 1 - waiting.length / count > schedule.doneShare() + mostAhead;
  while (waiting.length > 0) {
    const [{ fault, afterMs }] = waiting;
    await sleep(Math.max(afterMs, schedule.lullUntilMs() - performance.now()));
    job.check();
    if (job.isOver) return;
    if (isAhead() || !(await job.suffer(fault))) continue;
    waiting.shift();
    schedule.happened(fault.at);
  }
}
