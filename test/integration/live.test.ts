import { execFile, spawn } from 'node:child_process';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { BlinkstreamError, type Tick } from '../../src/records/index.js';
import { findFfmpeg } from '../../src/sources/ffmpeg-binary.js';
import { liveSource } from '../../src/sources/live/live.js';
import { barPicture, movingBar } from '../support/live-pictures.js';
import { LiveReading } from '../support/live-reading.js';
import { rtspCamera, type RtspCamera, type RtspCameraOptions } from '../support/rtsp-camera.js';

/** One before 5.1 is given no secrets. */
const { hasFpsMode: keepsSecrets } = await findFfmpeg();

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

async function camera(options: Partial<RtspCameraOptions> = {}): Promise<RtspCamera> {
  const made = await rtspCamera({ show: await movingBar(), ...options });
  cleanups.push(() => made.close());
  return made;
}

type LiveOptions = Parameters<typeof liveSource>[0];
function reading(options: LiveOptions, from?: ConstructorParameters<typeof LiveReading>[1]): LiveReading {
  const made = new LiveReading(liveSource({ stallMs: 2_000, ...options }), from);
  cleanups.push(() => made.stop());
  return made;
}

/** Time goes on by more than nothing from item to item, whatever they are. */
const expectInOrder = ({ timesMs }: LiveReading) => {
  for (const [i, timeMs] of timesMs.slice(1).entries()) expect(timeMs).toBeGreaterThan(timesMs[i]);
};

const lost = ({ gap }: Tick) => gap?.over === false;
const over = ({ gap }: Tick) => gap?.over === true;

