import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startWorkers } from '../../src/cli/deployment/start-workers.js';

const engineModule = fileURLToPath(new URL('../../dist/test/support/workers/engine.js', import.meta.url));
const never = new AbortController().signal;

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'start-workers-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('the workers of a service', () => {
  it('are started again where they were killed while they started, and that is told', async () => {
    const told: string[] = [];
    const pool = await startWorkers({
      children: 1,
      engineModule,
      engine: { modelsDir: `killed-thrice:${join(folder, 'life')}` },
      onDown: ({ code }) => told.push(code),
      signal: never,
    });
    expect(told).toEqual(['WORKER_KILLED']);
    expect((await pool.describe()).map(({ state }) => state)).toEqual(['up']);
    await pool.close();
  });

  it('fail at once where another start would only meet the same', async () => {
    const told: string[] = [];
    await expect(
      startWorkers({
        children: 1,
        engineModule,
        engine: { modelsDir: '/missing' },
        onDown: ({ code }) => told.push(code),
        signal: never,
      }),
    ).rejects.toMatchObject({ code: 'MODEL_MISSING' });
    expect(told).toEqual([]);
  });

  it('are tried a last time after the service was told to end', async () => {
    const stop = new AbortController();
    const told: string[] = [];
    await expect(
      startWorkers({
        children: 1,
        engineModule,
        engine: { modelsDir: '/killed' },
        onDown: ({ code }) => {
          told.push(code);
          stop.abort(new Error('told to end'));
        },
        signal: stop.signal,
      }),
    ).rejects.toMatchObject({ code: 'WORKER_KILLED' });
    expect(told).toEqual(['WORKER_KILLED']);
  });
});
