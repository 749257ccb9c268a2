import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FrameContent, FrameSequence, Reasoned } from '../../src/records/index.js';
import { createEngine } from '../../src/workers/engine.js';
import { createWorkerPool, type WorkerPool } from '../../src/workers/pool.js';
import type { WorkerEngine } from '../../src/workers/index.js';
import { frameOf } from '../support/workers/sequences.js';

const [width, height] = [320, 240];

/** A scene of soft stripes, with a bright box in it or without. */
function scene(box: boolean): FrameContent {
  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const inside = box && x >= 120 && x < 180 && y >= 90 && y < 150;
      data.fill(inside ? 230 : 70 + ((x * 3 + y * 5) % 40), (y * width + x) * 3, (y * width + x) * 3 + 3);
    }
  }
  return { form: 'pixels', picture: { type: 'u8', width, height, channels: 3, data } };
}

function sequence(): FrameSequence {
  const frame = (index: number, role: 'before' | 'after', content: FrameContent) => {
    const made = frameOf(index, content);
    return { ...made, ref: { ...made.ref, width, height }, role };
  };
  const at = (index: number) => ({ frame: index, timeMs: index * 40, elapsedMs: index * 40 });
  return {
    source: 'yard',
    ordinal: 0,
    trigger: 'activity',
    first: at(0),
    last: at(20),
    frames: [frame(0, 'before', scene(false)), frame(20, 'after', scene(true))],
    settled: [],
    thinnedFrames: 0,
    checkpoint: { states: {}, positions: {} },
  };
}

describe('the engine of a worker', () => {
  const signal = new AbortController().signal;
  let pool: WorkerPool;
  let here: WorkerEngine;
  beforeAll(async () => {
    [pool, here] = await Promise.all([createWorkerPool({ children: 1 }), createEngine({})]);
  });
  afterAll(() => pool.close());

  it('finds in a process what it finds here', async () => {
    const ask = { question: 'What changed?', reasoner: 'measured', signal };
    const [there, direct] = await Promise.all([pool.reason(sequence(), ask), here.reason(sequence(), ask)]);
    const plain = ({ blobs, ...rest }: Reasoned) => ({
      ...rest,
      elapsedMs: 0,
      blobs: blobs.map(({ bytes, ...blob }) => ({ ...blob, bytes: Buffer.from(bytes).toString('base64') })),
    });
    expect(direct.findings.length).toBeGreaterThan(0);
    expect(plain(there)).toEqual(plain(direct));
  });

  it('tells its reasoners and the hashes of its models', async () => {
    const [{ process: described }] = await pool.describe();
    expect(described?.reasoners).toContain('measured');
    expect(described?.models).toEqual(here.models);
    expect(here.models.map(({ sha256 }) => sha256)).toEqual(
      here.models.map(() => expect.stringMatching(/^[0-9a-f]{64}$/) as string),
    );
    await expect(pool.reason(sequence(), { question: '', reasoner: 'oracle', signal })).rejects.toMatchObject({
      code: 'REASONER_UNKNOWN',
      class: 'user',
    });
  });

  it('measures only what it is asked for', async () => {
    const measure = (measurements: Parameters<WorkerEngine['measure']>[1]['measurements']) =>
      here.measure(scene(true), { measurements, signal });
    expect(Object.keys(await measure([]))).toEqual([]);
    const both = await measure(['objects', 'embedding']);
    expect(Object.keys(both).sort()).toEqual(['embedding', 'objects']);
    expect(both.embedding?.reduce((sum, value) => sum + value * value, 0)).toBeCloseTo(1, 4);
  });

  it('names the model that is missing', async () => {
    await expect(createWorkerPool({ children: 1, engine: { modelsDir: '/nowhere' } })).rejects.toMatchObject({
      code: 'MODEL_MISSING',
      message: expect.stringContaining('nanodet.onnx') as string,
    });
  });
});
