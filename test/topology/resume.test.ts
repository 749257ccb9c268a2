import { createHash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { drawShelf, SHELF, type ShelfScript } from '../../fixtures/shelf.js';
import { memoryLog } from '../../src/log/memory.js';
import type { ChangeLog, Commit } from '../../src/log/index.js';
import type { ReasonSequence } from '../../src/reasoning/index.js';
import { pictureOf } from '../../src/pixels/content.js';
import {
  yuv420Bytes,
  type Blob,
  type Finding,
  type FrameContent,
  type FrameSequence,
  type Lease,
  type SequenceFrame,
  type Tick,
} from '../../src/records/index.js';
import { leaseOf } from '../../src/sources/budget.js';
import type { Source } from '../../src/sources/index.js';
import { run } from '../../src/topology/run.js';
import watch from '../../topologies/watch.js';

const script: ShelfScript = { seed: 5, steps: 10, stepMs: 2_600, changesPerStep: 3, fps: 5 };

/** Rest in a light that fades and returns, then the shelf; something crosses now and then, and there is always grain. */
const drawn = [...drawShelf(script)];
const rest = Array.from({ length: 45 }, () => drawn[0]);
const frames = [...rest, ...drawn].map((data, index) => disturbed(data, index));

function disturbed(still: Uint8Array, index: number): Uint8Array {
  const data = still.slice();
  const gain = index >= 20 && index < 40 ? 1 - 0.4 * Math.sin(((index - 20) / 20) * Math.PI) : 1;
  const x = index < rest.length ? Infinity : (index % 70) * 8 - 160;
  for (let row = 0; row < SHELF.heightPx; row++)
    for (let column = 0; column < SHELF.widthPx; column++) {
      const at = (row * SHELF.widthPx + column) * 3;
      const crosses = column >= x && column < x + 26 && row > 70 && row < 100;
      for (let c = 0; c < 3; c++) {
        const value = crosses ? [200, 30, 60][c] : data[at + c];
        const grain = ((index * 31 + row * 17 + column * 7 + c) % 5) - 2;
        data[at + c] = Math.max(0, Math.min(255, value * gain + grain));
      }
    }
  return data;
}

/** How a source gives the drawn frames. */
interface Giving {
  readonly contentOf: (data: Uint8Array) => FrameContent;
  /** Which frame of the scene comes as the n-th. */
  readonly sceneIndexOf: (n: number) => number;
  readonly allowedLatenessMs: number;
  /** What comes between the frames, before the n-th; frames from there on come so much later. */
  readonly pauses?: readonly Pause[];
}

interface Pause {
  readonly before: number;
  readonly ms: number;
  /** Told by every tick but the first, and by the last as over. */
  readonly reason?: string;
}

const TICK_MS = 700;

const size = { width: SHELF.widthPx, height: SHELF.heightPx };

const asPixels = (data: Uint8Array): FrameContent => ({
  form: 'pixels',
  picture: { ...size, channels: 3, type: 'u8', data },
});

/** Green as luma, and chroma of whatever the upper left pixel of each four holds: any planes will do. */
function asPlanes(data: Uint8Array): FrameContent {
  const { width, height } = size;
  const planes = new Uint8Array(yuv420Bytes(width, height));
  for (let i = 0; i < width * height; i++) planes[i] = data[3 * i + 1];
  for (let row = 0, at = width * height; row < height; row += 2)
    for (let column = 0; column < width; column += 2, at++) {
      const from = 3 * (row * width + column);
      planes[at] = 128 + (data[from + 2] - data[from + 1]) / 2;
      planes[at + (width * height) / 4] = 128 + (data[from] - data[from + 1]) / 2;
    }
  return { form: 'yuv420', picture: { ...size, type: 'yuv420', matrix: 'bt601', range: 'full', data: planes } };
}

const inOrder = { sceneIndexOf: (n: number) => n, allowedLatenessMs: 0 };

const givings: Readonly<Record<string, Giving>> = {
  'gives pixels': { contentOf: asPixels, ...inOrder },
  'gives planes': { contentOf: asPlanes, ...inOrder },
  // Blocks of four, each backwards.
  'pauses and has gaps': {
    contentOf: asPixels,
    ...inOrder,
    pauses: [
      { before: 30, ms: 9_000, reason: 'it was dark' },
      { before: 64, ms: 30_000 },
      { before: 90, ms: 2_500, reason: 'the cable was out' },
      { before: 120, ms: 1_500, reason: 'once' },
    ],
  },
  'has gaps and is out of order': {
    contentOf: asPixels,
    sceneIndexOf: (n) => n - (n % 4) + 3 - (n % 4),
    allowedLatenessMs: 800,
    pauses: [
      { before: 40, ms: 9_000, reason: 'it was dark' },
      { before: 88, ms: 20_000 },
    ],
  },
  'is out of order': { contentOf: asPixels, sceneIndexOf: (n) => n - (n % 4) + 3 - (n % 4), allowedLatenessMs: 800 },
};

/** The ticks of a pause that begins at `elapsedMs`. */
function ticksOf({ ms, reason }: Pause, elapsedMs: number): Tick[] {
  const ticks: Tick[] = [];
  for (let passed = TICK_MS; passed < ms; passed += TICK_MS) {
    const over = passed + TICK_MS >= ms;
    const told = reason !== undefined && passed > TICK_MS;
    ticks.push({
      type: 'tick',
      source: 'shelf',
      eventTimeMs: elapsedMs + passed,
      elapsedMs: elapsedMs + passed,
      ...(told && { gap: { sinceMs: elapsedMs, reason, over } }),
    });
  }
  return ticks;
}

const shelf = ({ contentOf, sceneIndexOf, pauses = [] }: Giving): Source => ({
  name: 'shelf',
  async *read({ from, budget, signal }) {
    const count = frames.length - (frames.length % 4);
    const elapsedMsOf = (scene: number) =>
      (scene * 1_000) / script.fps + pauses.reduce((sum, { before, ms }) => sum + (scene >= before ? ms : 0), 0);
    const start = from === undefined ? 0 : from.index + (from.after === true ? 1 : 0);
    for (let index = start; index < count; index++) {
      const pause = pauses.find(({ before }) => before === index);
      // Those that came before the frame asked for come with it once more.
      if (pause !== undefined) yield* ticksOf(pause, elapsedMsOf(pause.before - 1));
      const content = contentOf(frames[sceneIndexOf(index)]);
      const bytes = size.width * size.height * 3;
      // No faster than what follows, so that a run that is stopped early has not gated all that there is.
      await nextTurn();
      await budget.take(bytes, signal);
      const elapsedMs = elapsedMsOf(sceneIndexOf(index));
      const position = { index, offset: `frame ${index}` };
      yield {
        ref: { source: 'shelf', index, eventTimeMs: elapsedMs, elapsedMs, position, ...size },
        lease: leaseOf(content, bytes, () => budget.give(bytes)),
      };
    }
    return { framesRead: count, complete: true, unreadable: [] };
  },
});

const sha256 = (data: string | Uint8Array): string => createHash('sha256').update(data).digest('hex');

/** Everything that a worker is given of a sequence, its pixels included; any difference is another text. */
async function account(sequence: FrameSequence): Promise<string> {
  const plain = async ({ lease, ...frame }: SequenceFrame<Lease>) => ({
    ...frame,
    pixels: lease && sha256((await pictureOf(lease.content())).data as Uint8Array),
  });
  return JSON.stringify({
    ...sequence,
    checkpoint: undefined,
    settledScene: undefined,
    frames: await Promise.all(sequence.frames.map(plain)),
    baseline: sequence.baseline && (await plain(sequence.baseline)),
  });
}

/** Claims one of each kind from what the sequence holds, and says in every sentence what all of the sequence was. */
const reasonByHash: ReasonSequence = async (sequence) => {
  const statement = `${sequence.trigger} ${sha256(await account(sequence))}`;
  const picture: Blob = { bytes: Buffer.from(statement), mediaType: 'image/jpeg', sha256: sha256(statement) };
  const finding = (kind: Finding['kind'], fields: Partial<Finding>): Finding => ({
    kind,
    subject: { label: 'object', description: 'object', confidence: 0 },
    statement,
    interval: { first: sequence.first, last: sequence.last },
    measures: [],
    pictures: [{ role: 'after', sha256: picture.sha256, mediaType: picture.mediaType, width: 1, height: 1 }],
    ongoing: true,
    identity: {},
    verification: { verdict: 'SUPPORTED', checks: [] },
    ...fields,
  });
  const tracks = new Map(
    sequence.frames.flatMap(({ evidence }) => evidence?.tracks.map((t) => [t.id, t] as const) ?? []),
  );
  const causes = new Set(sequence.frames.flatMap(({ evidence }) => evidence?.nuisances.map((n) => n.cause) ?? []));
  const findings = [
    // Kinds take turns, so that the tracker meets changes that reverse earlier ones.
    ...sequence.settled.map(({ region }, i) =>
      finding((sequence.ordinal + i) % 2 === 0 ? 'APPEARED' : 'DISAPPEARED', { after: { region } }),
    ),
    ...[...tracks.values()].map(({ id, region }) =>
      finding('ACTIVITY', { identity: { trackId: id }, after: { region }, path: [] }),
    ),
    ...[...causes].map((condition) => finding('CONDITION', { condition })),
    ...(sequence.trigger === 'settled' ? [finding('TREND', {})] : []),
  ];
  return { findings, contradicted: [], blobs: [picture], reasoner: 'measured', elapsedMs: 0 };
};

/** Windows short enough that every way of closing one comes about many times. */
const window = { partMs: 600, maxMs: 3_000, quietMs: 700, settledEveryMs: 3_000, preRollMs: 600, postRollMs: 600 };

/** All of a commit as text, its pictures by name: equality of the checkpoint's arrays takes minutes value by value. */
const told = ({ blobs, ...step }: Commit): string =>
  JSON.stringify({ ...step, blobs: blobs.map((blob) => blob.sha256).sort() }, (_, value: unknown) => {
    if (ArrayBuffer.isView(value)) return sha256(new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
    return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;
  });

/** Commits that a run which goes on from a checkpoint is followed for. */
const FOLLOWED = 4;

/** Runs to the end, or until so many commits were made; gives them. */
async function runOver(log: ChangeLog, giving: Giving, most = Infinity): Promise<Commit[]> {
  const commits: Commit[] = [];
  const enough = new AbortController();
  const recording: ChangeLog = Object.assign(Object.create(log) as ChangeLog, {
    commit: async (step: Commit) => {
      enough.signal.throwIfAborted();
      commits.push(step);
      if (commits.length === most) enough.abort(new Error('enough'));
      return log.commit(step);
    },
    checkpoint: (key: string) => log.checkpoint(key),
    blobs: log.blobs,
  });
  const source = shelf(giving);
  const running = run({
    topology: watch,
    options: { source, window, allowedLatenessMs: giving.allowedLatenessMs },
    source,
    log: recording,
    workers: { reason: reasonByHash, capacity: 2 },
    signal: enough.signal,
  });
  await running.catch((error: unknown) => {
    if (error !== enough.signal.reason) throw error;
  });
  return commits;
}

describe.each(Object.entries(givings))('a run over a source that %s, going on from a checkpoint', (_, giving) => {
  it('commits exactly what the undisturbed run committed next, whichever checkpoint it is', async () => {
    const commits = await runOver(memoryLog({ partitions: 1 }), giving);
    const events = commits.flatMap((commit) => commit.events);
    const said = new Set(events.map(({ statement }) => statement.split(' ')[0]));
    expect([...said]).toEqual(expect.arrayContaining(['part', 'activity', 'settled', 'condition']));
    expect(new Set(events.map(({ phase }) => phase))).toEqual(new Set(['STARTED', 'ENDED']));
    expect(commits.length).toBeGreaterThan(30);
    const behind = commits.filter(({ checkpoint }) => checkpoint.positions.shelf?.after === true);
    expect(behind.length > 0).toBe(giving.pauses !== undefined);
    const gaps = new Set((giving.pauses ?? []).flatMap(({ reason }) => reason ?? []));
    const gapEvents = events.filter(({ condition }) => condition === 'SIGNAL_GAP');
    expect(gapEvents.filter(({ phase }) => phase === 'ENDED')).toHaveLength(gaps.size);
    expect(new Set(gapEvents.map(({ statement }) => statement.replace(/.*: |\.$/g, '')))).toEqual(gaps);
    // Commits hold the whole state, so what is the same for the next ones after each is the same to the end.
    for (const [k, commit] of commits.slice(0, -1).entries()) {
      const log = memoryLog({ partitions: 1 });
      await log.commit(commit);
      const next = await runOver(log, giving, FOLLOWED);
      expect(next.map(told), `after commit ${k}`).toEqual(commits.slice(k + 1, k + 1 + FOLLOWED).map(told));
    }
  });

  it('does nothing more after the last', async () => {
    const log = memoryLog({ partitions: 1 });
    expect((await runOver(log, giving)).length).toBeGreaterThan(0);
    expect(await runOver(log, giving)).toEqual([]);
  });
});
