/**
 * `npm run bench -- NAME…`, all of them without a name: a table each, and last one line of JSON each with the figures
 * that the budgets name. Best run on a machine that does nothing else.
 */
import { nearest } from '../src/records/nearest.js';

/** What a bench module exports. */
interface Bench {
  readonly name: string;
  run(): Promise<{ rows: Record<string, number | string>[]; json: Record<string, number | string> }>;
}

/** Loaded one by one, so that what one bench leaves in memory or caches is not there when it does not run. */
const benches: Readonly<Record<string, () => Promise<Bench>>> = {
  gate: () => import('./gate.js'),
  decode: () => import('./decode.js'),
  grpc: () => import('./grpc.js'),
  memory: () => import('./memory.js'),
  kafka: () => import('./kafka.js'),
  cameras: () => import('./cameras.js'),
};

const figures = (value: number | string): string =>
  typeof value === 'string' ? value : Number(value.toPrecision(4)).toLocaleString('en');

function printTable(rows: readonly Record<string, number | string>[]): void {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const cells = rows.map((row) => columns.map((column) => (column in row ? figures(row[column]) : '')));
  const widths = columns.map((column, i) => Math.max(column.length, ...cells.map((line) => line[i].length)));
  for (const line of [columns, ...cells]) console.log(line.map((cell, i) => cell.padStart(widths[i])).join('  '));
}

const asked = process.argv.slice(2);
const known = Object.keys(benches);
const unknown = asked.find((name) => !known.includes(name));
if (unknown !== undefined) {
  const guess = nearest(unknown, known);
  console.error(
    `error: no bench ${unknown} — ${guess === undefined ? `there are ${known.join(', ')}` : `did you mean ${guess}?`}`,
  );
  process.exit(2);
}

const lines: string[] = [];
for (const name of asked.length > 0 ? asked : known) {
  const bench = await benches[name]();
  const { rows, json } = await bench.run();
  console.log(`\n${name}`);
  printTable(rows);
  lines.push(JSON.stringify({ bench: name, ...json }));
}
console.log(`\n${lines.join('\n')}`);
