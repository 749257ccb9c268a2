import { readFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { videoSource } from '../../src/sources/video.js';
import { clipFolder, ffmpeg, testPicture } from '../support/clips.js';
import { readAll } from '../support/sources.js';

const clips = clipFolder();
let server: Server;
let base: string;
let answer: RequestListener;
let requests: string[] = [];

beforeAll(async () => {
  await ffmpeg(...testPicture(100), '-c:v', 'mpeg4', '-movflags', 'faststart', clips.at('clip.mp4'));
  await ffmpeg(...testPicture(500), '-c:v', 'mpeg4', clips.at('clip.mkv'));
  server = createServer((request, response) => {
    requests.push(request.url ?? '');
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  clips.remove();
});

/** Sends the first `share` of a file as if all of it came, then keeps silent. */
const sends =
  (name: string, share = 1): RequestListener =>
  (_, response) => {
    const bytes = readFileSync(clips.at(name));
    response.writeHead(200, { 'content-length': bytes.byteLength });
    response.write(bytes.subarray(0, Math.floor(bytes.byteLength * share)));
    if (share === 1) response.end();
  };

describe('a video over HTTP', () => {
  test('gives the frames of the file, and its name without secrets', async () => {
    answer = sends('clip.mp4');
    const url = `${base.replace('//', '//user:secret@')}/cam/clip.mp4?token=secret`;
    const remote = await readAll(videoSource({ input: url }));
    const local = await readAll(videoSource({ input: clips.at('clip.mp4') }));
    expect(remote.frames).toEqual(local.frames);
    expect(remote.report).toEqual(local.report);
    expect(JSON.stringify(remote)).not.toContain('secret');
  });

  test('that stalls ends with what came, and says so', async () => {
    answer = sends('clip.mp4', 0.6);
    const { frames, report } = await readAll(videoSource({ input: `${base}/clip.mp4`, timeoutMs: 1_000 }));
    expect(frames.length).toBeGreaterThan(20);
    expect(report).toMatchObject({ complete: false, framesRead: frames.length, framesExpected: 100 });
    expect(report?.problem).toContain(`read ${frames.length} of about 100 frames`);
  });

  test('fault 24: that breaks off ends with what came, and says so', async () => {
    answer = (request, response) => {
      sends('clip.mkv', 0.5)(request, response);
      setTimeout(() => response.destroy(), 200);
    };
    const { frames, report } = await readAll(videoSource({ input: `${base}/clip.mkv`, timeoutMs: 5_000 }));
    expect(frames.length).toBeGreaterThan(100);
    expect(frames.length).toBeLessThan(400);
    expect(report?.complete).toBe(false);
    expect(report?.problem).toMatch(/of about 500 frames/);
  });

  test('that never answers, is not there or is no video is an error that names it without secrets', async () => {
    answer = () => undefined;
    const silent = videoSource({ input: `${base}/silent.mp4?token=secret`, timeoutMs: 500 });
    await expect(readAll(silent)).rejects.toMatchObject({
      code: 'SOURCE_UNREACHABLE',
      message: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/silent\.mp4 (?!.*secret)[^\n]*$/) as string,
      exitCode: 3,
    });
    answer = (_, response) => response.writeHead(404).end();
    await expect(readAll(videoSource({ input: `${base}/none.mp4` }))).rejects.toMatchObject({
      code: 'SOURCE_UNREACHABLE',
    });
    answer = (_, response) => response.end('hello');
    await expect(readAll(videoSource({ input: `${base}/letter` }))).rejects.toMatchObject({ code: 'SOURCE_NOT_VIDEO' });
    await expect(readAll(videoSource({ input: 'http://127.0.0.1:1/x.mp4' }))).rejects.toMatchObject({
      code: 'SOURCE_UNREACHABLE',
      message: expect.stringContaining('refused') as string,
    });
  });

  test('fault 25: a playlist is not followed', async () => {
    requests = [];
    answer = (_, response) => {
      response.setHeader('content-type', 'application/vnd.apple.mpegurl');
      response.end(`#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:8,\n${base}/internal.ts\n#EXT-X-ENDLIST\n`);
    };
    await expect(readAll(videoSource({ input: `${base}/list.m3u8` }))).rejects.toMatchObject({
      code: 'SOURCE_FORMAT_REFUSED',
    });
    expect(requests).not.toContain('/internal.ts');
  });

  test('a redirect to a file is not followed', async () => {
    answer = (_, response) => response.writeHead(302, { location: `file://${clips.at('clip.mp4')}` }).end();
    await expect(readAll(videoSource({ input: `${base}/moved.mp4` }))).rejects.toMatchObject({ class: 'user' });
  });

  test('an abort while it waits ends at once', async () => {
    answer = () => undefined;
    const abort = new AbortController();
    const reading = readAll(videoSource({ input: `${base}/silent.mp4` }), { signal: abort.signal });
    const reason = new Error('enough');
    setTimeout(() => abort.abort(reason), 100);
    await expect(reading).rejects.toBe(reason);
  });
});
