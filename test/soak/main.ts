/**
 * `npm run soak -- --hours N`: N hours of frames, by their own time, through `blinkstream run` as fast as it reads them,
 * and its memory all along. They come from Kafka, or with `--feed camera` from a recording of a camera. The last line is `{"simulatedHours":N,"frames":N,…}`, memory in MB; exit code 1 where it is
 * not bounded or not flat after the first third.
 */
import { parseArgs } from 'node:util';
import { messageOf } from '../../src/records/index.js';
import { feedNames, soak } from './soak.js';
import { complaintsAbout, figuresOf } from './verdict.js';

const { values } = parseArgs({
  options: { hours: { type: 'string', default: '6' }, feed: { type: 'string', default: 'kafka' } },
});
const hours = Number(values.hours);
if (!(hours > 0 && hours <= 1_000)) {
  console.error('error: --hours takes a number of hours of at most 1000');
  process.exit(2);
}
const feed = feedNames.find((name) => name === values.feed);
if (feed === undefined) {
  console.error(`error: --feed takes ${feedNames.join(' or ')}`);
  process.exit(2);
}

const stop = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const)
  process.once(name, () => stop.abort(new Error(`stopped by ${name}`)));

try {
  const result = await soak({ feed, hours, signal: stop.signal, tell: (line) => console.log(line) });
  const figures = figuresOf(hours, result);
  console.log(`the stalled subscriber was let go ${result.letGo} times`);
  const complaints = complaintsAbout(figures);
  for (const complaint of complaints) console.error(`error: ${complaint}`);
  const rounded = Object.entries(figures).map(([name, value]: [string, number]) => [name, Number(value.toFixed(2))]);
  console.log(JSON.stringify(Object.fromEntries(rounded)));
  process.exitCode = complaints.length === 0 ? 0 : 1;
} catch (error) {
  console.error(`error: ${messageOf(error)}`);
  process.exitCode = 1;
}