describe('a camera over RTSP', () => {
  it('gives its pictures as they come, at the time at which they come', async () => {
    const { at } = await camera();
    const before = Date.now();
    const live = reading({ input: `rtsp://${at}`, name: 'yard' });
    const last = await live.frame(20);
    expect(live.frames.map(({ index }) => index)).toEqual(Array.from({ length: 20 }, (_, i) => i));
    expect(last).toMatchObject({ source: 'yard', width: 96, height: 64 });
    expect(last.eventTimeMs).toBeGreaterThan(before);
    expect(last.eventTimeMs).toBeLessThanOrEqual(Date.now() + 20);
    expectInOrder(live);
    expect(live.gaps).toEqual([]);
  });

  it('gives so many pictures a second as are wanted, at most, evenly apart', async () => {
    const cam = await camera({ fps: 20 });
    const live = reading({ input: `rtsp://${cam.at}`, maxFps: 4 });
    await live.frame(12);
    expect(live.frames.map(({ index }) => index)).toEqual(live.frames.map((_, i) => i));
    // The first ones may have waited for the decoder together; 4 a second are a fifth of those that came.
    const apartMs = live.frames.slice(1).map(({ eventTimeMs }, i) => eventTimeMs - live.frames[i].eventTimeMs);
    expect(apartMs.reduce((sum, ms) => sum + ms, 0) / apartMs.length).toBeGreaterThan(180);
    expect(live.gaps).toEqual([]);
  });

  it('fault 23: that freezes is a gap, and goes on when it is back', async () => {
    const cam = await camera();
    const live = reading({ input: `rtsp://${cam.at}`, stallMs: 1_000 });
    const last = await live.frame(5);
    cam.show(() => undefined);
    const noticed = await live.tick(lost);
    expect(noticed.gap!.sinceMs).toBeGreaterThanOrEqual(last.eventTimeMs);
    expect(noticed.gap!.reason).toBe('nothing arrived for 1 s');
    cam.show(await movingBar());
    const back = await live.tick(over);
    const next = await live.frame();
    expect(back.gap!.sinceMs).toBe(noticed.gap!.sinceMs);
    expect(back.eventTimeMs).toBeLessThan(next.eventTimeMs);
    expect(live.frames.map(({ index }) => index)).toEqual(live.frames.map((_, i) => i));
    expect(cam.played).toBeGreaterThan(1);
    expectInOrder(live);
  });

  it('fault 23: whose connection is cut, and which refuses others for a while, is tried until it is back', async () => {
    const cam = await camera();
    const live = reading({ input: `rtsp://${cam.at}` });
    await live.frame(5);
    cam.refuse(true);
    cam.cut();
    const noticed = await live.tick(lost);
    await live.tick(lost);
    await live.tick(lost);
    cam.refuse(false);
    const back = await live.tick(over);
    expect(back.gap!.sinceMs).toBe(noticed.gap!.sinceMs);
    await live.frame(3);
    expectInOrder(live);
  });

  it.each([
    ['another size', { width: 160, height: 120 }],
    ['its sides changed places, so that it has as many bytes', { width: 64, height: 96 }],
  ])('fault 23: that changes its resolution to %s goes on with it', async (_, size) => {
    const cam = await camera();
    const live = reading({ input: `rtsp://${cam.at}` });
    await live.frame(5);
    cam.show(await movingBar(size));
    for (;;) {
      const { width, height, index } = await live.frame();
      expect(index).toBe(live.frames.length - 1);
      if (width === size.width) {
        expect(height).toBe(size.height);
        break;
      }
    }
    await live.frame(5);
    expect(live.gaps).toEqual([]);
  });

  it('whose picture stands still bit for bit is a gap from the last other picture on', async () => {
    const cam = await camera();
    const live = reading({ input: `rtsp://${cam.at}`, freezeMs: 1_500 });
    await live.frame(5);
    const frozen = await barPicture(0.3);
    cam.show(() => frozen);
    const noticed = await live.tick(lost);
    expect(noticed.gap!.reason).toBe('the picture stood still');
    expect(noticed.eventTimeMs - noticed.gap!.sinceMs).toBeGreaterThanOrEqual(1_500);
    const given = live.frames.length;
    await live.tick(lost);
    expect(live.frames, 'frozen pictures are no new ones').toHaveLength(given);
    cam.show(await movingBar());
    await live.tick(over);
    await live.frame(3);
    expect(cam.played, 'the connection was sound').toBe(1);
    expect(live.gaps).toEqual(['lost: the picture stood still', 'over: the picture stood still']);
  });

  it('gives ticks, and no gap, where pictures are only far apart', async () => {
    const show = await movingBar();
    const cam = await camera({ show });
    const live = reading({ input: `rtsp://${cam.at}`, stallMs: 6_000 });
    await live.frame(5);
    let n = 0;
    cam.show(() => (n++ % 50 === 49 ? show() : undefined));
    await live.tick(() => true);
    await live.tick(() => true);
    await live.frame(2);
    expect(live.gaps).toEqual([]);
    expectInOrder(live);
  });

  it('goes on after a restart behind its last picture, with a gap for what nobody read', async () => {
    const cam = await camera();
    const first = reading({ input: `rtsp://${cam.at}` });
    const last = await first.frame(7);
    await first.stop();
    const second = reading({ input: `rtsp://${cam.at}` }, { ...last.position, after: true });
    const noticed = await second.tick(lost);
    expect(noticed.gap).toEqual({ sinceMs: last.eventTimeMs, reason: 'nobody was reading it', over: false });
    await second.tick(over);
    const next = await second.frame();
    expect(next.index).toBe(last.index + 1);
    expect(next.elapsedMs - last.elapsedMs).toBeCloseTo(next.eventTimeMs - last.eventTimeMs);
  });

  it('leaves no connection and no bytes behind when it is stopped, in whatever it is', async () => {
    const cam = await camera();
    for (const after of [0, 1, 5]) {
      const live = new LiveReading(liveSource({ input: `rtsp://${cam.at}` }));
      if (after > 0) await live.frame(after);
      await live.stop();
      expect(live.budget.inFlightBytes).toBe(0);
    }
    cam.refuse(true);
    const waiting = new LiveReading(liveSource({ input: `rtsp://${cam.at}` }));
    await waiting.tick(lost);
    await waiting.stop();
    await vi.waitFor(() => expect(cam.connections).toBe(0));
  });
});

