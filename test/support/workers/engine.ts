import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { bytesOf } from '../../../src/records/convert/picture.js';
import { BlinkstreamError, type Finding, type FrameSequence, type Reasoned } from '../../../src/records/index.js';
import type { CreateEngine } from '../../../src/workers/index.js';

/** What a question tells the engine of the tests to do; as JSON. */
export interface Order {
  readonly do:
    | 'echo'
    | 'sleep'
    | 'wait'
    | 'crash'
    | 'killed'
    | 'block'
    | 'deaf'
    | 'allocate'
    | 'allocate-heap'
    | 'throw'
    | 'throw-data'
    | 'throw-resource';
  readonly ms?: number;
  /** How many of those who are asked are killed. */
  readonly times?: number;
  /** Begins the names of the files by which that is counted. */
  readonly counted?: string;
  /** A file that tells a pid: who makes it does what the order says, everyone later only echoes. */
  readonly once?: string;
  /** A file that is made when the work was told to stop. */
  readonly stopped?: string;
}

/** An engine that answers with what it got, or fails in the way that the question asks for. */
export const createEngine: CreateEngine = ({ modelsDir }) => {
  if (modelsDir === '/missing') {
    return Promise.reject(
      new BlinkstreamError('model x.onnx is missing', {
        code: 'MODEL_MISSING',
        class: 'user',
        stage: 'evidence',
        hint: 'Restore it.',
      }),
    );
  }
  if (modelsDir === '/crash') throw new Error('the engine broke while it was built');
  if (modelsDir === '/killed') process.kill(process.pid, 'SIGKILL');
  // Its first three lives end while they begin.
  const lives = /^killed-thrice:(.+)$/.exec(modelsDir ?? '')?.[1];
  if (lives !== undefined && [1, 2, 3].some((n) => isFirst(`${lives}-${n}`))) process.kill(process.pid, 'SIGKILL');
  if (modelsDir === '/exit') {
    process.stderr.write('libmodel.so: cannot open shared object\n');
    process.exit(7);
  }
  return Promise.resolve({
    reason: async (sequence, { question, reasoner, signal }) => {
      const order = JSON.parse(question) as Order;
      if (order.once === undefined || isFirst(order.once)) await obey(order, signal);
      return echo(sequence, reasoner);
    },
    measure: (content, { measurements }) =>
      Promise.resolve({
        ...(measurements.includes('text') && {
          lines: [{ text: sha256(bytesOf(content)), confidence: 1, region: { x: 0, y: 0, width: 1, height: 1 } }],
        }),
        ...(measurements.includes('embedding') && { embedding: [0.5, -0.5] }),
      }),
    reasoners: ['echo'],
    models: [{ name: 'x', sha256: 'ab'.repeat(32) }],
  });
};

async function obey(order: Order, signal: AbortSignal): Promise<void> {
  switch (order.do) {
    case 'echo':
      return;
    case 'sleep':
      await sleep(order.ms);
      return;
    case 'wait':
      await new Promise<void>((_, reject) => {
        signal.addEventListener('abort', () => {
          if (order.stopped !== undefined) isFirst(order.stopped);
          reject(new Error('stopped'));
        });
      });
      return;
    case 'crash':
      process.stderr.write('something native broke\n');
      return process.abort();
    case 'killed':
      for (let n = 0; n < (order.times ?? 0); n++) {
        if (isFirst(`${order.counted}-${n}`)) process.kill(process.pid, 'SIGKILL');
      }
      return;
    case 'block':
      for (;;) Math.random();
    case 'deaf':
      await new Promise(() => undefined);
      return;
    case 'allocate': {
      const held: Buffer[] = [];
      // Outside of V8's heap, and without ever giving the thread back: as native code does.
      for (;;) held.push(Buffer.alloc(16 * 1024 * 1024, 1));
    }
    case 'allocate-heap': {
      const held: object[] = [];
      for (;;) held.push(new Array(100_000).fill(held));
    }
    case 'throw':
      throw new TypeError('undefined is not a frame');
    case 'throw-data':
    case 'throw-resource':
      throw new BlinkstreamError('the picture is no picture', {
        code: 'PICTURE_INVALID',
        class: order.do === 'throw-data' ? 'data' : 'resource',
        stage: 'evidence',
        hint: 'Look at it.',
      });
  }
}

function isFirst(path: string): boolean {
  try {
    writeFileSync(path, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** One finding, whose measures tell the process and the sequence's pictures, and whose blobs are those pictures. */
function echo({ source, ordinal, first, last, baseline, frames }: FrameSequence, reasoner: string): Reasoned {
  const leases = [baseline, ...frames].flatMap((frame) => frame?.lease ?? []);
  const pictures = leases.map((lease) => bytesOf(lease.content()));
  const finding: Finding = {
    kind: 'APPEARED',
    subject: { label: 'object', description: source, confidence: 0 },
    statement: `sequence ${ordinal}`,
    interval: { first, last },
    measures: [
      { name: 'pid', unit: '', after: process.pid },
      ...pictures.map((bytes) => ({ name: sha256(bytes), unit: 'byte', after: bytes.byteLength })),
    ],
    pictures: [],
    ongoing: false,
    identity: { embedding: [1, 0] },
    verification: { verdict: 'UNVERIFIED', checks: [] },
  };
  const blobs = pictures.map((bytes) => ({ sha256: sha256(bytes), mediaType: 'image/x-raw', bytes }));
  return { findings: [finding], contradicted: [], blobs, reasoner, elapsedMs: 1.5 };
}
