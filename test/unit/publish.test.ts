import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { OrderedSends } from '../../src/cli/ordered-sends.js';
import { runCli } from '../../src/cli/program.js';
import { timedFrames, type TimedFramesOptions } from '../../src/cli/publish-frames.js';
import type { Frame, SourceItem } from '../../src/records/index.js';
import { leaseOf } from '../../src/sources/budget.js';
import type { Source, SourceReport } from '../../src/sources/index.js';

describe('sends in order', () => {
  it('keep it, however long each takes to make, with no more under way than may be', async () => {
    const sent: number[] = [];
    let [making, most] = [0, 0];
    const sends = new OrderedSends<number>((n) => Promise.resolve(void sent.push(n)), 4);
    for (let n = 0; n < 30; n++) {
      most = Math.max(most, (making += 1));
      await sends.add(sleep((n * 7) % 5, n).finally(() => (making -= 1)));
    }
    await sends.end();
    expect(sent).toEqual(Array.from({ length: 30 }, (_, n) => n));
    expect(most).toBeLessThanOrEqual(4);
  });

  it.each([
    ['cannot be sent', (n: number) => Promise.resolve(n), 3],
    ['cannot be made', (n: number) => (n === 3 ? Promise.reject(new Error('no 3')) : Promise.resolve(n)), undefined],
  ])('end with the first that %s: nothing behind it is sent', async (_, make, refused) => {
    const sent: number[] = [];
    const sends = new OrderedSends<number>((n) => {
      if (n === refused) return Promise.reject(new Error('no 3'));
      sent.push(n);
      return Promise.resolve();
    }, 4);
    const all = async (): Promise<void> => {
      for (let n = 0; n < 30; n++) await sends.add(make(n));
      await sends.end();
    };
    await expect(all()).rejects.toThrow('no 3');
    await expect(sends.end()).rejects.toThrow('no 3');
    expect(sent).toEqual([0, 1, 2]);
  });
});

describe('frames with times', () => {
  let free = 0;
  const frameAt = (index: number, elapsedMs: number): Frame => ({
    ref: { source: 's', index, eventTimeMs: 5, elapsedMs, position: { index, offset: '' }, width: 1, height: 1 },
    lease: leaseOf({ form: 'encoded', encoded: { mediaType: 'image/png', bytes: new Uint8Array(1) } }, 1, () => {
      free += 1;
    }),
  });
  const report: SourceReport = { framesRead: 3, complete: true, unreadable: [] };
  const sourceOf = (times: readonly number[], items: readonly SourceItem[] = []): Source => ({
    name: 's',
    // eslint-disable-next-line @typescript-eslint/require-await
    async *read({ signal }) {
      for (const [i, time] of times.entries()) {
        signal.throwIfAborted();
        yield frameAt(i, time);
      }
      yield* items;
      return report;
    },
  });
  const options = (more: Partial<TimedFramesOptions> = {}): TimedFramesOptions => ({
    startMs: 1_000_000,
    isPaced: false,
    repeat: false,
    signal: new AbortController().signal,
    ...more,
  });
  /** Event times of the first `count` frames, from the start. */
  const timesOf = async (source: Source, count: number, more: Partial<TimedFramesOptions> = {}): Promise<number[]> => {
    const times: number[] = [];
    for await (const { frame, eventTimeMs } of timedFrames(source, options(more))) {
      frame.lease.release();
      times.push(eventTimeMs - 1_000_000);
      if (times.length === count) break;
    }
    return times;
  };

  it('begin when they are told to, keep the spacing of the source, and leave out its ticks', async () => {
    const tick = { type: 'tick', source: 's', eventTimeMs: 200, elapsedMs: 200 } as const;
    expect(await timesOf(sourceOf([0, 40, 120], [tick]), 10)).toEqual([0, 40, 120]);
  });

  it('go on from round to round at the mean pace, of a single frame at one a second', async () => {
    expect(await timesOf(sourceOf([0, 40, 120]), 8, { repeat: true })).toEqual([0, 40, 120, 180, 220, 300, 360, 400]);
    expect(await timesOf(sourceOf([0]), 3, { repeat: true })).toEqual([0, 1_000, 2_000]);
  });

  it('tell how the source ended, or that they were ended', async () => {
    const frames = timedFrames(sourceOf([]), options());
    expect(await frames.next()).toEqual({ done: true, value: report });
    const abort = new AbortController();
    const ended = timedFrames(sourceOf([0, 3_600_000]), options({ isPaced: true, signal: abort.signal }));
    const first = await ended.next();
    if (first.done) throw new Error('there is no frame');
    first.value.frame.lease.release();
    free = 0;
    const next = ended.next();
    abort.abort();
    expect(await next).toEqual({ done: true, value: undefined });
    expect(free).toBe(1);
  });

  it('pass on what the source ends by', async () => {
    const broken: Source = {
      name: 's',
      // eslint-disable-next-line @typescript-eslint/require-await, require-yield
      async *read() {
        throw new Error('broken');
      },
    };
    await expect(timedFrames(broken, options()).next()).rejects.toThrow('broken');
  });
});

describe('a command line that cannot be meant', () => {
  const publish = async (...args: readonly string[]): Promise<{ code: number; stderr: string }> => {
    const [stdout, stderr] = [new PassThrough().resume(), new PassThrough()];
    const signal = new AbortController().signal;
    const code = await runCli(['publish', 'yard.mp4', ...args], { stdout, stderr, env: {}, signal });
    stderr.end();
    return { code, stderr: await text(stderr) };
  };

  it.each([
    [['--topic', 't'], /it is not said where Kafka is/],
    [['--topic', 't', '--brokers', 'b:1', '--deployment', 'x.yaml'], /cannot be used with/],
    [['--topic', 't', '--brokers', 'b:1', '--max-inline-bytes', '5'], /needs a blob store/],
    [['--topic', 't', '--brokers', 'b:1', '--blobs', 'gs://bucket'], /neither a folder nor s3/],
    [['--topic', 't', '--brokers', 'b:1', '--start', 'today'], /give date, time and zone/],
    [['--topic', 't', '--brokers', 'b:1', '--quality', '101'], /from 1 to 100/],
    [['--topic', 't', '--brokers', 'b:1', '--speed', 'ful'], /did you mean full/],
    [['--brokers', 'b:1'], /--topic/],
  ])('is refused: %j', async (args, told) => {
    expect(await publish(...args)).toEqual({ code: 2, stderr: expect.stringMatching(told) as string });
  });
});