describe.runIf(!keepsSecrets)('an old ffmpeg, which would show credentials in its arguments', () => {
  it('is refused, without a word of them', async () => {
    for (const input of ['rtsp://admin:geheim@127.0.0.1:9/x', 'http://127.0.0.1:9/x?token=geheim']) {
      const failure = await reading({ input })
        .frame()
        .catch((error: unknown) => error);
      expect(failure).toMatchObject({ code: 'FFMPEG_EXPOSES', class: 'user' });
      expect((failure as Error).message).not.toContain('geheim');
    }
  });
});

describe.runIf(keepsSecrets)('credentials of a camera', () => {
  const secrets = ['admin', 'p@ss/w ü', 'p%40ss%2Fw%20%C3%BC', 'p%40ss', 'tok-4711'];
  const login = { user: 'admin', password: 'p@ss/w ü' };
  const urlOf = (cam: RtspCamera, password = 'p%40ss%2Fw%20%C3%BC') =>
    `rtsp://admin:${password}@${cam.at}?key=tok-4711`;

  it('let in, and are shown in no argument of a process', async () => {
    const cam = await camera(login);
    const live = reading({ input: urlOf(cam) });
    const { position, source } = await live.frame(3);
    const { stdout } = await promisify(execFile)('ps', ['-A', '-o', 'args']);
    const all = JSON.stringify([stdout, position, source, live.ticks]);
    expect(stdout).toContain('ffmpeg');
    for (const secret of secrets.slice(1)) expect(all).not.toContain(secret);
  });

  it('fault 21: that are wrong end it at the start, without a word of them', async () => {
    const cam = await camera(login);
    const failure = await reading({ input: urlOf(cam, 'p%40ss') })
      .frame()
      .catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(BlinkstreamError);
    expect(failure).toMatchObject({ code: 'SOURCE_UNAUTHORIZED', class: 'user' });
    const { message, hint, cause } = failure as BlinkstreamError;
    expect(message).toBe(`rtsp://${cam.at} refuses the user name or password`);
    for (const secret of secrets) expect(JSON.stringify([message, hint, cause])).not.toContain(secret);
  });

  it('fault 21: that are refused later on are a gap, and are tried again', async () => {
    const given: { user: string; password: string } = { ...login };
    const cam = await camera(given);
    const live = reading({ input: urlOf(cam) });
    const last = await live.frame(3);
    await live.stop();
    const changed = await camera({ ...login, password: 'another' });
    const later = reading({ input: urlOf(changed) }, last.position);
    await later.tick(({ gap }) => gap?.reason === 'it refused the user name or password');
    for (const secret of secrets) expect(JSON.stringify(later.ticks)).not.toContain(secret);
  });
});

