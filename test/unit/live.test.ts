import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { BackOff } from '../../src/records/back-off.js';
import { EventTime } from '../../src/sources/live/event-time.js';
import { FrameCount } from '../../src/sources/live/frame-count.js';
import { FreezeDetector } from '../../src/sources/live/freeze.js';
import { liveCommand, type LiveCommand } from '../../src/sources/live/live-command.js';
import { liveInput } from '../../src/sources/live/live-input.js';
import { liveOffset, livePosition } from '../../src/sources/live/live-position.js';
import { Signal } from '../../src/sources/live/signal.js';
import { FfmpegLog } from '../../src/sources/ffmpeg-log.js';
import { problemOf } from '../../src/sources/live/problem.js';
import { openSource } from '../../src/sources/open.js';

/** Clocks that go where the test says. */
class TestClock {
  wall = 1_000_000;
  monotonic = 0;
  wallMs = () => this.wall;
  monotonicMs = () => this.monotonic;

  pass(ms: number, wallMs = ms): this {
    this.monotonic += ms;
    this.wall += wallMs;
    return this;
  }
}

describe('event time of what arrives', () => {
  it('is that of the wall clock', () => {
    const clock = new TestClock();
    const time = new EventTime(clock);
    expect(time.next()).toBe(1_000_000);
    expect((clock.pass(40), time.next())).toBe(1_000_040);
    expect((clock.pass(40, 3_600_000), time.next()), 'a clock set forward is followed').toBe(4_600_040);
  });

  it('goes on at half speed where the clock was set back, until that has caught up', () => {
    const clock = new TestClock();
    const time = new EventTime(clock);
    time.next();
    clock.pass(0, -10_000);
    for (let second = 1; second <= 19; second++) {
      expect((clock.pass(1_000), time.next())).toBe(1_000_000 + second * 500);
    }
    expect((clock.pass(1_000), time.next())).toBe(1_010_000);
    expect((clock.pass(1_000), time.next())).toBe(1_011_000);
  });

  it('is later each time, whatever the clocks do, and later than what was before a restart', () => {
    const steps = fc.array(fc.tuple(fc.nat(5_000), fc.integer({ min: -1e7, max: 1e7 })), { maxLength: 50 });
    fc.assert(
      fc.property(steps, fc.nat(2_000_000), (passed, afterMs) => {
        const clock = new TestClock();
        const time = new EventTime(clock, afterMs);
        let lastMs = afterMs;
        for (const [ms, wallMs] of passed) {
          const nextMs = (clock.pass(ms, wallMs), time.next());
          expect(nextMs).toBeGreaterThan(lastMs);
          lastMs = nextMs;
        }
      }),
    );
  });
});

describe('a freeze', () => {
  const picture = (value: number, bytes = 100) => new Uint8Array(bytes).fill(value);

  it('is noticed once a picture has stood still for freezeMs, and is over with another', () => {
    const detector = new FreezeDetector(3_000);
    const seen = (value: number, fromMs: number, toMs: number) => {
      const found: (number | undefined)[] = [];
      for (let ms = fromMs; ms < toMs; ms += 100) found.push(detector.frozenSince(picture(value), ms));
      return found;
    };
    for (let ms = 0; ms < 5_000; ms += 100) {
      expect(detector.frozenSince(picture(ms / 100), ms)).toBeUndefined();
    }
    const still = seen(7, 5_000, 12_000);
    const noticedAt = still.findIndex((since) => since !== undefined);
    // A picture to compare with is taken once a second, so it may be a second late, and never is too soon.
    expect(noticedAt * 100).toBeGreaterThanOrEqual(3_000);
    expect(noticedAt * 100).toBeLessThanOrEqual(4_000);
    expect(new Set(still.slice(noticedAt))).toEqual(new Set([5_000 + noticedAt * 100 - 3_000]));
    expect(detector.frozenSince(picture(8), 12_000)).toBeUndefined();
    expect(detector.frozenSince(picture(8), 12_100)).toBeUndefined();
  });

  it('is none where one byte moves, and none of pictures of another size', () => {
    const detector = new FreezeDetector(1_000);
    for (let ms = 0; ms < 10_000; ms += 100) {
      const almost = picture(3);
      almost[99] = (ms / 100) % 2;
      expect(detector.frozenSince(almost, ms)).toBeUndefined();
    }
    const sizes = new FreezeDetector(1_000);
    for (let ms = 0; ms < 10_000; ms += 500)
      expect(sizes.frozenSince(picture(3, 50 + (ms % 1_000)), ms)).toBeUndefined();
  });

  it('is never noticed where it is not looked for', () => {
    const detector = new FreezeDetector(0);
    for (let ms = 0; ms < 1e6; ms += 1e4) expect(detector.frozenSince(picture(1), ms)).toBeUndefined();
  });
});

