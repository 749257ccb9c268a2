import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { from, lastValueFrom, toArray } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Reasoned } from '../../src/records/index.js';
import { createWorkerPool, type WorkerPool, type WorkerPoolOptions } from '../../src/workers/pool.js';
import { mapOrdered } from '../../src/workers/ordered.js';
import { startWorkerServer } from '../../src/workers/server.js';
import { createEngine, type Order } from '../support/workers/engine.js';
import { pictureOf, sequenceOf } from '../support/workers/sequences.js';

const builtFile = (name: string) =>
  fileURLToPath(new URL(`../../dist/test/support/workers/${name}.js`, import.meta.url));
const engineModule = builtFile('engine');
const never = new AbortController().signal;

let folder: string;
let temporary: string | undefined;
const opened: WorkerPool[] = [];

beforeEach(() => {
  // Sockets of the pools under test go here, so that what is left over is theirs.
  temporary = process.env['TMPDIR'];
  folder = mkdtempSync(join(tmpdir(), 'pool-'));
  process.env['TMPDIR'] = folder;
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((pool) => pool.close()));
  if (temporary === undefined) delete process.env['TMPDIR'];
  else process.env['TMPDIR'] = temporary;
  rmSync(folder, { recursive: true, force: true });
});

const open = async (options: WorkerPoolOptions): Promise<WorkerPool> => {
  const pool = await createWorkerPool({ engineModule, ...options });
  opened.push(pool);
  return pool;
};
const ask = (pool: WorkerPool, ordinal: number, order: Order, signal = never) =>
  pool.reason(sequenceOf(ordinal), { question: JSON.stringify(order), reasoner: 'echo', signal });
const marker = (name: string) => join(folder, name);
const pidOf = ({ findings }: Reasoned) => findings[0].measures[0].after as number;
const sockets = () => readdirSync(folder).filter((name) => name.startsWith('blinkstream-'));
const isAlive = (pid: number) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};
const until = async (condition: () => boolean | Promise<boolean>) => {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 20));
};
const pids = async (pool: WorkerPool) => (await pool.describe()).flatMap((worker) => worker.process?.pid ?? []);
const allUp = (pool: WorkerPool, count: number) => until(async () => (await pids(pool)).length === count);