/** Serves endless streams over HTTP; `send` is called with each response. */
async function httpCamera(type: string, send: (response: ServerResponse) => void, status = 200): Promise<string> {
  const server = createServer((_, response) => {
    response.writeHead(status, { 'content-type': type });
    if (status === 200) send(response);
    else response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanups.push(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** What ffmpeg makes of a test picture in real time, for as long as somebody takes it. */
async function encoded(response: ServerResponse, ...args: string[]): Promise<void> {
  const { path } = await findFfmpeg();
  const picture = ['-re', '-f', 'lavfi', '-i', 'testsrc2=size=96x64:rate=20'];
  const child = spawn(path, ['-nostdin', '-v', 'error', ...picture, ...args, 'pipe:1'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  child.stdout.pipe(response);
  response.on('close', () => child.kill('SIGKILL'));
}

describe('an endless stream over HTTP', () => {
  const mjpeg =
    (show: () => Buffer, pictures = Infinity) =>
    (response: ServerResponse) => {
      let sent = 0;
      const sending = setInterval(() => {
        const jpeg = show();
        response.write(`--next\r\nContent-Type: image/jpeg\r\nContent-Length: ${jpeg.byteLength}\r\n\r\n`);
        response.write(jpeg);
        response.write('\r\n');
        if (++sent === pictures) response.end();
      }, 50);
      response.on('close', () => clearInterval(sending));
    };
  const login = keepsSecrets ? 'user:geheim@' : '';
  const query = keepsSecrets ? '?token=verborgen' : '';
  const MULTIPART = 'multipart/x-mixed-replace; boundary=next';

  it('of JPEG pictures is read, and read again whenever it ends', async () => {
    const at = await httpCamera(MULTIPART, mjpeg(await movingBar(), 12));
    const live = reading({ input: `http://${login}${at}/cam.mjpg${query}` });
    const last = await live.frame(20);
    expect(last).toMatchObject({ index: 19, width: 96, height: 64 });
    expect(live.gaps.slice(0, 2)).toEqual(['lost: the stream ended', 'over: the stream ended']);
    expect(JSON.stringify([live.frames, live.ticks])).not.toMatch(/geheim|verborgen/);
    expectInOrder(live);
  });

  it.each<[string, string, string[]]>([
    ['MPEG-TS', 'video/mp2t', ['-c:v', 'mpeg2video', '-f', 'mpegts']],
    ['fragmented MP4', 'video/mp4', ['-c:v', 'mpeg4', '-g', '5', '-movflags', 'frag_keyframe+empty_moov', '-f', 'mp4']],
  ])('as %s is read', async (_, type, args) => {
    const at = await httpCamera(type, (response) => void encoded(response, ...args));
    const live = reading({ input: `http://${at}/live`, stallMs: 8_000 });
    expect(await live.frame(15)).toMatchObject({ index: 14, width: 96, height: 64 });
    expect(live.gaps).toEqual([]);
  });

  it('that is a playlist, no video, or not there, is refused at the start', async () => {
    const playlist = '#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\nhttp://127.0.0.1:9/secret.ts\n';
    const cases = [
      [await httpCamera('application/vnd.apple.mpegurl', (r) => r.end(playlist)), 'SOURCE_FORMAT_REFUSED'],
      [
        await httpCamera('video/mp2t', (r) => r.end("ffconcat version 1.0\nfile 'http://127.0.0.1:9/x'\n")),
        'SOURCE_FORMAT_REFUSED',
      ],
      [await httpCamera('text/html', (r) => r.end('<h1>hello</h1>'.repeat(100))), 'SOURCE_NOT_VIDEO'],
      [await httpCamera('text/plain', () => undefined, 404), 'SOURCE_UNREACHABLE'],
      [await httpCamera('text/plain', () => undefined, 401), 'SOURCE_UNAUTHORIZED'],
    ] as const;
    for (const [at, code] of cases) {
      const failure = await reading({ input: `http://${login}${at}/x` })
        .frame()
        .catch((error: unknown) => error);
      expect(failure, code).toMatchObject({ code, class: 'user' });
      expect((failure as Error).message).not.toContain('geheim');
    }
  });

  it('of pictures that are too large is refused', async () => {
    const at = await httpCamera(MULTIPART, mjpeg(await movingBar()));
    await expect(reading({ input: `http://${at}/`, maxPixels: 96 * 64 - 1 }).frame()).rejects.toMatchObject({
      code: 'SOURCE_TOO_LARGE',
    });
  });

  it('that is nowhere yet is waited for', async () => {
    const at = await httpCamera(MULTIPART, mjpeg(await movingBar()));
    const live = reading({ input: `http://${at.replace(/\d+$/, '9')}/` });
    const { gap } = await live.tick(lost);
    expect(gap!.reason).toBe('the connection was refused');
  });
});