describe('pauses before another attempt', () => {
  it('double up to half a minute, and are short again after a sound connection', () => {
    const backOff = new BackOff(() => 0);
    expect(Array.from({ length: 9 }, () => backOff.pauseMs(0))).toEqual([
      500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000,
    ]);
    expect(backOff.pauseMs(9_999)).toBe(30_000);
    expect(backOff.pauseMs(10_000)).toBe(500);
  });

  it('are shorter by up to a half, by chance', () => {
    expect(new BackOff(() => 0.999_999).pauseMs(0)).toBeCloseTo(250, 0);
    expect(new BackOff(() => 0.5).pauseMs(0)).toBe(375);
  });
});

describe('the count of frames', () => {
  it.each([2, 4_096])('that goes on by %i is of one shape, until it does not', (step) => {
    const count = new FrameCount();
    let pts = 7;
    for (let i = 0; i < 20; i++) expect(count.changes((pts += step))).toBe(false);
    expect(count.changes(pts + 1)).toBe(true);
  });
});

describe('the input of a live source', () => {
  it.each([
    [
      'rtsp://u:p@cam-3.local:8554/Streaming/101?key=1',
      'rtsp://cam-3.local:8554/Streaming/101',
      'cam-3.local-8554-Streaming-101',
    ],
    ['RTSP://cam', 'rtsp://cam', 'cam'],
    ['rtsps://u@10.0.0.7/', 'rtsps://10.0.0.7/', '10.0.0.7'],
    ['https://u:p@host/a.mjpg?t=1#x', 'https://host/a.mjpg', 'host-a.mjpg'],
    [
      'rtsp://dvr/user=admin&password=geheim&channel=1',
      'rtsp://dvr/user=…&password=…&channel=…',
      'dvr-user-password-channel',
    ],
    ['rtsp://admin:12/geheim@cam/x', 'rtsp://admin:12/…@cam/x', 'admin-12-cam-x'],
  ])('%s is shown as %s', (url, display, name) => {
    expect(liveInput(url)).toMatchObject({ display, name });
  });

  it.each(['rtsp://', 'rtmp://host/x', 'cam.mp4', 'http://u:geheim@ho st/x?token=geheim', 'rtsp://u:geheim@/x'])(
    '%s is refused without its secrets',
    (url) => {
      expect(() => liveInput(url)).toThrow(expect.objectContaining({ code: 'SOURCE_URL', class: 'user' }));
      expect(() => liveInput(url)).not.toThrow(/geheim/);
    },
  );

  it('takes its secrets out of any line, in any spelling, whole or in part', () => {
    const secret = fc.stringMatching(/^[!-~ äß]{6,20}$/).filter((text) => /[a-z0-9]/i.test(text));
    fc.assert(
      fc.property(secret, secret, secret, (user, password, token) => {
        const [u, p, t] = [user, password, token].map(encodeURIComponent);
        const url = `rtsp://${u}:${p}@cam.local/main?key=${t}`;
        const { scrub, display } = liveInput(url);
        const lines = [
          `Impossible to open '${url}'`,
          `[rtsp @ 0x1] method DESCRIBE ${url}/track failed`,
          `user ${user} with ${password}`,
          `${u}:${p}`,
          `Authorization: Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
          `?key=${t}`,
          `key ${token}`,
        ];
        for (const line of lines) {
          const shown = scrub(line);
          const hidden = [user, password, token, u, p, t, Buffer.from(`${user}:${password}`).toString('base64')];
          for (const one of hidden)
            if (!display.includes(one)) expect(shown.includes(one), `${line} → ${shown}`).toBe(false);
        }
      }),
    );
  });

  it('takes them out of a path as well', () => {
    const { scrub } = liveInput('rtsp://dvr:554/user=admin&password=geheim77&stream=0.sdp?real');
    expect(scrub("'rtsp://dvr:554/user=admin&password=geheim77&stream=0.sdp' and geheim77")).not.toContain('geheim');
  });

  it('leaves words alone that only contain a short secret', () => {
    const { scrub } = liveInput('rtsp://u:e@cam.local/main');
    expect(scrub("pipe:0: Server returned 404 for 'u:e'")).toBe("pipe:0: Server returned 404 for '…:…'");
  });
});

test.each([
  ['rtsp://cam/x', false],
  ['rtsp://cam:554/x/y', false],
  ['rtsp://u:p@cam/x', true],
  ['rtsp://u@cam/x', true],
  ['http://cam/x?key=1', true],
  ['rtsp://cam/user=admin&password=x', true],
])('%s has a secret: %s', (url, isSecret) => {
  expect(liveInput(url).isSecret).toBe(isSecret);
});

describe('the command of a live source', () => {
  const command = (url: string, more: Partial<LiveCommand> = {}) =>
    liveCommand({
      input: liveInput(url),
      transport: 'tcp',
      videoStream: 0,
      timeoutMs: 20_000,
      maxPixels: 1_000,
      maxFps: undefined,
      isModern: true,
      ...more,
    });

  it('has the URL in what ffmpeg reads, not in its arguments', () => {
    const { args, stdin } = command("rtsp://u:it's@cam/x");
    expect(args.join(' ')).not.toContain('cam');
    expect(stdin).toContain("file 'rtsp://u:it%27s@cam/x'\n");
    expect(stdin).toContain('option rtsp_transport tcp\n');
    expect(stdin).toContain('option timeout 20000000\n');
    expect(stdin!.trimEnd().split('\n').at(-1)).toBe('option format_whitelist rtsp');
    expect(args.join(' ')).toContain('-protocol_whitelist pipe,rtsp,rtp,tcp,tls ');
  });

  it('is one that an old ffmpeg understands', () => {
    const { args, stdin } = command('rtsp://cam/x', { isModern: false, transport: 'udp' });
    expect(stdin).toBeUndefined();
    expect(args.join(' ')).toContain('-stimeout 20000000');
    expect(args.join(' ')).toContain('-i rtsp://cam/x');
    expect(args.join(' ')).toContain('-protocol_whitelist pipe,rtsp,rtp,udp,tcp,tls ');
    expect(args).not.toContain('-autoscale');
  });

  it('chooses the stream, and for HTTP no playlists', () => {
    const { args, stdin } = command('https://cam/x', { videoStream: 2 });
    expect(args.join(' ')).toContain('-map 0:V:2 ');
    expect(args.join(' ')).toContain('-protocol_whitelist pipe,http,https,tcp,tls ');
    expect(stdin).toContain('option rw_timeout 20000000\n');
    expect(stdin).not.toMatch(/hls|dash|concat,/);
  });
});

describe('what became of a connection', () => {
  it.each([
    ['[tcp] [error] Connection to tcp://cam:554 failed: Connection refused', false, 'the connection was refused'],
    [
      '[tcp] [error] Failed to resolve hostname cam: Name or service not known',
      false,
      'its name could not be resolved',
    ],
    ['[error] pipe:0: Connection timed out', true, 'it did not answer'],
    ['[error] pipe:0: Server returned 5XX Server Error reply', false, 'its server has trouble'],
    ['[h264 @ 0x1] [error] error while decoding MB 401 403, bytestream 404', true, 'the stream ended'],
    ['[error] pipe:0: End of file', false, 'it ended the connection'],
    ['', true, 'the stream ended'],
  ])('by %s (pictures: %s) is: %s', (line, gavePictures, reason) => {
    const input = liveInput('http://cam/x');
    const log = new FfmpegLog(input.scrub);
    log.write(`${line}\n`);
    expect(problemOf(input, log, gavePictures)).toEqual({ reason });
  });

  it.each([
    ['[error] pipe:0: Server returned 401 Unauthorized (authorization failed)', 'SOURCE_UNAUTHORIZED'],
    ['[rtsp @ 0x1] [error] method DESCRIBE failed: 401 Unauthorized', 'SOURCE_UNAUTHORIZED'],
    ['[error] pipe:0: Server returned 403 Forbidden (access denied)', 'SOURCE_UNAUTHORIZED'],
    ['[error] pipe:0: Server returned 404 Not Found', 'SOURCE_UNREACHABLE'],
    ["[hls @ 0x1] [error] Format not on whitelist 'mov'", 'SOURCE_FORMAT_REFUSED'],
    ['[error] Picture size 40000x30000 exceeds specified max pixel count 100000000', 'SOURCE_TOO_LARGE'],
    ["[error] Stream map '0:V:3' matches no streams.", 'SOURCE_NOT_VIDEO'],
    ['[error] pipe:0: Invalid data found when processing input', 'SOURCE_NOT_VIDEO'],
  ])('by %s will be the same another time', (line, code) => {
    const input = liveInput('http://cam/x');
    const log = new FfmpegLog(input.scrub);
    log.write(`${line}\n`);
    expect(problemOf(input, log, false).lasting).toMatchObject({ code, class: 'user' });
  });
});

describe('the position of a live picture', () => {
  it('is read as it was written, and no other is', () => {
    const at = { eventTimeMs: 1_795_487_924_401, firstMs: 1_795_000_000_000.5 };
    expect(livePosition({ index: 3, offset: liveOffset(at) })).toEqual(at);
    expect(() => livePosition({ index: 3, offset: '512:0@1/90000' })).toThrow(
      expect.objectContaining({ code: 'SOURCE_CHANGED' }),
    );
  });
});

describe('a signal', () => {
  it('counts on behind the position, tells one gap whatever reasons it has, and ends it once', () => {
    const clock = new TestClock();
    const offset = liveOffset({ eventTimeMs: 900_000, firstMs: 400_000 });
    const signal = new Signal('yard', clock, { index: 41, offset, after: true });
    signal.lose('nobody was reading it');
    expect(signal.tick()).toMatchObject({
      eventTimeMs: 1_000_000,
      elapsedMs: 600_000,
      gap: { sinceMs: 900_000, reason: 'nobody was reading it', over: false },
    });
    clock.pass(1_000);
    signal.lose('the connection was refused');
    const [back] = [...signal.back()];
    expect(back.gap).toEqual({ sinceMs: 900_000, reason: 'the connection was refused', over: true });
    expect([...signal.back()]).toEqual([]);
    clock.pass(40);
    expect(signal.picture(4, 2)).toMatchObject({ index: 42, eventTimeMs: 1_001_040, elapsedMs: 601_040 });
    expect(signal.tick().gap).toBeUndefined();
  });
});

describe('openSource', () => {
  it('takes RTSP, and HTTP where it is told to be live, for a camera', async () => {
    expect(await openSource('rtsp://cam/x')).toMatchObject({ name: 'cam-x', replayable: false });
    expect(await openSource('http://cam/x', { live: true })).toMatchObject({ name: 'cam-x', replayable: false });
    expect((await openSource('http://cam/x')).replayable).toBeUndefined();
  });
});
