import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import kafkajs, { type Admin } from 'kafkajs';
import { Life } from '../../test/chaos/life.js';
import type { KafkaNames } from '../../test/support/kafka/names.js';
import { cameras, fps, partitions, sendFrames } from './kafka-frames.js';

const pollMs = 20;
/** Nothing that is waited for takes so long, were it to come at all. */
const patienceMs = 120_000;
const caughtUpFrames = 1_600;

/**
 * Frames/s of `count` instances of `watch` that catch up with a topic of frames. Starting does not count, nor does the
 * end, when some have nothing to do any more.
 */
export function catchUpFps(names: KafkaNames, pictures: readonly Buffer[], count: number): Promise<number> {
  return withInstances(names, count, { topology: { kind: 'watch' } }, async (group) => {
    await sendFrames(names.client(), group.topic, { pictures, count: caughtUpFrames, hashed: true });
    await group.until((offsets) => offsets.every((offset) => offset > 0n));
    const [began, beganMs] = [sum(await group.offsets()), performance.now()];
    const almostAll = BigInt(Math.round((0.8 * caughtUpFrames) / partitions));
    await group.until((offsets) => offsets.some((offset) => offset >= almostAll));
    return (Number(sum(await group.offsets()) - began) * 1_000) / (performance.now() - beganMs);
  });
}

/**
 * From kill -9 of one of two instances, while frames come in real time, to a commit on each of its partitions by the
 * other, s.
 */
export function recoverySeconds(
  names: KafkaNames,
  pictures: readonly Buffer[],
  sessionTimeoutMs: number,
): Promise<number> {
  const file = fileURLToPath(new URL('./tumbling.js', import.meta.url));
  const topology = { kind: 'module', name: 'tumbling', file, options: { sizeMs: 500 } };
  return withInstances(names, 2, { topology, sessionTimeoutMs }, async (group, instances) => {
    const stop = new AbortController();
    const sending = sendInRealTime(names, group.topic, pictures, stop.signal);
    try {
      await group.until((offsets) => offsets.every((offset) => offset > 0n));
      const [killed] = await group.members();
      await instances[killed.instance].kill();
      const killedMs = performance.now();
      const before = await group.offsets();
      await group.until((offsets) => killed.partitions.every((partition) => offsets[partition] > before[partition]));
      return (performance.now() - killedMs) / 1_000;
    } finally {
      stop.abort();
      await sending;
    }
  });
}

async function sendInRealTime(
  names: KafkaNames,
  topic: string,
  pictures: readonly Buffer[],
  signal: AbortSignal,
): Promise<void> {
  const client = names.client();
  for (let n = 0; !signal.aborted; n++) {
    const next = sleep(1_000 / fps);
    await sendFrames(client, topic, { pictures, from: n * cameras, count: cameras, hashed: true });
    await next;
  }
}

interface Settings {
  /** An entry of the deployment file. */
  readonly topology: Readonly<Record<string, unknown>>;
  readonly sessionTimeoutMs?: number;
}

/** Runs `work` when `count` instances of a service share the partitions of an empty topic. */
async function withInstances<T>(
  names: KafkaNames,
  count: number,
  { topology, sessionTimeoutMs }: Settings,
  work: (group: Group, instances: readonly Life[]) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'blinkstream-bench-instances-'));
  const topic = await names.topic(partitions);
  const group = names.group();
  const prefix = names.group();
  const stop = new AbortController();
  const instances: Life[] = [];
  try {
    for (let n = 0; n < count; n++) {
      const own = join(folder, `${n}`);
      await mkdir(own);
      const deployment = {
        topologies: [topology],
        kafka: { brokers: names.brokers, clientId: `instance-${n}` },
        sources: [{ name: 'cameras', kind: 'kafka', topic, group, ...(sessionTimeoutMs && { sessionTimeoutMs }) }],
        log: { folder: 'index', kafka: { prefix, partitions } },
        workers: { children: 1 },
        limits: { budgetMiB: 1_024, maxSources: cameras },
      };
      const file = join(own, 'deployment.yaml');
      // JSON is YAML.
      await writeFile(file, JSON.stringify(deployment));
      instances.push(new Life({ args: ['run', file], signal: stop.signal }));
    }
    return await names.admin(async (admin) => {
      const name = `${group}.${String(topology.name ?? topology.kind)}`;
      const shared = new Group(admin, topic, name, instances);
      await shared.untilShared(count);
      return work(shared, instances);
    });
  } finally {
    await Promise.all(instances.map((instance) => instance.kill()));
    stop.abort();
    await rm(folder, { recursive: true, force: true });
  }
}

/** The consumer group of a service, as the broker sees it. */
class Group {
  constructor(
    private readonly admin: Admin,
    readonly topic: string,
    private readonly name: string,
    private readonly instances: readonly Life[],
  ) {}

  /** First offset, by partition, that is not covered by a checkpoint; 0 where there was none. */
  async offsets(): Promise<bigint[]> {
    const [found] = await this.admin.fetchOffsets({ groupId: this.name, topics: [this.topic] });
    const all = Array.from({ length: partitions }, () => 0n);
    for (const { partition, offset } of found?.partitions ?? []) {
      if (BigInt(offset) > 0n) all[partition] = BigInt(offset);
    }
    return all;
  }

  async until(reached: (offsets: readonly bigint[]) => boolean): Promise<void> {
    await this.#wait(async () => reached(await this.offsets()));
  }

  /** Those that have partitions. */
  async members(): Promise<{ readonly instance: number; readonly partitions: readonly number[] }[]> {
    const { groups } = await this.admin.describeGroups([this.name]);
    return groups
      .flatMap(({ members }) => members)
      .map(({ clientId, memberAssignment }) => {
        const decoded = kafkajs.AssignerProtocol.MemberAssignment.decode(memberAssignment);
        return { instance: Number(clientId.split('-')[1]), partitions: decoded?.assignment[this.topic] ?? [] };
      })
      .filter((member) => member.partitions.length > 0);
  }

  async untilShared(count: number): Promise<void> {
    await this.#wait(async () => (await this.members()).length === count);
  }

  async #wait(reached: () => Promise<boolean>): Promise<void> {
    const deadlineMs = performance.now() + patienceMs;
    while (!(await reached())) {
      const ended = this.instances.find((instance) => instance.hasEnded && !instance.wasKilled);
      if (ended !== undefined) throw new Error(`an instance ended by itself, ${ended.account}`);
      if (performance.now() > deadlineMs) throw new Error(`nothing happened in ${patienceMs / 1_000} s`);
      await sleep(pollMs);
    }
  }
}

const sum = (offsets: readonly bigint[]): bigint => offsets.reduce((total, offset) => total + offset, 0n);
