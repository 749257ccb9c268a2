import watch from '../topologies/watch.js';
import { memoryLog } from '../src/log/memory.js';
import { yuv420Bytes, type Frame, type Yuv420Picture } from '../src/records/index.js';
import { leaseOf } from '../src/sources/budget.js';
import type { ReadOptions, Source, SourceReport } from '../src/sources/index.js';
import { compareGates, type GateScore } from './gates/compare.js';
import { run as runTopology } from '../src/topology/run.js';

export const name = 'gate';

const width = 320;
const height = 240;
const fps = 10;
/** Frames drawn beforehand; each turn plays them in order, twice over. */
const drawnFrames = 200;
const turns = 7;

/**
 * Processor time a frame, in ms, at 320×240 through the production chain of `watch` (source, reorder, gate, window, tracker,
 * commit), with a reasoner that answers at once; on one thread, the collector's included. A third of the frames have something moving in them, so
 * that grouping, tracking and the search for a shift are paid for too. Then the gate side by side with three others, on
 * clips of which it is known what happens in them.
 */
export async function run(): Promise<{ rows: Record<string, number | string>[]; json: Record<string, number> }> {
  const pictures = Array.from({ length: drawnFrames }, (_, i) => draw(i));
  const times: { active: number; still: number; all: number }[] = [];
  for (let turn = 0; turn <= turns; turn++) {
    const all = await playMs(pictures);
    const still = await playMs(pictures.slice(0, drawnFrames / 3));
    const active = await playMs(pictures.slice(drawnFrames / 3, (2 * drawnFrames) / 3));
    // The first turn is for the compiler.
    if (turn > 0) times.push({ all, still, active });
  }
  const { nuisances, scores } = await compareGates();
  const median = (key: 'all' | 'still' | 'active') => times.map((t) => t[key]).sort((a, b) => a - b)[turns >> 1];
  return {
    rows: [
      { frames: 'all', 'ms a frame': median('all') },
      { frames: 'nothing moves', 'ms a frame': median('still') },
      { frames: 'something moves', 'ms a frame': median('active') },
      ...comparisonRows(nuisances, scores),
    ],
    json: {
      msPerFrame: Number(median('all').toFixed(3)),
      worstFalseShare: Number(Math.max(...scores[0].falseHits.values()).toFixed(3)),
      recall: Number(scores[0].recall.toFixed(3)),
    },
  };
}

/** Methods in columns: false hits clip by clip, in % of its frames, and what else there is to say of them. */
function comparisonRows(nuisances: readonly string[], scores: readonly GateScore[]): Record<string, number | string>[] {
  const row = (frames: string, of: (score: GateScore) => number) => ({
    frames,
    ...Object.fromEntries(scores.map((score) => [score.method, of(score)])),
  });
  const percent = (share: number): number => Math.round(100 * share);
  return [
    ...nuisances.map((name) => row(`${name}, false %`, ({ falseHits }) => percent(falseHits.get(name) ?? Number.NaN))),
    row('worst, false %', ({ falseHits }) => percent(Math.max(...falseHits.values()))),
    row('changes found, %', ({ recall }) => percent(recall)),
    row('lasting ones known at the end, %', ({ knownAtEnd }) => percent(knownAtEnd)),
    row('ms a frame', ({ msPerFrame }) => msPerFrame),
  ];
}

async function playMs(pictures: readonly Yuv420Picture[]): Promise<number> {
  const source = new Player(pictures);
  const started = process.cpuUsage();
  await runTopology({
    topology: watch,
    options: { source },
    source,
    log: memoryLog({ partitions: 1 }),
    workers: {
      capacity: 1,
      reason: () => Promise.resolve({ findings: [], contradicted: [], blobs: [], reasoner: 'none', elapsedMs: 0 }),
    },
    signal: new AbortController().signal,
  });
  const { user, system } = process.cpuUsage(started);
  return (user + system) / 1_000 / (2 * pictures.length);
}

/** Gives drawn pictures twice over, without decoding anything. */
class Player implements Source {
  readonly name = 'bench';

  constructor(private readonly pictures: readonly Yuv420Picture[]) {}

  async *read({ budget, signal }: ReadOptions): AsyncGenerator<Frame, SourceReport, undefined> {
    const frames = 2 * this.pictures.length;
    for (let index = 0; index < frames; index++) {
      const picture = this.pictures[index % this.pictures.length];
      const bytes = picture.data.length;
      await budget.take(bytes, signal);
      const elapsedMs = (index * 1000) / fps;
      yield {
        ref: {
          source: this.name,
          index,
          eventTimeMs: elapsedMs,
          elapsedMs,
          position: { index, offset: String(index) },
          width,
          height,
        },
        lease: leaseOf({ form: 'yuv420', picture }, bytes, () => budget.give(bytes)),
      };
    }
    return { framesRead: frames, complete: true, unreadable: [] };
  }
}

/** A textured ground with sensor noise; a box crosses it in the middle third. */
function draw(i: number): Yuv420Picture {
  const data = new Uint8Array(yuv420Bytes(width, height)).fill(128);
  let seed = 1 + i;
  const noise = () => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fffffff;
    return (seed >> 16) % 5;
  };
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      data[y * width + x] = 90 + ((x * 7 + y * 13) % 31) + 20 * Math.sin(x / 17) * Math.cos(y / 23) + noise();
    }
  }
  const third = drawnFrames / 3;
  if (i >= third && i < 2 * third) {
    const left = Math.round(((i - third) / third) * (width - 60));
    for (let y = 100; y < 150; y++) data.fill(210, y * width + left, y * width + left + 60);
  }
  return { type: 'yuv420', matrix: 'bt601', range: 'limited', width, height, data };
}
