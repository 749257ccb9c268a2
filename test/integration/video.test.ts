import { copyFileSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { pictureOf } from '../../src/pixels/content.js';
import { bytesOf } from '../../src/records/convert/picture.js';
import { yuv420Bytes, type FrameContent } from '../../src/records/index.js';
import { ByteBudget } from '../../src/sources/budget.js';
import { videoSource } from '../../src/sources/video.js';
import { clipFolder, ffmpeg, testPicture } from '../support/clips.js';
import { readAll } from '../support/sources.js';

const clips = clipFolder();
afterAll(() => clips.remove());

const H264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-bf', '2', '-g', '50'];
/** Frames at 0, 1, 4, 9 … ticks of 40 ms. */
const SQUARES = ['-vf', "setpts='N*N/25/TB'", '-enc_time_base', '1:25000', '-vsync', '0'];

beforeAll(async () => {
  await ffmpeg(...testPicture(200), ...H264, clips.at('steady.mp4'));
  await ffmpeg('-i', clips.at('steady.mp4'), '-c', 'copy', clips.at('steady.ts'));
  await ffmpeg(...testPicture(400), ...H264, '-x264-params', 'open-gop=1', clips.at('long.mp4'));
  await ffmpeg('-i', clips.at('long.mp4'), '-c', 'copy', clips.at('long.mkv'));
  await ffmpeg(...testPicture(400), '-c:v', 'mpeg4', '-g', '30', clips.at('long.avi'));
  await ffmpeg(...testPicture(20), ...SQUARES, ...H264, '-bf', '0', clips.at('squares.mkv'));
});

const video = (name: string, options: { maxPixels?: number; timeoutMs?: number } = {}) =>
  videoSource({ input: clips.at(name), ...options });

/** What the frames hold, copied out of their leases. */
async function contentsOf(name: string): Promise<FrameContent[]> {
  const contents: FrameContent[] = [];
  const reading = video(name).read({ budget: new ByteBudget(1 << 20), signal: new AbortController().signal });
  for (let step = await reading.next(); !step.done; step = await reading.next()) {
    contents.push(structuredClone(step.value.lease.content()));
    step.value.lease.release();
  }
  return contents;
}

describe('a whole file', () => {
  test('gives every frame once, counted from 0, with exact times', async () => {
    const { frames, report } = await readAll(video('steady.mp4'));
    expect(frames.map(({ ref }) => ref.index)).toEqual(Array.from({ length: 200 }, (_, i) => i));
    expect(frames.map(({ ref }) => ref.elapsedMs)).toEqual(Array.from({ length: 200 }, (_, i) => i * 40));
    expect(frames.every(({ ref }) => ref.eventTimeMs === ref.elapsedMs && ref.source === 'steady')).toBe(true);
    expect(new Set(frames.map(({ hash }) => hash)).size).toBeGreaterThan(190);
    expect(report).toEqual({ framesRead: 200, framesExpected: 200, complete: true, unreadable: [] });
  });

  test('keeps the times of a variable rate', async () => {
    const { frames, report } = await readAll(video('squares.mkv'));
    expect(frames.map(({ ref }) => ref.elapsedMs)).toEqual(Array.from({ length: 20 }, (_, i) => i * i * 40));
    expect(report?.complete).toBe(true);
  });

  test('gives the planes that the codec holds', async () => {
    await ffmpeg('-i', clips.at('steady.mp4'), '-f', 'rawvideo', '-pix_fmt', 'yuv420p', clips.at('steady.yuv'));
    const raw = readFileSync(clips.at('steady.yuv'));
    const contents = await contentsOf('steady.mp4');
    expect(contents).toHaveLength(200);
    expect(contents[0]).toMatchObject({ form: 'yuv420', picture: { matrix: 'bt601', range: 'limited' } });
    expect(Buffer.compare(Buffer.concat(contents.map(bytesOf)), raw)).toBe(0);
  });

  test.each([
    ['other than 4:2:0', 'yuv444p', 'matroska', []],
    ['of a rare matrix', 'yuv420p', 'matroska', ['-colorspace', 'bt2020nc']],
    ['of more bits', 'yuv420p10le', 'matroska', []],
    ['in RGB', 'gbrp', 'matroska', []],
  ])('video %s comes as the RGB of ffmpeg itself', async (name, pixelFormat, container, colours) => {
    const clip = `${name}.mkv`;
    const codec = ['-c:v', 'ffv1', '-pix_fmt', pixelFormat, ...colours, '-f', container];
    await ffmpeg(...testPicture(5), '-vf', 'scale=33:17', ...codec, clips.at(clip));
    await ffmpeg('-i', clips.at(clip), '-f', 'rawvideo', '-pix_fmt', 'rgb24', clips.at(`${name}.rgb`));
    const contents = await contentsOf(clip);
    expect(contents[0]).toMatchObject({ form: 'pixels', picture: { width: 33, height: 17, channels: 3, type: 'u8' } });
    expect(Buffer.compare(Buffer.concat(contents.map(bytesOf)), readFileSync(clips.at(`${name}.rgb`)))).toBe(0);
  });

  test.each([
    ['bt601', 'limited', 'ffv1', 'yuv420p', 'smpte170m', 'tv'],
    ['bt709', 'limited', 'ffv1', 'yuv420p', 'bt709', 'tv'],
    ['bt709', 'full', 'ffv1', 'yuv420p', 'bt709', 'pc'],
    ['bt601', 'full', 'mjpeg', 'yuvj420p', 'bt470bg', 'pc'],
  ])('%s of %s range (%s) becomes the colours that went in', async (matrix, range, codec, pixelFormat, space, told) => {
    const colours = [0xc03020, 0x20b040, 0x3048d0, 0xffffff, 0x000000, 0x808080].map((colour) => {
      const rgb = Buffer.alloc(3);
      rgb.writeUIntBE(colour, 0, 3);
      return Buffer.alloc(35 * 21 * 3, rgb);
    });
    writeFileSync(clips.at('colours.rgb'), Buffer.concat(colours));
    const input = ['-f', 'rawvideo', '-pix_fmt', 'rgb24', '-s', '35x21', '-i', clips.at('colours.rgb')];
    // Without these flags its chroma is off at the border of an odd size.
    const exact = 'flags=accurate_rnd+full_chroma_int+full_chroma_inp';
    const filter = `scale=out_color_matrix=${matrix}:out_range=${told}:${exact},format=${pixelFormat}`;
    const encoding = ['-c:v', codec, '-q:v', '1', '-colorspace', space, '-color_range', told];
    const clip = `${matrix}-${range}.mkv`;
    await ffmpeg(...input, '-vf', filter, ...encoding, clips.at(clip));
    const contents = await contentsOf(clip);
    expect(contents).toHaveLength(colours.length);
    for (const [i, content] of contents.entries()) {
      expect(content).toMatchObject({ form: 'yuv420', picture: { width: 35, height: 21, matrix, range } });
      const { data } = await pictureOf(content);
      expect(data).toHaveLength(colours[i].length);
      for (let k = 0; k < data.length; k++) expect(Math.abs(data[k] - colours[i][k])).toBeLessThanOrEqual(3);
    }
  });

  test('turns a rotated picture upright', async () => {
    await ffmpeg('-i', clips.at('steady.mp4'), '-c', 'copy', '-metadata:s:v:0', 'rotate=90', clips.at('turned.mov'));
    const { frames } = await readAll(video('turned.mov'), { take: 1 });
    expect([frames[0].ref.width, frames[0].ref.height]).toEqual([120, 160]);
  });

  test('reads pictures smaller than its own buffers', async () => {
    await ffmpeg(...testPicture(30, '16x16'), '-c:v', 'mpeg4', clips.at('tiny.avi'));
    const { frames } = await readAll(video('tiny.avi'));
    expect(frames.map(({ ref }) => ref.elapsedMs)).toEqual(Array.from({ length: 30 }, (_, i) => i * 40));
  });

  test('reads a name that looks like an option or a protocol', async () => {
    copyFileSync(clips.at('squares.mkv'), clips.at('-i:concat.mkv'));
    expect((await readAll(video('-i:concat.mkv'))).report?.framesRead).toBe(20);
  });
});

describe('from a position', () => {
  test.each(['long.mp4', 'long.mkv', 'long.avi', 'steady.ts', 'squares.mkv'])(
    '%s goes on with the same frames, indices and times',
    async (name) => {
      const { frames, report } = await readAll(video(name));
      const last = frames.length - 1;
      for (const index of [1, Math.floor(last * 0.8), last]) {
        const again = await readAll(video(name), { from: frames[index].ref.position });
        expect(again.frames).toEqual(frames.slice(index));
        expect(again.report).toEqual(report);
      }
    },
  );

  test('a file that was replaced is refused', async () => {
    const { frames } = await readAll(video('squares.mkv'));
    const source = videoSource({ input: clips.at('steady.mp4') });
    await expect(readAll(source, { from: frames[10].ref.position })).rejects.toMatchObject({
      code: 'SOURCE_CHANGED',
      message: expect.stringContaining('frame 10') as string,
    });
  });
});

describe('memory', () => {
  test('holds no more than the budget, and goes on when a lease is released', async () => {
    const frameBytes = yuv420Bytes(160, 120);
    const budget = new ByteBudget(3 * frameBytes);
    const reading = video('steady.mp4').read({ budget, signal: new AbortController().signal });
    const held = [];
    for (let i = 0; i < 3; i++) {
      const step = await reading.next();
      if (step.done) throw new Error('too short');
      held.push(step.value);
    }
    let fourthCame = false;
    const fourth = reading.next().then((step) => {
      fourthCame = true;
      return step;
    });
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(fourthCame).toBe(false);
    expect(budget.inFlightBytes).toBe(3 * frameBytes);
    const second = held[1].lease.content();
    const before = Buffer.from(bytesOf(second));
    held[0].lease.release();
    const step = await fourth;
    expect(step.done).toBe(false);
    expect(budget.inFlightBytes).toBe(3 * frameBytes);
    // The freed samples are used again; those still held are not touched.
    expect(Buffer.compare(before, bytesOf(second))).toBe(0);
    held[1].lease.release();
    held[2].lease.release();
    if (!step.done) step.value.lease.release();
    await reading.return(undefined as never);
    expect(budget.inFlightBytes).toBe(0);
  });

  test('an abort ends it with the reason and gives everything back', async () => {
    const budget = new ByteBudget(1 << 20);
    const abort = new AbortController();
    const reading = video('steady.mp4').read({ budget, signal: abort.signal });
    const first = await reading.next();
    if (!first.done) first.value.lease.release();
    const reason = new Error('enough');
    abort.abort(reason);
    await expect(reading.next()).rejects.toBe(reason);
    expect(budget.inFlightBytes).toBe(0);
  });
});

describe('bad input', () => {
  const refused = (name: string) => readAll(video(name));

  test('missing, empty, folder, no video', async () => {
    writeFileSync(clips.at('empty.mp4'), '');
    writeFileSync(clips.at('text.mp4'), 'this is a letter to my aunt\n'.repeat(200));
    await ffmpeg('-f', 'lavfi', '-i', 'sine=duration=1', clips.at('sound.mp4'));
    await expect(refused('none.mp4')).rejects.toMatchObject({ code: 'SOURCE_NOT_FOUND', exitCode: 3 });
    await expect(refused('empty.mp4')).rejects.toMatchObject({ code: 'SOURCE_EMPTY', exitCode: 3 });
    await expect(refused('.')).rejects.toMatchObject({ code: 'SOURCE_IS_FOLDER', exitCode: 3 });
    await expect(refused('sound.mp4')).rejects.toMatchObject({ code: 'SOURCE_NOT_VIDEO', exitCode: 3 });
    await expect(refused('text.mp4')).rejects.toMatchObject({
      code: expect.stringMatching(/^SOURCE_(NOT_VIDEO|DAMAGED)$/) as string,
      message: expect.stringMatching(/^[^\n]*text\.mp4[^\n]*$/) as string,
      exitCode: 3,
    });
  });

  test('fault 24: a truncated file tells how many frames of how many', async () => {
    await ffmpeg('-i', clips.at('steady.mp4'), '-c', 'copy', '-movflags', 'faststart', clips.at('cut.mp4'));
    truncateSync(clips.at('cut.mp4'), Math.floor(readFileSync(clips.at('cut.mp4')).byteLength * 0.6));
    const { frames, report } = await readAll(video('cut.mp4'));
    expect(frames.length).toBeGreaterThan(60);
    expect(frames.length).toBeLessThan(180);
    expect(report).toMatchObject({ framesRead: frames.length, framesExpected: 200, complete: false });
    expect(report?.problem).toMatch(
      new RegExp(`^read ${frames.length} of about 200 frames; the rest of .*cut\\.mp4 is damaged or missing`),
    );
  });

  test('fault 24: a truncated file without its index says so', async () => {
    const whole = readFileSync(clips.at('steady.mp4'));
    writeFileSync(clips.at('headless.mp4'), whole.subarray(0, whole.byteLength / 2));
    await expect(refused('headless.mp4')).rejects.toMatchObject({ code: 'SOURCE_DAMAGED' });
  });

  test.each(['steady.ts', 'long.avi'])('fault 24: a corrupt middle of %s is told', async (name) => {
    const bytes = readFileSync(clips.at(name));
    for (let i = Math.floor(bytes.byteLength * 0.4); i < bytes.byteLength * 0.5; i++) bytes[i] = (i * 7_919) & 255;
    writeFileSync(clips.at(`corrupt-${name}`), bytes);
    const { frames, report } = await readAll(video(`corrupt-${name}`));
    expect(frames.length).toBeGreaterThan(50);
    expect(report).toMatchObject({ complete: false, problem: expect.stringContaining('damaged or missing') as string });
  });

  test.each([
    ['m3u8', '#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:8,\nsteady.ts\n#EXT-X-ENDLIST\n'],
    ['ffconcat', 'ffconcat version 1.0\nfile steady.mp4\n'],
  ])('a playlist (%s) renamed .mp4 is not followed', async (kind, content) => {
    writeFileSync(clips.at(`${kind}.mp4`), content);
    await expect(refused(`${kind}.mp4`)).rejects.toMatchObject({ code: 'SOURCE_FORMAT_REFUSED', exitCode: 3 });
  });

  test('fault 25: pictures above the limit are refused before one is decoded', async () => {
    await ffmpeg(...testPicture(2, '2000x1000'), '-c:v', 'mpeg4', clips.at('large.avi'));
    await expect(readAll(video('large.avi', { maxPixels: 1_000_000 }))).rejects.toMatchObject({
      code: 'SOURCE_TOO_LARGE',
      message: expect.stringContaining('2000×1000 px') as string,
      exitCode: 3,
    });
  });
});
