import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { KafkaMessage } from 'kafkajs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runCli } from '../../src/cli/program.js';
import { nameField } from '../../src/topology/deployment/fields.js';
import { ReplayPartition } from '../../src/sources/kafka/replay/partition.js';
import { parseBound, stretchOf, type ReplayBound } from '../../src/sources/kafka/replay/stretch.js';
import type { Watermarks } from '../../src/sources/kafka/topic-offsets.js';
import { frameMessage, firstMs } from '../support/kafka/frames.js';

const hourMs = 3_600_000;
const bound = (given: string): ReplayBound => {
  const parsed = parseBound(given);
  if (parsed === undefined) throw new Error(`${given} is no bound`);
  return parsed;
};

describe('a bound', () => {
  it.each([
    ['2026-01-31T08:30:00Z', { type: 'time', timeMs: firstMs }],
    ['2026-01-31t09:30:00.250+01:00', { type: 'time', timeMs: firstMs + 250 }],
    ['2026-01-31T08:30Z', { type: 'time', timeMs: firstMs }],
    ['0', { type: 'offset', offset: 0n }],
    ['2/1200', { type: 'offset', offset: 1200n, partition: 2 }],
    ['9007199254740993', { type: 'offset', offset: 9007199254740993n }],
  ])('is %s', (given, parsed) => expect(parseBound(given)).toEqual(parsed));

  it.each([
    '',
    'yesterday',
    '2026-01-31',
    '2026-01-31T08:30:00',
    '2026-13-31T08:30:00Z',
    '-1',
    '1/',
    '/1',
    '1/2/3',
    '0x1',
  ])('is not "%s"', (given) => expect(parseBound(given)).toBeUndefined());
});

/** A topic of which each message has its offset as time, in minutes since the first frame of every test. */
const topicOf = (...marks: (readonly [low: number, high: number])[]) => {
  const all = new Map(
    marks.map(([low, high], i): [number, Watermarks] => [i, { low: BigInt(low), high: BigInt(high) }]),
  );
  return {
    topic: 'frames',
    all: () => Promise.resolve(all),
    at: (timeMs: number) => {
      const offset = BigInt(Math.ceil((timeMs - firstMs) / 60_000));
      return Promise.resolve(
        new Map([...all].map(([n, { low, high }]) => [n, offset < low ? low : offset > high ? high : offset])),
      );
    },
  };
};
const minute = (n: number): ReplayBound => ({ type: 'time', timeMs: firstMs + n * 60_000 });

describe('a stretch', () => {
  const placesOf = async (from: ReplayBound, to: ReplayBound | undefined, topic: ReturnType<typeof topicOf>) =>
    (await stretchOf(from, to, topic)).partitions.map(
      ({ partition, first, end, isCut }) => `${partition}: ${first}-${end}${isCut ? ' cut' : ''}`,
    );

  it('between times begins an hour before, in every partition, and goes on to what is there now', async () => {
    const topic = topicOf([0, 500], [150, 300], [0, 20]);
    expect(await placesOf(minute(200), minute(210), topic)).toEqual(['0: 140-500', '1: 150-300 cut', '2: 20-20']);
    expect(await stretchOf(minute(200), minute(210), topic)).toMatchObject({
      fromMs: firstMs + 200 * 60_000,
      toMs: firstMs + 210 * 60_000,
    });
  });

  it('between offsets is of the partition that one of them names, or of the only one', async () => {
    expect(await placesOf(bound('1/160'), bound('200'), topicOf([0, 9], [150, 300]))).toEqual(['1: 160-200']);
    expect(await placesOf(bound('1/160'), undefined, topicOf([0, 9], [150, 300]))).toEqual(['1: 160-300']);
    expect(await placesOf(bound('3'), bound('9'), topicOf([0, 9]))).toEqual(['0: 3-9']);
    expect(await placesOf(minute(70), bound('0/80'), topicOf([0, 90], [0, 90]))).toEqual(['0: 10-80']);
  });

  it.each([
    ['2/5', undefined, 'topic frames has no partition 2'],
    ['5', undefined, 'topic frames has 2 partitions'],
    ['0/5', '1/7', 'its offsets are of different partitions'],
    ['0/5', '0/5', 'it ends before it begins'],
    ['0/5', '0/99', 'frames/0 ends before offset 99'],
    ['0/10', undefined, 'frames/0 ends before offset 10'],
    ['2026-01-31T09:00:00Z', '2026-01-31T09:00:00Z', 'it ends before it begins'],
  ])('from %s to %s is refused', async (from, to, problem) => {
    await expect(
      stretchOf(bound(from), to === undefined ? undefined : bound(to), topicOf([0, 9], [3, 9])),
    ).rejects.toMatchObject({
      code: 'REPLAY_RANGE',
      class: 'user',
      message: `there is no such stretch: ${problem}`,
    });
  });

  it('from an offset that has expired is refused, with the earliest that has not', async () => {
    await expect(stretchOf(bound('1/2'), undefined, topicOf([0, 9], [3, 9]))).rejects.toMatchObject({
      code: 'SOURCE_EXPIRED',
      hint: 'the earliest that is left is at 1/3',
    });
  });
});

