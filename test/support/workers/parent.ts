/**
 * A parent for tests to kill: two workers, one of them blocked in a loop that never gives its thread back. Tells the
 * worker's pids and the folder of their sockets, then waits.
 */
import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { createWorkerPool } from '../../../src/workers/pool.js';
import { sequenceOf } from './sequences.js';

const engineModule = fileURLToPath(new URL('./engine.js', import.meta.url));
const pool = await createWorkerPool({ children: 2, engineModule });
const upOf = async () => (await pool.describe()).filter(({ state }) => state === 'up');
let up = await upOf();
while (up.length < 2) up = await upOf();
const signal = new AbortController().signal;
void pool.reason(sequenceOf(0), { question: JSON.stringify({ do: 'block' }), reasoner: 'echo', signal });
const folders = readdirSync(tmpdir()).filter((name) => name.startsWith('blinkstream-'));
process.stdout.write(`${JSON.stringify({ pids: up.map((worker) => worker.process?.pid), folders })}\n`);
setInterval(() => undefined, 1_000);
