import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ByteBudget } from '../src/sources/budget.js';
import { findFfmpeg } from '../src/sources/ffmpeg-binary.js';
import { videoSource } from '../src/sources/video.js';

export const name = 'decode';

const encodedFrames = 750;
/** So often over, without encoding again: long enough that starting and probing do not count. */
const repeats = 4;
const frameCount = encodedFrames * repeats;
const turns = 5;
const [width, height] = [1280, 720];
/** Of 4:2:0. */
const frameBytes = (width * height * 3) / 2;
/**
 * What a camera gives: H.264, 720p, 25 frames/s, with the noise of a sensor, at about 2 Mbit/s. It decides the ratio:
 * handing a picture over costs the same whatever it shows, decoding it the more the more bits it has.
 */
const clipArguments = [
  ...['-f', 'lavfi', '-i', `testsrc2=size=${width}x${height}:rate=25,noise=alls=8:allf=t`],
  ...['-frames:v', String(encodedFrames)],
  ...['-pix_fmt', 'yuv420p', '-c:v', 'libx264', '-preset', 'veryfast', '-crf', '26'],
];

/**
 * Decoding a whole clip: frames/s through our source, planes in our hands, start and probe included, against
 * `ffmpeg -i CLIP -f null -`, which hands nothing over. They take turns; ratios are those of the medians.
 *
 * `ratio` has a floor that is not ours: whatever reads frames from another process pays for ffmpeg's copy into a packet
 * and the kernel's two. On two cores that was 0.5 to 0.9 ms of processor time a megabyte, and ratios of 0.53 to 0.92,
 * mostly 0.6 to 0.7, on clips of cameras; a clip of 40 Mbit/s, far costlier to decode, came to 0.93. What is ours shows
 * in `ratioToPipe`, against frames that ffmpeg writes into a plain pipe and that are thrown away.
 */
export async function run(): Promise<{ rows: Record<string, number | string>[]; json: Record<string, number> }> {
  const folder = await mkdtemp(join(tmpdir(), 'blinkstream-bench-decode-'));
  try {
    const clip = join(folder, 'clip.mp4');
    const encoded = join(folder, 'encoded.mp4');
    await ffmpeg('-y', ...clipArguments, encoded);
    await ffmpeg('-y', '-stream_loop', String(repeats - 1), '-i', encoded, '-c', 'copy', clip);
    await throughSource(clip); // warm-up
    const rows: { turn: number; nullFps: number; pipeFps: number; sourceFps: number }[] = [];
    for (let turn = 1; turn <= turns; turn++) {
      const nullFps = await rateOf(() => ffmpeg('-i', clip, '-f', 'null', '-'));
      const pipeFps = await rateOf(() => throughPipe(clip));
      const sourceFps = await rateOf(() => throughSource(clip));
      rows.push({ turn, nullFps, pipeFps, sourceFps });
    }
    const median = (key: 'nullFps' | 'pipeFps' | 'sourceFps') =>
      rows.map((row) => row[key]).sort((a, b) => a - b)[turns >> 1];
    const sourceFps = median('sourceFps');
    return { rows, json: { ratio: sourceFps / median('nullFps'), ratioToPipe: sourceFps / median('pipeFps') } };
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** The same planes, into a pipe of Node's own, and away. */
async function throughPipe(clip: string): Promise<void> {
  const { path } = await findFfmpeg();
  const child = spawn(
    path,
    ['-nostdin', '-v', 'error', '-i', clip, '-f', 'rawvideo', '-pix_fmt', 'yuv420p', 'pipe:1'],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  let bytes = 0;
  child.stdout.on('data', (chunk: Buffer) => (bytes += chunk.length));
  await once(child, 'close');
  if (bytes !== frameCount * frameBytes) throw new Error(`${bytes} bytes came, not ${frameCount * frameBytes}`);
}

async function throughSource(clip: string): Promise<void> {
  const source = videoSource({ input: clip });
  const signal = new AbortController().signal;
  const reading = source.read({ budget: new ByteBudget(256 << 20), signal });
  let frames = 0;
  for (;;) {
    const step = await reading.next();
    if (step.done) break;
    frames++;
    step.value.lease.release();
  }
  if (frames !== frameCount) throw new Error(`${frames} frames came, ${frameCount} are in the clip`);
}

async function ffmpeg(...args: string[]): Promise<void> {
  const { path } = await findFfmpeg();
  await promisify(execFile)(path, ['-nostdin', '-v', 'error', ...args]);
}

/** Frames per second, whole. */
async function rateOf(pass: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await pass();
  return Math.round((frameCount * 1_000) / (performance.now() - start));
}