describe('a partition of a stretch', () => {
  const signal = new AbortController().signal;
  /** Sent at `sentMs`, taken at `takenMs`, both since the first frame of every test. */
  const message = async (offset: number, sentMs: number, takenMs = sentMs, camera = 'yard'): Promise<KafkaMessage> => {
    const { value, headers = {} } = await frameMessage(camera, { atMs: takenMs });
    return {
      key: Buffer.from(camera),
      value: value as Buffer,
      headers,
      timestamp: String(firstMs + sentMs),
      offset: String(offset),
      attributes: 0,
    };
  };
  /** Frames given, as `camera@takenMs`. */
  const given = async (
    messages: readonly KafkaMessage[],
    { toMs, cameras = [], end = messages.length }: { toMs?: number; cameras?: readonly string[]; end?: number } = {},
  ): Promise<string[]> => {
    const frames: string[] = [];
    const partition = new ReplayPartition(
      {
        offsets: { topic: 'frames', watermarksNow: () => Promise.resolve({ low: 0n, high: 99n }) },
        stretch: { fromMs: firstMs, ...(toMs !== undefined && { toMs: firstMs + toMs }) },
        part: { partition: 0, first: 0n, end: BigInt(end), isCut: false },
        cameras: new Set(cameras),
        claims: undefined,
        limits: {},
        partitionBytes: 2 ** 20,
        signal,
      },
      {
        pause: () => undefined,
        resume: () => undefined,
        seek: () => undefined,
        problem: (error) => expect(error).toBeUndefined(),
        passedOver: ({ error }) => frames.push(error.code),
        give: ({ camera, eventTimeMs }) => {
          frames.push(`${camera}@${eventTimeMs - firstMs}`);
          return 0;
        },
      },
    );
    partition.fetched({
      topic: 'frames',
      partition: 0,
      from: 0n,
      next: BigInt(messages.length),
      messages: [...messages],
    });
    await partition.done;
    return frames;
  };

  it('gives frames from its first moment to before its last, whatever their order', async () => {
    const messages = await Promise.all([
      message(0, 5, -1),
      message(1, 5, 0),
      message(2, 20, 10),
      message(3, 20, 9),
      message(4, 21, 4),
    ]);
    expect(await given(messages, { toMs: 10 })).toEqual(['yard@0', 'yard@9', 'yard@4']);
  });

  it('ends before its end, and gives only the cameras that are asked for', async () => {
    const messages = await Promise.all([message(0, 0), message(1, 1, 1, 'gate'), message(2, 2), message(3, 3)]);
    expect(await given(messages, { end: 3 })).toEqual(['yard@0', 'gate@1', 'yard@2']);
    expect(await given(messages, { cameras: ['gate'] })).toEqual(['gate@1']);
  });

  it('reads on for late frames until an hour has brought none, and no further', async () => {
    const messages = await Promise.all([
      message(0, 0),
      message(1, hourMs, 1),
      message(2, hourMs + 1, 20),
      // An hour after the last that was wanted, less a moment.
      message(3, 2 * hourMs - 1, 2),
      message(4, 3 * hourMs - 1, 50),
      message(5, 3 * hourMs, 3),
    ]);
    expect(await given(messages, { toMs: 10 })).toEqual(['yard@0', 'yard@1', 'yard@2']);
  });

  it('finds frames that were all sent long after they were taken', async () => {
    const day = 24 * hourMs;
    const messages = await Promise.all([0, 1, 2, 3].map((n) => message(n, day + n, n * 10)));
    expect(await given(messages, { toMs: 25 })).toEqual(['yard@0', 'yard@10', 'yard@20']);
  });

  it('tells of messages that are no frames, but for those of other cameras', async () => {
    const broken = { ...(await message(1, 1)), value: Buffer.from('no picture') };
    expect(await given([await message(0, 0), broken, await message(2, 2)])).toEqual([
      'yard@0',
      expect.any(String),
      'yard@2',
    ]);
    const other = [await message(0, 0, 0, 'gate'), broken, await message(2, 2, 2, 'gate')];
    expect(await given(other, { cameras: ['gate'] })).toEqual(['gate@0', 'gate@2']);
  });
});

