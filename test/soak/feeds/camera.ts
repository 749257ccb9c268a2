import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { makeClip } from '../../../fixtures/clip.js';
import { frameCount } from '../../../fixtures/scene.js';
import type { Act, Script } from '../../../fixtures/script.js';
import { findFfmpeg } from '../../../src/sources/ffmpeg-binary.js';
import { freePort } from '../../support/free-port.js';
import type { Feed, FeedOptions } from './feed.js';

const minuteMs = 60_000;
const pollMs = 100;

/** Every minute a bottle goes and comes and a parcel lies there or the sign is turned; the lamp is off for one in three. */
const script: Script = {
  durationMs: 6 * minuteMs,
  fps: 5,
  seed: 3,
  acts: Array.from({ length: 6 }, (_, minute): Act[] => [
    { act: 'take', bottle: (minute % 3) as 0 | 1 | 2, atMs: minute * minuteMs + 8_000 },
    { act: minute === 2 ? 'deliver' : 'turnSign', atMs: minute * minuteMs + 20_000 },
    { act: 'put', bottle: (minute % 3) as 0 | 1 | 2, atMs: minute * minuteMs + 50_000 },
  ]).flat(),
  gainAt: (elapsedMs) => (Math.floor(elapsedMs / minuteMs) % 3 === 1 ? 0.55 : 1),
  noiseSigma: 2,
  clock: true,
};

/** What a camera recorded, H.264, 640×360 at 5 frames a second, read as fast as the service takes it. */
export async function cameraFeed({ spanMs, folder }: FeedOptions): Promise<Feed> {
  await record(join(folder, 'recorded.mp4'), { spanMs, folder });
  const port = await freePort();
  const deployment = {
    sources: [
      { name: 'camera', kind: 'video', input: 'recorded.mp4' },
      // To which nobody pushes: a service ends when all of its sources have.
      { name: 'idle', kind: 'push', stallMs: 0 },
    ],
    log: { folder: 'log' },
    operation: { listen: `127.0.0.1:${port}` },
    limits: { maxSources: 2 },
  };
  return new Recording(deployment, `http://127.0.0.1:${port}/metrics`);
}

/** Draws one round of it and strings as many together as it takes. */
async function record(path: string, { spanMs, folder }: FeedOptions): Promise<void> {
  const { path: ffmpeg } = await findFfmpeg();
  const round = join(folder, 'round.mp4');
  await makeClip(round, ffmpeg, { ...script, durationMs: Math.min(spanMs, script.durationMs) });
  const rounds = Math.ceil(spanMs / script.durationMs);
  const list = join(folder, 'rounds.txt');
  await writeFile(list, `file round.mp4\n`.repeat(rounds));
  const frames = Math.round(frameCount(script) * (spanMs / script.durationMs));
  const input = ['-f', 'concat', '-i', list];
  await promisify(execFile)(ffmpeg, ['-v', 'error', ...input, '-c', 'copy', '-frames:v', `${frames}`, path]);
}

class Recording implements Feed {
  frames = 0;
  coveredMs = 0;

  constructor(
    readonly deployment: Feed['deployment'],
    private readonly metrics: string,
  ) {}

  async run(signal: AbortSignal): Promise<void> {
    for (;;) {
      await sleep(pollMs, undefined, { signal });
      const page = await this.#page(signal);
      this.frames = valueOf(page, 'blinkstream_windowed_frames_total{') ?? this.frames;
      this.coveredMs = (this.frames * 1_000) / script.fps;
      if (valueOf(page, 'blinkstream_pipeline_state{', 'state="ended"') === 1) return;
      if (valueOf(page, 'blinkstream_pipeline_state{', 'state="failed"') === 1) throw new Error('the source failed');
    }
  }

  /** Nothing as long as the service is only about to serve it. */
  async #page(signal: AbortSignal): Promise<string> {
    try {
      return await (await fetch(this.metrics, { signal })).text();
    } catch (error) {
      if (this.frames > 0) throw error;
      return '';
    }
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

/** Of the camera's series of a metric. */
function valueOf(page: string, ...parts: readonly string[]): number | undefined {
  const line = page.split('\n').find((text) => [...parts, 'source="camera"'].every((part) => text.includes(part)));
  return line === undefined ? undefined : Number(line.slice(line.lastIndexOf(' ')));
}
