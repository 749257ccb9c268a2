import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import bundled from '@ffmpeg-installer/ffmpeg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeClip } from '../../fixtures/clip.js';
import { HEIGHT_PX, WIDTH_PX } from '../../fixtures/room.js';
import { drawFrames } from '../../fixtures/scene.js';
import { stillScript } from '../../fixtures/script.js';

const run = promisify(execFile);
const script = { ...stillScript, durationMs: 800 };
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'blinkstream-clip-'));
});
afterAll(() => rm(folder, { recursive: true }));

const systemHasFfmpeg = spawnSync('ffmpeg', ['-version']).status === 0;

describe('makeClip', () => {
  it.each([['the npm binary', bundled.path], ...(systemHasFfmpeg ? [['the system ffmpeg', 'ffmpeg']] : [])])(
    'writes every frame with %s, close to what was drawn',
    async (_, ffmpeg) => {
      const path = join(folder, `${ffmpeg.length}.mp4`);
      await makeClip(path, ffmpeg, script);
      const { stdout } = await run(ffmpeg, ['-v', 'error', '-i', path, '-f', 'rawvideo', '-pix_fmt', 'rgb24', '-'], {
        encoding: 'buffer',
        maxBuffer: 64 * 2 ** 20,
      });
      const frameBytes = WIDTH_PX * HEIGHT_PX * 3;
      expect(stdout.length).toBe(10 * frameBytes);
      const [drawn] = drawFrames(script);
      const error = drawn.reduce((sum, value, i) => sum + Math.abs(value - stdout[i]), 0) / frameBytes;
      expect(error).toBeLessThan(4);
    },
  );

  it('says in one line why it could not write', async () => {
    await expect(makeClip(join(folder, 'missing', 'a.mp4'), bundled.path, script)).rejects.toMatchObject({
      code: 'CLIP_NOT_MADE',
      message: expect.stringMatching(/^ffmpeg could not write .*No such file or directory$/) as string,
    });
    await expect(makeClip(join(folder, 'a.mp4'), join(folder, 'no-ffmpeg'), script)).rejects.toMatchObject({
      code: 'CLIP_NOT_MADE',
      message: expect.stringContaining('ENOENT') as string,
    });
  });
});