describe('the command', () => {
  let folder: string;
  let file: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'blinkstream-replay-'));
    file = join(folder, 'deployment.yaml');
  });
  afterEach(() => rm(folder, { recursive: true }));

  const replay = async (sources: string, ...args: string[]) => {
    await writeFile(
      file,
      `topologies: [{ kind: watch }]
sources: [${sources}]
kafka: { brokers: ['127.0.0.1:1'] }
log: { folder: log }
outputs: { grpc: { listen: '127.0.0.1:0' } }
`,
    );
    const [stdout, stderr] = [new PassThrough(), new PassThrough()];
    const surroundings = { stdout, stderr, env: {}, signal: new AbortController().signal };
    const code = await runCli(['replay', file, '--from', '1200', ...args], surroundings);
    stderr.end();
    return { code, told: (await text(stderr)).replaceAll(folder, '') };
  };
  const frames = '{ name: cameras, kind: kafka, topic: frames }';

  it.each([
    [frames, ['--question', 'Who is there?'], 2, '--question is for reasoners that take one, and measured takes none'],
    [frames, ['--source', 'camera'], 2, 'has no source camera — did you mean cameras?'],
    [
      `${frames}, { name: more, kind: kafka, topic: more }`,
      [],
      2,
      'reads 2 topics — say which by --source: cameras, more',
    ],
    [
      `${frames}, { name: yard, kind: video, input: y.mp4 }`,
      ['--source', 'yard'],
      3,
      'a video is looked at again as a whole',
    ],
    ['{ name: gate, kind: push }', [], 3, 'source gate is a camera that keeps nothing'],
    [frames, [], 2, 'the log of /deployment.yaml is a folder, which the service alone writes into — give --out DIR'],
    [frames, ['--to', 'noon'], 2, 'give date, time and zone'],
    [frames, ['--run', 'a/b'], 2, 'give up to 64 letters'],
    [frames, ['--reasoner', 'measurd'], 2, 'did you mean measured?'],
  ])('of sources %s with %j ends with %i in words', async (sources, args, code, problem) => {
    expect(await replay(sources, ...args)).toEqual({ code, told: expect.stringContaining(problem) as string });
  });

  it('does not write into the log of the deployment as if it were its own folder', async () => {
    expect(await replay(frames, '--out', folder)).toEqual({
      code: 2,
      told: expect.stringContaining('is where the deployment has its log') as string,
    });
  });

  it('names topologies as no deployment file can', () => {
    expect(nameField('name').safeParse('watch@r1').success).toBe(false);
    expect(nameField('name').safeParse('watch').success).toBe(true);
  });
});