describe('a pool of worker processes', () => {
  it('sends pictures there and findings and blobs back, unchanged', async () => {
    const pool = await open({ children: 1 });
    const large = pictureOf(1200, 900, 5, 3);
    const encoded = {
      form: 'encoded',
      encoded: { mediaType: 'image/png', bytes: Buffer.from('no real one') },
    } as const;
    const sequence = sequenceOf(3, [large, encoded]);
    const order = { question: JSON.stringify({ do: 'echo' }), reasoner: 'echo', signal: never };
    const reasoned = await pool.reason(sequence, order);
    const direct = await (await createEngine({})).reason(sequence, order);
    const withoutPid = ({ findings, ...rest }: Reasoned) => ({
      ...rest,
      blobs: rest.blobs.map((blob) => ({ ...blob, bytes: Buffer.from(blob.bytes).toString('base64') })),
      findings: findings.map(({ measures, ...finding }) => ({ ...finding, measures: measures.slice(1) })),
    });
    expect(withoutPid(reasoned)).toEqual(withoutPid(direct));
    expect(reasoned.blobs.map(({ bytes }) => bytes.byteLength)).toEqual([32, 1200 * 900 * 3, 11]);
    expect(pidOf(reasoned)).not.toBe(process.pid);
  });

  it('tells what its workers are, and leaves neither processes nor sockets behind', async () => {
    const pool = await open({ children: 2 });
    await allUp(pool, 2);
    expect(pool.capacity).toBe(2);
    const workers = await pool.describe();
    expect(workers[0]).toMatchObject({
      name: 'worker process 1',
      state: 'up',
      process: { reasoners: ['echo'], models: [{ name: 'x' }] },
    });
    expect(sockets()).toHaveLength(1);
    const running = await pids(pool);
    await pool.close();
    expect(running.filter(isAlive)).toEqual([]);
    expect(sockets()).toEqual([]);
    await expect(ask(pool, 0, { do: 'echo' })).rejects.toMatchObject({ code: 'WORKER_POOL_CLOSED' });
  });

  it('fault 16: has a sequence answered by another worker when one is killed, and replaces it', async () => {
    const told: string[] = [];
    const pool = await open({
      children: 2,
      listener: {
        gone: (worker, why) => told.push(`gone: ${worker} ${why.split(',')[0]}`),
        retry: ({ source, first }, why) => told.push(`retry: ${source} ${first.frame} ${why.split(',')[0]}`),
      },
    });
    await allUp(pool, 2);
    const before = await pids(pool);
    const started = marker('started');
    const answer = ask(pool, 0, { do: 'deaf', once: started });
    await until(() => existsSync(started));
    const idle = { waiting: 0, inFlight: 0, capacity: 2, up: 2, down: 0, retries: 0, replaced: 0 };
    expect(pool.load()).toEqual({ ...idle, inFlight: 1 });
    const busy = Number(readFileSync(started, 'utf8'));
    process.kill(busy, 'SIGKILL');
    const other = pidOf(await answer);
    expect(before).toContain(other);
    expect(other).not.toBe(busy);
    await allUp(pool, 2);
    expect(pool.load()).toEqual({ ...idle, retries: 1, replaced: 1 });
    expect(told.map((line) => line.replace(/process \d/, 'process N'))).toEqual([
      'gone: worker process N was killed from outside (SIGKILL)',
      expect.stringMatching(/^retry: \S+ \d+ worker process N was killed from outside \(SIGKILL\)/),
    ]);
    expect((await pids(pool)).includes(busy)).toBe(false);
  });

  it('fault 16: loses no sequence by kills, however many meet it', async () => {
    const retries: string[] = [];
    const pool = await open({ children: 2, listener: { retry: (_, why) => retries.push(why) } });
    const answer = await ask(pool, 4, { do: 'killed', times: 5, counted: marker('kill') });
    expect(answer.findings[0].statement).toBe('sequence 4');
    expect(retries).toHaveLength(5);
  });

  it('fault 16: gives a sequence up by which one worker after the other is killed, as for want of memory', async () => {
    const pool = await open({ children: 2 });
    await expect(ask(pool, 4, { do: 'killed', times: 99, counted: marker('kill') })).rejects.toMatchObject({
      code: 'WORKER_FAILED',
      message: expect.stringMatching(
        /killed from outside \(SIGKILL\), perhaps because the machine is out of memory/,
      ) as string,
    });
    expect((await ask(pool, 8, { do: 'echo' })).findings[0].statement).toBe('sequence 8');
  });

  it.each([
    [
      'crashes, and is the only one',
      { do: 'crash' },
      { children: 1 },
      /was ended by SIGABRT; it wrote last: .*something native broke/,
    ],
    ['hangs with a blocked thread', { do: 'block' }, { deadlineMs: 1_000 }, /hung: it did not stop within/],
    ['does not hear that it is cancelled', { do: 'deaf' }, { deadlineMs: 1_000 }, /hung: it did not stop within/],
    ['takes too much native memory', { do: 'allocate' }, { memoryLimitBytes: 400 * 1024 ** 2 }, /ran out of memory/],
    ['fills the JavaScript heap', { do: 'allocate-heap' }, { memoryLimitBytes: 300 * 1024 ** 2 }, /ran out of memory/],
    ['is too slow', { do: 'wait' }, { deadlineMs: 1_000 }, /did not answer in time/],
    ['throws for want of resources', { do: 'throw-resource' }, {}, /the picture is no picture/],
  ] as const)('fault 16: retries once when a worker %s, then gives up and goes on', async (_, order, options, why) => {
    const pool = await open({ children: 2, ...options });
    const [answer, error] = await Promise.all([
      ask(pool, 4, { ...order, once: marker('once') }),
      ask(pool, 7, order).catch((thrown: unknown) => thrown),
    ]);
    expect(answer.findings[0].statement).toBe('sequence 4');
    expect(error).toMatchObject({ code: 'WORKER_FAILED', class: 'resource' });
    expect(error).toMatchObject({
      message: expect.stringMatching(/frames 70 to 71 of yard: worker process [12]/) as string,
    });
    expect(error).toMatchObject({ message: expect.stringMatching(why) as string });
    expect((await ask(pool, 8, { do: 'echo' })).findings[0].statement).toBe('sequence 8');
  });

  it('keeps order at the outlet whatever happens to the workers', async () => {
    const pool = await open({ children: 3, memoryLimitBytes: 400 * 1024 ** 2, deadlineMs: 5_000 });
    const orders: Order[] = Array.from({ length: 24 }, (_, i) => {
      if (i === 3) return { do: 'crash', once: marker('crash') };
      if (i === 7) return { do: 'allocate', once: marker('allocate') };
      return i % 5 === 0 ? { do: 'sleep', ms: 60 } : { do: 'echo' };
    });
    const answers = from(orders.entries()).pipe(
      mapOrdered(([ordinal, order], signal) => ask(pool, ordinal, order, signal), pool.capacity),
      toArray(),
    );
    const statements = (await lastValueFrom(answers)).map(({ findings }) => findings[0].statement);
    expect(statements).toEqual(orders.map((_, i) => `sequence ${i}`));
  });

  it('stops the work of a sequence that is cancelled, answers at once, and keeps the worker', async () => {
    const pool = await open({ children: 1 });
    const [pid] = await pids(pool);
    const abort = new AbortController();
    const [started, stopped] = [marker('started'), marker('stopped')];
    const answer = ask(pool, 0, { do: 'wait', once: started, stopped }, abort.signal);
    const queued = ask(pool, 1, { do: 'echo' }, abort.signal);
    await until(() => existsSync(started));
    abort.abort(new Error('nobody wants it'));
    await expect(answer).rejects.toThrow('nobody wants it');
    await expect(queued).rejects.toThrow('nobody wants it');
    await until(() => existsSync(stopped));
    expect(pidOf(await ask(pool, 2, { do: 'echo' }))).toBe(pid);
  });

  it('leaves it to the parent when a worker ends: Ctrl-C and SIGTERM reach the children too', async () => {
    const pool = await open({ children: 1 });
    const [pid] = await pids(pool);
    process.kill(pid, 'SIGINT');
    process.kill(pid, 'SIGTERM');
    expect(pidOf(await ask(pool, 0, { do: 'sleep', ms: 100 }))).toBe(pid);
    await pool.close();
    expect(isAlive(pid)).toBe(false);
  });

  it('tells errors of the work as they were thrown, without a retry', async () => {
    const pool = await open({ children: 1 });
    const [pid] = await pids(pool);
    await expect(ask(pool, 0, { do: 'throw-data' })).rejects.toMatchObject({
      code: 'PICTURE_INVALID',
      class: 'data',
      stage: 'evidence',
      hint: 'Look at it.',
      message: 'the picture is no picture',
    });
    await expect(ask(pool, 0, { do: 'throw' })).rejects.toMatchObject({
      code: 'WORKER_INTERNAL',
      class: 'internal',
      message: 'the worker failed: undefined is not a frame',
    });
    expect(await pids(pool)).toEqual([pid]);
  });

  it('rejects what waits and runs when it is closed', async () => {
    const pool = await open({ children: 1 });
    const started = marker('started');
    const running = ask(pool, 0, { do: 'deaf', once: started });
    const waiting = ask(pool, 1, { do: 'echo' });
    const both = Promise.allSettled([running, waiting]);
    await until(() => existsSync(started));
    await pool.close();
    for (const outcome of await both) expect(outcome).toMatchObject({ reason: { code: 'WORKER_POOL_CLOSED' } });
  });

  it('says why it cannot start', async () => {
    const refused = (modelsDir: string) => open({ children: 1, engine: { modelsDir } });
    await expect(refused('/missing')).rejects.toMatchObject({ code: 'MODEL_MISSING', class: 'user' });
    await expect(refused('/crash')).rejects.toMatchObject({
      class: 'internal',
      message: expect.stringContaining('the engine broke while it was built') as string,
    });
    await expect(refused('/exit')).rejects.toMatchObject({
      code: 'WORKER_START_FAILED',
      class: 'external',
      message: expect.stringMatching(/exit code 7; it wrote last: libmodel.so: cannot open/) as string,
    });
    // It may live the next time.
    await expect(refused('/killed')).rejects.toMatchObject({ code: 'WORKER_KILLED', class: 'external' });
    await expect(open({ children: 0 })).rejects.toMatchObject({ code: 'WORKERS_NONE' });
    expect(sockets()).toEqual([]);
  });

  it('fault 26: leaves no process and no socket behind when its own process is killed', async () => {
    const parent = spawn(process.execPath, [builtFile('parent')], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = (await once(createInterface(parent.stdout), 'line')) as [string];
    const { pids: orphans, folders } = JSON.parse(line) as { pids: number[]; folders: string[] };
    expect(orphans.map(isAlive)).toEqual([true, true]);
    expect(folders).toHaveLength(1);
    parent.kill('SIGKILL');
    await until(() => !orphans.some(isAlive));
    await until(() => sockets().length === 0);
  });
});

describe('a pool of remote workers', () => {
  const serve = async (address: string) =>
    startWorkerServer({ address, engine: await createEngine({}), version: '0.0.0' });

  it('uses them, goes on with another when one goes, and takes it again when it is back', async () => {
    const [one, two] = [await serve('127.0.0.1:0'), await serve('127.0.0.1:0')];
    const pool = await open({ addresses: [one.address, two.address] });
    await allUp(pool, 2);
    await one.close();
    const answers = await Promise.all([0, 1, 2, 3].map((ordinal) => ask(pool, ordinal, { do: 'echo' })));
    expect(answers.map(({ findings }) => findings[0].statement)).toEqual([0, 1, 2, 3].map((i) => `sequence ${i}`));
    const again = await serve(one.address);
    await allUp(pool, 2);
    await pool.close();
    await Promise.all([again.close(), two.close()]);
  });

  it('waits for one that works for somebody else', async () => {
    const server = await serve('127.0.0.1:0');
    const [mine, other] = [await open({ addresses: [server.address] }), await open({ addresses: [server.address] })];
    const started = marker('started');
    const first = ask(other, 0, { do: 'sleep', ms: 300, once: started });
    await until(() => existsSync(started));
    expect((await ask(mine, 1, { do: 'echo' })).findings[0].statement).toBe('sequence 1');
    await first;
    await Promise.all([mine.close(), other.close()]);
    await server.close();
  });

  it('fault 17: says that none can be reached', async () => {
    const server = await serve('127.0.0.1:0');
    await server.close();
    await expect(open({ addresses: [server.address] })).rejects.toMatchObject({
      code: 'WORKER_DOWN',
      class: 'external',
    });
    await expect(open({ addresses: ['gpu.example:7000'] })).rejects.toMatchObject({ code: 'ADDRESS_NOT_SECURE' });
  });
});
