/**
 * `npm run chaos -- --seed N --faults N`: kills `blinkstream watch` again and again, and starts the same command after
 * each time. The last line is `{"faults":N,"expected":N,"lost":0,"duplicated":0}`; exit code 1 where the figures are not
 * as promised.
 */
import { parseArgs } from 'node:util';
import { messageOf } from '../../src/records/index.js';
import { chaos } from './chaos.js';
import { faultKinds } from './faults.js';

/** What the promise is made for: a job of at least so many events. */
const leastEvents = 500;
const script = { steps: 240, stepMs: 2_400, changesPerStep: 4, fps: 5 };

const { values } = parseArgs({
  options: { seed: { type: 'string', default: '1' }, faults: { type: 'string', default: '200' } },
});
const [seed, faults] = [Number(values.seed), Number(values.faults)];
if (!Number.isSafeInteger(seed) || !Number.isSafeInteger(faults) || faults < 1) {
  console.error('error: --seed takes a whole number, --faults one of at least 1');
  process.exit(2);
}

const stop = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const)
  process.once(name, () => stop.abort(new Error(`stopped by ${name}`)));

const { eventsPerJob, hits, jobs } = await chaos({
  seed,
  faults,
  script: { ...script, seed },
  signal: stop.signal,
  tell: (line) => console.log(line),
}).catch((error: unknown) => {
  console.error(`error: ${messageOf(error)}`);
  process.exit(1);
});

console.log('\nkilled at       times');
for (const kind of faultKinds) console.log(`${kind.padEnd(14)}${String(hits.get(kind) ?? 0).padStart(7)}`);
const readers = jobs.flatMap(({ overGrpc, inFile }, i) => [
  { name: `job ${i + 1}, gRPC subscriber`, difference: overGrpc },
  { name: `job ${i + 1}, events.jsonl`, difference: inFile },
]);
console.log('\nreader                     lost  duplicated');
for (const { name, difference } of readers) {
  console.log(`${name.padEnd(24)}${String(difference.lost).padStart(7)}${String(difference.duplicated).padStart(12)}`);
  for (const example of difference.examples) console.log(`  ${example}`);
}
console.log(`the subscriber connected anew ${jobs.reduce((n, job) => n + job.retries, 0)} times`);

const sum = (field: 'lost' | 'duplicated') => readers.reduce((n, { difference }) => n + difference[field], 0);
const result = {
  faults: [...hits.values()].reduce((a, b) => a + b, 0),
  expected: jobs.length * eventsPerJob,
  lost: sum('lost'),
  duplicated: sum('duplicated'),
};
// Each kind in its turn, so that all have this many hits.
const leastHits = Math.floor(faults / faultKinds.length);
const asPromised =
  eventsPerJob >= leastEvents &&
  result.faults === faults &&
  faultKinds.every((kind) => (hits.get(kind) ?? 0) >= leastHits) &&
  result.lost === 0 &&
  result.duplicated === 0;
console.log(JSON.stringify(result));
process.exitCode = asPromised ? 0 : 1;
