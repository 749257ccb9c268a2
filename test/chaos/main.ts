/**
 * `npm run chaos -- --seed N --faults N`: kills `blinkstream watch` again and again, and starts the same command after
 * each time. With `--kafka` instances of `blinkstream run` over a topic, their workers and the broker, with instances that
 * join and leave and subscribers that stall. The last line is `{"faults":N,"expected":N,"lost":0,"duplicated":0}`; exit
 * code 1 where the figures are not as promised.
 */
import { parseArgs } from 'node:util';
import { messageOf } from '../../src/records/index.js';
import { chaos } from './chaos.js';
import type { Difference } from './comparison.js';
import { faultKinds } from './faults.js';
import { disorder } from './kafka/cameras.js';
import { kafkaChaos } from './kafka/chaos.js';
import { kafkaFaultKinds } from './kafka/faults.js';

/** What a run is judged by. */
interface Outcome {
  readonly eventsPerJob: number;
  readonly leastEvents: number;
  readonly jobs: number;
  readonly kinds: readonly string[];
  readonly hits: ReadonlyMap<string, number>;
  /** Each of these kinds in its turn, so that all have been hit as often. */
  readonly evenKinds: readonly string[];
  readonly readers: readonly { readonly name: string; readonly difference: Difference }[];
  readonly retries: number;
  /** Where the job has a place for them. */
  readonly deadLetters?: readonly string[];
}

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    faults: { type: 'string', default: '200' },
    kafka: { type: 'boolean', default: false },
  },
});
const [seed, faults] = [Number(values.seed), Number(values.faults)];
if (!Number.isSafeInteger(seed) || !Number.isSafeInteger(faults) || faults < 1) {
  console.error('error: --seed takes a whole number, --faults one of at least 1');
  process.exit(2);
}

const stop = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const)
  process.once(name, () => stop.abort(new Error(`stopped by ${name}`)));
const common = { seed, faults, signal: stop.signal, tell: (line: string) => console.log(line) };

const outcome = await (values.kafka ? withKafka() : ofOneWatch()).catch((error: unknown) => {
  console.error(`error: ${messageOf(error)}`);
  process.exit(1);
});
tell(outcome);

async function ofOneWatch(): Promise<Outcome> {
  const { eventsPerJob, hits, jobs } = await chaos({
    ...common,
    script: { seed, steps: 240, stepMs: 2_400, changesPerStep: 4, fps: 5 },
  });
  return {
    ...{ eventsPerJob, hits, leastEvents: 500, jobs: jobs.length, kinds: faultKinds, evenKinds: faultKinds },
    readers: jobs.flatMap(({ overGrpc, inFile }, i) => [
      { name: `job ${i + 1}, gRPC subscriber`, difference: overGrpc },
      { name: `job ${i + 1}, events.jsonl`, difference: inFile },
    ]),
    retries: jobs.reduce((n, job) => n + job.retries, 0),
  };
}

async function withKafka(): Promise<Outcome> {
  const mix = Object.entries(disorder).map(([name, percent]) => `${percent} % ${name.replace('Percent', '')}`);
  console.log(`frames: ${mix.join(', ')}`);
  const { eventsPerJob, hits, jobs } = await kafkaChaos({
    ...common,
    script: { seed, cameras: 12, partitions: 4, steps: 80, stepMs: 2_400, changesPerStep: 4, fps: 5 },
    deepest: { frame: 60, commit: 8 },
  });
  return {
    ...{ eventsPerJob, hits, leastEvents: 2_000, jobs: jobs.length, kinds: kafkaFaultKinds },
    evenKinds: kafkaFaultKinds.filter((kind) => kind !== 'broker'),
    readers: jobs.flatMap(({ overGrpc, ofConsumer }, i) => [
      ...overGrpc.map((difference, n) => ({ name: `job ${i + 1}, subscriber of ${n + 1}`, difference })),
      { name: `job ${i + 1}, consumer`, difference: ofConsumer },
    ]),
    retries: jobs.reduce((n, job) => n + job.retries, 0),
    deadLetters: jobs.flatMap((job, i) => job.deadLetters.map((letter) => `job ${i + 1}: ${letter}`)),
  };
}

function tell({
  eventsPerJob,
  leastEvents,
  jobs,
  kinds,
  hits,
  evenKinds,
  readers,
  retries,
  deadLetters,
}: Outcome): void {
  console.log('\nfault           times');
  for (const kind of kinds) console.log(`${kind.padEnd(14)}${String(hits.get(kind) ?? 0).padStart(7)}`);
  console.log('\nreader                     lost  duplicated');
  for (const { name, difference } of readers) {
    console.log(
      `${name.padEnd(24)}${String(difference.lost).padStart(7)}${String(difference.duplicated).padStart(12)}`,
    );
    for (const example of difference.examples) console.log(`  ${example}`);
  }
  console.log(`subscribers connected anew ${retries} times`);
  if (deadLetters !== undefined) console.log(`${deadLetters.length} dead letters`);
  for (const letter of deadLetters ?? []) console.log(`  ${letter}`);

  const sum = (field: 'lost' | 'duplicated') => readers.reduce((n, { difference }) => n + difference[field], 0);
  const result = {
    faults: [...hits.values()].reduce((a, b) => a + b, 0),
    expected: jobs * eventsPerJob,
    lost: sum('lost'),
    duplicated: sum('duplicated'),
  };
  const leastHits = Math.floor(faults / kinds.length);
  const asPromised =
    eventsPerJob >= leastEvents &&
    result.faults === faults &&
    evenKinds.every((kind) => (hits.get(kind) ?? 0) >= leastHits) &&
    result.lost === 0 &&
    result.duplicated === 0;
  console.log(JSON.stringify(result));
  process.exitCode = asPromised ? 0 : 1;
}
