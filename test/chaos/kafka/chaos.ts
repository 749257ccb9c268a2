import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { kafkaNames } from '../../support/kafka/names.js';
import { startBroker } from '../../support/kafka/server.js';
import { sendCameras, type CamerasScript } from './cameras.js';
import { drawKafkaFaults, type KafkaFaultKind } from './faults.js';
import { KafkaJob, type KafkaJobResult } from './job.js';

export interface KafkaChaosOptions {
  readonly seed: number;
  readonly faults: number;
  readonly script: CamerasScript;
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

/** Instances that are there all the time; one more comes and goes. */
const instances = 2;
const toldEvery = 10;

/**
 * Runs a service over a topic of frames, undisturbed by one instance and then by several with faults, and holds what came
 * out against each other: what subscribers of each instance read, and what a read-committed consumer finds.
 */
export async function kafkaChaos(options: KafkaChaosOptions): Promise<KafkaChaosResult> {
  const { seed, faults, script, signal, tell } = options;
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
    while (!(await undisturbed.isDone())) {
      undisturbed.check();
      await sleep(500);
    }
    const expected = await undisturbed.events();
    await undisturbed.end();
    const eventsPerJob = [...expected.values()].reduce((sum, events) => sum + events.length, 0);
    tell(`undisturbed: ${eventsPerJob} events of ${expected.size} cameras in ${seconds()} s`);

    const hits = new Map<KafkaFaultKind, number>();
    const jobs: KafkaJobResult[] = [];
    let job = await begin('job-1', instances);
    try {
      for (const [i, { fault, afterMs }] of drawKafkaFaults(seed, faults, instances).entries()) {
        await sleep(afterMs, undefined, { signal });
        while (!(await job.suffer(fault))) {
          jobs.push(await job.finish(expected));
          tell(`job ${jobs.length} is done after ${i} faults; the next begins`);
          job = await begin(`job-${jobs.length + 1}`, instances);
        }
        hits.set(fault.at as KafkaFaultKind, (hits.get(fault.at as KafkaFaultKind) ?? 0) + 1);
        if ((i + 1) % toldEvery === 0) {
          tell(
            `${i + 1} of ${faults} faults, job ${jobs.length + 1}: ${job.read} of ${eventsPerJob} events read, ${seconds()} s`,
          );
        }
      }
      jobs.push(await job.finish(expected));
    } catch (error) {
      await job.abandon();
      throw error;
    }
    return { eventsPerJob, hits, jobs };
  } finally {
    await broker.close();
    await rm(folder, { recursive: true, force: true });
  }
}
