import { execFile } from 'node:child_process';
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
/** What a camera gives: H.264, 720p, 25 frames/s, with the noise of a sensor. */
const clipArguments = [
  ...['-f', 'lavfi', '-i', 'testsrc2=size=1280x720:rate=25,noise=alls=8:allf=t', '-frames:v', String(encodedFrames)],
  ...['-pix_fmt', 'yuv420p', '-c:v', 'libx264', '-preset', 'veryfast', '-crf', '26'],
];

/**
 * Decoding a whole clip: frames/s through our source, planes in our hands, start and probe included, against
 * `ffmpeg -i CLIP -f null -`, which hands nothing over. They take turns; the ratio is that of the medians.
 */
export async function run(): Promise<{ rows: Record<string, number | string>[]; json: Record<string, number> }> {
  const folder = await mkdtemp(join(tmpdir(), 'blinkstream-bench-decode-'));
  try {
    const clip = join(folder, 'clip.mp4');
    const once = join(folder, 'once.mp4');
    await ffmpeg('-y', ...clipArguments, once);
    await ffmpeg('-y', '-stream_loop', String(repeats - 1), '-i', once, '-c', 'copy', clip);
    await throughSource(clip); // warm-up
    const rows: { turn: number; ffmpegFps: number; sourceFps: number }[] = [];
    for (let turn = 1; turn <= turns; turn++) {
      const ffmpegFps = await rateOf(() => ffmpeg('-i', clip, '-f', 'null', '-'));
      const sourceFps = await rateOf(() => throughSource(clip));
      rows.push({ turn, ffmpegFps, sourceFps });
    }
    const median = (key: 'ffmpegFps' | 'sourceFps') => rows.map((row) => row[key]).sort((a, b) => a - b)[turns >> 1];
    return { rows, json: { ratio: median('sourceFps') / median('ffmpegFps') } };
  } finally {
    await rm(folder, { recursive: true });
  }
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
