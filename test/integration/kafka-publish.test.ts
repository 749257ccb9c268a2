import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { folderStore } from '../../src/blobs/folder.js';
import { s3Store } from '../../src/blobs/s3.js';
import { sha256Of } from '../../src/blobs/sha256.js';
import { decodeEventMessage } from '../../src/kafka/event-message.js';
import { readHeader } from '../../src/pixels/decode.js';
import { changeEventFromJson, changeEventToJson } from '../../src/records/convert/change.js';
import { ffmpeg, testPicture } from '../support/clips.js';
import { broker, describeKafka } from '../support/kafka/broker.js';
import { readTopic } from '../support/kafka/reading.js';
import { describeS3, s3Server } from '../support/s3/server.js';

const command = fileURLToPath(new URL('../../bin/blinkstream.js', import.meta.url));
const start = '2026-01-31T08:30:00.000Z';

let folder: string;
let clip: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'blinkstream-publish-'));
  clip = join(folder, 'yard.mp4');
  await ffmpeg(...testPicture(12), clip);
});
afterAll(() => rm(folder, { recursive: true }));

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the built command; `termWhen`: sends SIGTERM once that resolves. */
async function blinkstream(
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
  termWhen?: Promise<unknown>,
): Promise<Ended> {
  const child = spawn(process.execPath, [command, ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (data: Buffer) => (stdout += data.toString()));
  child.stderr.on('data', (data: Buffer) => (stderr += data.toString()));
  void termWhen?.finally(() => child.kill('SIGTERM'));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stdout, stderr };
}

