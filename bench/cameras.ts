import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { makeClip } from '../fixtures/clip.js';
import { stillScript, type Script } from '../fixtures/script.js';
import { findFfmpeg } from '../src/sources/ffmpeg-binary.js';
import { childrenOf, cpuSeconds, residentMb } from './support/process-times.js';
import { WatchedService } from './support/watched-service.js';

export const name = 'cameras';

const counts = [4, 8, 16, 32, 48, 64, 80, 96];
const MAX_FPS = 5;
const WARM_UP_MS = 15_000;
const MEASURED_MS = 36_000;
/** More frames than this share late, and these are too many cameras. */
const MOST_LATE = 0.01;
/** From this share of all processor time on there is none left. */
const BUSY = 0.9;

const common = { ...stillScript, durationMs: 12_000, fps: 25 };
const quiet: Script = common;
const active: Script = {
  ...common,
  acts: [
    { act: 'take', bottle: 1, atMs: 1_000 },
    { act: 'put', bottle: 1, atMs: 7_000 },
  ],
};

interface Step {
  readonly cameras: number;
  /** Share of the frames that were due and had not been measured when the time was up. */
  readonly lateShare: number;
  readonly p95DelayMs: number;
  /** Processor seconds a second: of our main process, its decoders, its workers, and of what plays the cameras. */
  readonly main: number;
  readonly decoders: number;
  readonly workers: number;
  readonly players: number;
  readonly residentMb: number;
}

/**
 * How many cameras one `blinkstream run` with the embedded reasoner keeps up with: H.264, 640×360 at 25 frames a second over
 * HTTP on loopback, of which 5 a second are looked at. In two of them at any time a bottle is taken and put back; the others
 * show a quiet scene with noise. Frames are late that were due by the clock and had not come through the gate when the time
 * was up. The delay of an event is that from the arrival of the last frame that it tells of to its commit.
 */
export async function run(): Promise<{
  rows: Record<string, number | string>[];
  json: Record<string, number | string>;
}> {
  const folder = await mkdtemp(join(tmpdir(), 'blinkstream-bench-'));
  try {
    const { path } = await findFfmpeg();
    const clips = [join(folder, 'quiet.ts'), join(folder, 'active.ts')] as const;
    await makeClip(clips[0], path, quiet);
    await makeClip(clips[1], path, active);
    const steps: Step[] = [];
    for (const cameras of counts) {
      steps.push(await measure(cameras, clips, folder));
      if (!isKept(steps[steps.length - 1])) break;
    }
    const best = steps.findLast(isKept);
    const failed = steps.find((step) => !isKept(step));
    return {
      rows: steps.map((step) => ({
        cameras: step.cameras,
        'late %': 100 * step.lateShare,
        'p95 delay ms': step.p95DelayMs,
        'cores: main': step.main,
        decoders: step.decoders,
        workers: step.workers,
        players: step.players,
        'resident MB': step.residentMb,
      })),
      json: {
        cameras: best?.cameras ?? 0,
        limitedBy: failed === undefined ? 'nothing so far' : limitOf(failed),
        p95DelayMs: Math.round(best?.p95DelayMs ?? Number.NaN),
      },
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const isKept = ({ lateShare }: Step): boolean => lateShare <= MOST_LATE;

/** What there was no more of, where it was too much. */
function limitOf({ main, decoders, workers, players, residentMb }: Step): string {
  if (residentMb * 2 ** 20 > BUSY * totalmem()) return 'memory';
  if (main + decoders + workers + players > BUSY * availableParallelism()) return 'processors';
  return main > BUSY ? 'main process' : workers > BUSY ? 'workers' : 'decoders';
}

async function measure(cameras: number, clips: readonly string[], folder: string): Promise<Step> {
  const players = fork(
    fileURLToPath(new URL('./support/camera-players.js', import.meta.url)),
    [...clips, `${cameras}`],
    {
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    },
  );
  const service = new WatchedService();
  try {
    const port = await portOf(players);
    const file = join(folder, `${cameras}.yaml`);
    const sources = Array.from({ length: cameras }, (_, i) => ({
      ...{ name: `camera-${i}`, kind: 'camera', url: `http://127.0.0.1:${port}/${i}` },
      maxFps: MAX_FPS,
    }));
    const deployment = {
      topologies: [{ kind: 'watch' }],
      sources,
      log: { folder: `log-${cameras}` },
      operation: { listen: '127.0.0.1:0' },
      limits: { maxSources: cameras },
    };
    await writeFile(file, JSON.stringify(deployment));
    await service.start(file);
    await service.untilAllRead(cameras);
    await sleep(WARM_UP_MS);
    const before = await sample(service, players);
    const fromMs = Date.now();
    await sleep(MEASURED_MS);
    const after = await sample(service, players);
    const elapsedS = (Date.now() - fromMs) / 1_000;
    const due = cameras * MAX_FPS * elapsedS;
    const share = (key: 'main' | 'decoders' | 'workers' | 'players') => (after[key] - before[key]) / elapsedS;
    return {
      cameras,
      lateShare: Math.max(0, 1 - (after.frames - before.frames) / due),
      p95DelayMs: quantile(service.delaysSince(fromMs), 0.95),
      ...{ main: share('main'), decoders: share('decoders'), workers: share('workers'), players: share('players') },
      residentMb: after.residentMb,
    };
  } finally {
    await service.stop();
    players.kill();
  }
}

async function portOf(players: ChildProcess): Promise<number> {
  const [line] = (await once(players.stdout!, 'data')) as [Buffer];
  return Number(line.toString());
}

async function sample(service: WatchedService, players: ChildProcess) {
  const children = childrenOf(service.pid);
  const of = (isOne: (command: string) => boolean) => children.filter(({ command }) => isOne(command));
  const [decoders, workers] = [of((c) => c.startsWith('ffmpeg')), of((c) => !c.startsWith('ffmpeg'))];
  const seconds = (list: typeof children) => list.reduce((sum, { pid }) => sum + cpuSeconds(pid), 0);
  return {
    frames: await service.measuredFrames(),
    main: cpuSeconds(service.pid),
    decoders: seconds(decoders),
    workers: seconds(workers),
    players: cpuSeconds(players.pid ?? Number.NaN),
    residentMb: [service.pid, ...children.map(({ pid }) => pid)].reduce((sum, pid) => sum + residentMb(pid), 0),
  };
}

function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}