await describeKafka('frames to a topic', () => {
  const kafka = broker();
  const publish = (input: string, topic: string, more: readonly string[] = [], env: NodeJS.ProcessEnv = {}) =>
    blinkstream(['publish', input, '--topic', topic, '--brokers', kafka.brokers.join(','), ...more], env);

  it('of a video as JPEG, keyed, dated and hashed; the same at full speed and in real time', async () => {
    const topic = await kafka.topic(3);
    for (const speed of ['full', 'real']) {
      const { code, stdout, stderr } = await publish(clip, topic, ['--start', start, '--speed', speed, '--json']);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(JSON.parse(stdout)).toMatchObject({ topic, camera: 'yard', frames: 12, claimChecks: 0 });
    }
    const messages = await readTopic(kafka, topic);
    expect(messages).toHaveLength(24);
    for (const [n, { key, value, headers, partition }] of messages.entries()) {
      expect({ key, partition }).toEqual({ key: 'yard', partition: messages[0].partition });
      expect(headers).toEqual({
        ce_time: new Date(Date.parse(start) + (n % 12) * 40).toISOString(),
        ce_sha256: sha256Of(value),
        'content-type': 'image/jpeg',
      });
      expect(await readHeader(value)).toMatchObject({ mediaType: 'image/jpeg', width: 160, height: 120 });
    }
    expect(messages.slice(12).map(({ value }) => value)).toEqual(messages.slice(0, 12).map(({ value }) => value));
  });

  it('of images as they are', async () => {
    const topic = await kafka.topic();
    const shots = join(folder, 'shots');
    await ffmpeg('-i', clip, '-frames:v', '2', join(folder, 'shots-%d.png'));
    await ffmpeg('-i', clip, '-frames:v', '1', join(folder, 'shots-3.jpg'));
    const { code, stdout } = await publish(`${shots}-*`, topic, [
      '--interval',
      '500',
      '--camera',
      'Lager 2',
      '--start',
      start,
      '--speed',
      'full',
    ]);
    expect(code).toBe(0);
    expect(stdout).toMatch(new RegExp(`^3 frames of Lager 2 to topic ${topic}, `));
    const messages = await readTopic(kafka, topic);
    const originals = await Promise.all(['1.png', '2.png', '3.jpg'].map((name) => readFile(`${shots}-${name}`)));
    expect(messages.map(({ value }) => value)).toEqual(originals);
    expect(messages.map(({ headers }) => headers['content-type'])).toEqual(['image/png', 'image/png', 'image/jpeg']);
    expect(messages.map(({ headers }) => headers.ce_time.slice(17, 23))).toEqual(['00.000', '00.500', '01.000']);
  });

  it('with large pictures in a blob store, which are there before their messages', async () => {
    const topic = await kafka.topic();
    const blobs = join(folder, 'blobs');
    const { code, stdout } = await publish(clip, topic, [
      '--blobs',
      blobs,
      '--max-inline-bytes',
      '1000',
      '--speed',
      'full',
    ]);
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: expect.stringContaining('12 of them by claim check') as string,
    });
    const store = folderStore({ folder: blobs });
    const messages = await readTopic(kafka, topic);
    expect(messages).toHaveLength(12);
    for (const { value, headers } of messages) {
      expect(value).toHaveLength(0);
      const found = await store.get(headers.ce_dataref.replace('sha256:', ''));
      expect(found && sha256Of(found.bytes)).toBe(headers.ce_sha256);
    }
  });

  it('fault 10: refused by the topic, because they are too large, are told in words', async () => {
    const topic = await kafka.topic(1, { 'max.message.bytes': '2000' });
    const { code, stderr } = await publish(clip, topic, ['--speed', 'full']);
    expect(code).toBe(3);
    expect(stderr).toMatch(
      new RegExp(
        `^error: frame 0 has \\d+ bytes, more than a message of topic ${topic} may have — send large pictures by claim check`,
      ),
    );
    // What is small enough goes through all the same.
    const blobs = ['--blobs', join(folder, 'blobs-2'), '--max-inline-bytes', '1500', '--speed', 'full'];
    expect(await publish(clip, topic, blobs)).toMatchObject({ code: 0 });
  });

  it('end with words where there is no such topic', async () => {
    const { code, stderr } = await publish(clip, 'no-such-topic');
    expect({ code, stderr: stderr.split(' — ')[0] }).toEqual({
      code: 3,
      stderr: 'error: there is no topic no-such-topic',
    });
  });

  it('are not sent where no reader would take them: dated far ahead, or of a format that is not read', async () => {
    const topic = await kafka.topic();
    const ahead = await publish(clip, topic, ['--start', new Date(Date.now() + 7_200_000).toISOString()]);
    expect(ahead).toMatchObject({ code: 3, stderr: expect.stringMatching(/frame 0 .* an hour ahead/) as string });
    await sharp({ create: { width: 8, height: 8, channels: 3, background: 'red' } }).toFile(join(folder, 'red.webp'));
    const webp = await publish(join(folder, 'red.webp'), topic, ['--interval', '1000']);
    expect(webp).toMatchObject({ code: 3, stderr: expect.stringContaining('image 0 of red is image/webp') as string });
    expect(await readTopic(kafka, topic)).toEqual([]);
  });

  it('again and again until interrupted, and time goes on', async () => {
    const topic = await kafka.topic();
    const several = vi.waitFor(async () => expect((await readTopic(kafka, topic)).length).toBeGreaterThan(30), 30_000);
    const args = ['publish', clip, '--topic', topic, '--brokers', kafka.brokers[0], '--repeat'];
    const { code, stdout } = await blinkstream(args, {}, several);
    await several;
    const messages = await readTopic(kafka, topic);
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: expect.stringMatching(`^${messages.length} frames of yard`) as string,
    });
    const times = messages.map(({ headers }) => Date.parse(headers.ce_time));
    expect(new Set(times.slice(1).map((time, i) => time - times[i]))).toEqual(new Set([40]));
  });

  it(
    'and events from the service, by the cluster and the store that a deployment names',
    { timeout: 120_000 },
    async () => {
      const [frames, events] = [await kafka.topic(), await kafka.topic()];
      const box = `drawbox=x=50:y=40:w=40:h=30:color=red:t=fill:enable='gte(t,5)'`;
      const gray = 'color=c=gray:size=160x120:rate=10,noise=alls=3:allf=t';
      await ffmpeg(
        '-f',
        'lavfi',
        '-i',
        gray,
        '-frames:v',
        '150',
        '-vf',
        box,
        '-pix_fmt',
        'yuv420p',
        join(folder, 'box.mp4'),
      );
      const file = join(folder, 'deployment.yaml');
      await writeFile(
        file,
        `topologies: [{ kind: watch }]
sources: [{ name: box, kind: video, input: box.mp4 }]
kafka: { brokers: ['${kafka.brokers[0]}'] }
blobs: { kind: folder, folder: claims, maxAgeDays: 7 }
log: { folder: log }
outputs: { kafka: { topic: ${events}, format: protobuf }, jsonLines: { file: events.jsonl } }
`,
      );
      expect(await blinkstream(['run', file])).toMatchObject({ code: 0 });
      const told = (await readTopic(kafka, events)).map((message) => changeEventToJson(decodeEventMessage(message)));
      expect(told.length).toBeGreaterThan(0);
      expect(`${told.join('\n')}\n`).toBe(await readFile(join(folder, 'events.jsonl'), 'utf8'));
      // Started again it sends nothing twice.
      expect(await blinkstream(['run', file])).toMatchObject({ code: 0 });
      expect(await readTopic(kafka, events)).toHaveLength(told.length);

      // And from the topic, its pictures from the store, it tells of the camera what it told of the file.
      const live = join(folder, 'live.yaml');
      const [topic, changes] = [await kafka.topic(), await kafka.topic()];
      const text = (await readFile(file, 'utf8'))
        .replace(/^sources:.*$/m, `sources: [{ name: cameras, kind: kafka, topic: ${topic}, group: ${topic} }]`)
        .replace('folder: log ', 'folder: live ')
        .replace(events, changes)
        .replace('events.jsonl', 'live.jsonl');
      await writeFile(live, text);
      const sent = ['publish', join(folder, 'box.mp4'), '--topic', topic, '--deployment', live, '--start', start];
      expect(await blinkstream([...sent, '--max-inline-bytes', '0', '--speed', 'full'])).toMatchObject({ code: 0 });
      const seen = vi.waitFor(async () => expect(await readTopic(kafka, changes)).not.toEqual([]), 40_000);
      const ended = await blinkstream(['run', live], {}, seen);
      await seen;
      expect(ended).toMatchObject({ code: 0 });
      const [message] = await readTopic(kafka, changes);
      expect(message.key).toBe('box');
      expect(decodeEventMessage(message).kind).toBe(changeEventFromJson(told[0]).kind);

      const fromFile = [
        'publish',
        clip,
        '--topic',
        frames,
        '--deployment',
        file,
        '--max-inline-bytes',
        '0',
        '--speed',
        'full',
      ];
      expect(await blinkstream(fromFile)).toMatchObject({ code: 0 });
      const [{ headers }] = await readTopic(kafka, frames);
      expect(await folderStore({ folder: join(folder, 'claims') }).has(headers.ce_sha256)).toBe(true);
    },
  );
});

await describeS3('pictures of frames to a bucket', () => {
  const s3 = s3Server();
  const kafka = broker();

  it.skipIf(kafka.brokers.length === 0)('with credentials from the environment', async () => {
    const topic = await kafka.topic();
    const { endpoint, bucket, allowed } = s3();
    const args = ['publish', clip, '--topic', topic, '--brokers', kafka.brokers[0], '--speed', 'full'];
    const { code } = await blinkstream([...args, '--blobs', `s3://${bucket}/claims`, '--max-inline-bytes', '1000'], {
      AWS_ENDPOINT_URL_S3: endpoint,
      AWS_ACCESS_KEY_ID: allowed.accessKeyId,
      AWS_SECRET_ACCESS_KEY: allowed.secretAccessKey,
    });
    expect(code).toBe(0);
    const store = s3Store({ bucket, endpoint, prefix: 'claims', credentials: allowed });
    const messages = await readTopic(kafka, topic);
    expect(messages).toHaveLength(12);
    for (const { headers } of messages) {
      expect(sha256Of((await store.get(headers.ce_sha256))?.bytes ?? new Uint8Array(0))).toBe(headers.ce_sha256);
    }
  });
});
