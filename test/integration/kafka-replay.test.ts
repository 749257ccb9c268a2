import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Message } from 'kafkajs';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { decodeEventMessage } from '../../src/kafka/event-message.js';
import { memoryLog } from '../../src/log/memory.js';
import { parseBound, stretchOf, type Stretch } from '../../src/sources/kafka/replay/stretch.js';
import { TopicOffsets } from '../../src/sources/kafka/topic-offsets.js';
import { ffmpeg } from '../support/clips.js';
import { broker, describeKafka } from '../support/kafka/broker.js';
import { expireBefore, firstMs, frameMessage, producing } from '../support/kafka/frames.js';
import { readCommitted } from '../support/kafka/committed.js';
import { replayed } from '../support/kafka/replaying.js';
import { eventsIn, ServiceProcess } from '../support/service-process.js';

const command = fileURLToPath(new URL('../../bin/blinkstream.js', import.meta.url));
const start = new Date(firstMs).toISOString();
const at = (ms: number): string => new Date(firstMs + ms).toISOString();

await describeKafka('a stretch of a topic', () => {
  const kafka = broker();
  const client = kafka.client();

  const stretchIn = async (topic: string, from: string, to?: string): Promise<Stretch> => {
    const offsets = new TopicOffsets({ kafka: client, topic, group: kafka.group() });
    const [first, last] = [from, to ?? ''].map(parseBound);
    if (first === undefined) throw new Error(from);
    try {
      return await stretchOf(first, last, offsets);
    } finally {
      await offsets.close();
    }
  };
  const send = (topic: string, messages: readonly Message[]): Promise<unknown> =>
    producing(client, (producer) => producer.send({ topic, messages: [...messages] }));
  const frames = (camera: string, times: readonly number[], more: Partial<Message> = {}): Promise<Message[]> =>
    Promise.all(times.map(async (atMs) => ({ ...(await frameMessage(camera, { atMs })), ...more })));

  it('is given to the cameras of all its partitions, to the frame, and leaves nothing behind', async () => {
    const topic = await kafka.topic(3);
    const group = kafka.group();
    const times = [0, 100, 200, 300, 400];
    for (const camera of ['yard', 'gate', 'ramp', 'door']) await send(topic, await frames(camera, times));
    await send(topic, [await frameMessage('yard', { atMs: 150, value: Buffer.from('no picture') })]);
    const stretch = await stretchIn(topic, at(100), at(400));
    const { frames: read, reports, passedOver } = await replayed({ client, topic, group, stretch, cameras: [] });
    expect([...read.keys()].sort()).toEqual(['door', 'gate', 'ramp', 'yard']);
    for (const [camera, refs] of read) {
      expect(refs.map(({ index, eventTimeMs, elapsedMs }) => [index, eventTimeMs - firstMs, elapsedMs])).toEqual([
        [0, 100, 0],
        [1, 200, 100],
        [2, 300, 200],
      ]);
      expect(reports.get(camera)).toMatchObject({ framesRead: 3, complete: true });
    }
    expect(passedOver).toEqual([expect.stringMatching(new RegExp(`^${topic}/\\d/\\d+: `))]);
    // Neither an offset nor a dead letter is written.
    const { groups } = await kafka.admin((admin) => admin.listGroups());
    for (const { groupId } of groups.filter(({ groupId: id }) => id.startsWith(group))) {
      const [{ partitions }] = await kafka.admin((admin) => admin.fetchOffsets({ groupId, topics: [topic] }));
      expect(partitions.map(({ offset }) => offset)).toEqual(['-1', '-1', '-1']);
    }
    expect(await kafka.admin((admin) => admin.listTopics())).not.toContain(`${topic}.dead-letters`);
  });

  it('begins and ends by the times of frames where messages have others', async () => {
    const topic = await kafka.topic();
    const sentAt = (ms: number) => ({ timestamp: String(firstMs + ms) });
    const hour = 3_600_000;
    // A clock that is ahead, by nearly all that is believed; one frame late; what is long past ends the reading.
    await send(topic, [
      ...(await frames('yard', [-2 * hour], sentAt(-2 * hour))),
      ...(await frames('yard', [0], sentAt(-hour + 1))),
      ...(await frames('yard', [500], sentAt(600))),
      ...(await frames('yard', [1_000], sentAt(1_000))),
      ...(await frames('yard', [700], sentAt(hour))),
      ...(await frames('yard', [800], sentAt(3 * hour))),
    ]);
    const stretch = await stretchIn(topic, start, at(1_000));
    expect(stretch.partitions).toEqual([{ partition: 0, first: 1n, end: 6n, isCut: false }]);
    const { frames: read } = await replayed({ client, topic, group: kafka.group(), stretch, cameras: ['yard'] });
    expect(read.get('yard')?.map(({ eventTimeMs }) => eventTimeMs - firstMs)).toEqual([0, 500, 700]);
  });

  it('goes on where it was broken off, and is what it was when it began', async () => {
    const topic = await kafka.topic();
    await send(topic, await frames('yard', [0, 100, 200, 300]));
    const stretch = await stretchIn(topic, '0');
    const log = memoryLog({ partitions: 1 });
    const given = { client, topic, group: kafka.group(), stretch, cameras: [] };
    const breaking = replayed(given, {
      log,
      work: ({ index }) => {
        if (index === 2) throw new Error('broken');
      },
    });
    await expect(breaking).rejects.toThrow('broken');
    await send(topic, await frames('yard', [400]));
    const { frames: read } = await replayed(given, { log });
    expect(read.get('yard')?.map(({ index, elapsedMs }) => [index, elapsedMs])).toEqual([
      [2, 200],
      [3, 300],
    ]);
  });

  it('that expires meanwhile, or has a camera in two partitions, ends in words', async () => {
    const topic = await kafka.topic(2);
    const on = (partition: number) => ({ partition });
    await send(topic, [...(await frames('yard', [0, 100], on(0))), ...(await frames('yard', [200], on(1)))]);
    const stretch = await stretchIn(topic, start);
    const given = { client, topic, group: kafka.group(), stretch, cameras: [] };
    await expect(replayed(given)).rejects.toMatchObject({ code: 'CAMERA_IN_TWO_PARTITIONS', class: 'user' });
    await kafka.admin((admin) => expireBefore(admin, topic, 0, 1));
    await expect(replayed(given)).rejects.toMatchObject({ code: 'SOURCE_EXPIRED', class: 'user' });
    await expect(stretchIn(topic, '0/0')).rejects.toMatchObject({ code: 'SOURCE_EXPIRED' });
    expect((await stretchIn(topic, start)).partitions.map(({ isCut }) => isCut)).toEqual([true, false]);
  });
});

await describeKafka('blinkstream replay', () => {
  const kafka = broker();
  const client = kafka.client();
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'blinkstream-replay-'));
    const box = `drawbox=x=50:y=40:w=40:h=30:color=red:t=fill:enable='gte(t,5)'`;
    const gray = 'color=c=gray:size=160x120:rate=10,noise=alls=3:allf=t';
    const clip = join(folder, 'box.mp4');
    await ffmpeg('-f', 'lavfi', '-i', gray, '-frames:v', '150', '-vf', box, '-pix_fmt', 'yuv420p', clip);
  });
  afterAll(() => rm(folder, { recursive: true }));

  const blinkstream = async (args: readonly string[], env: NodeJS.ProcessEnv = {}) => {
    const child = spawn(process.execPath, [command, ...args], { env: { ...process.env, ...env } });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (data: Buffer) => (stdout += data.toString()));
    child.stderr.on('data', (data: Buffer) => (stderr += data.toString()));
    const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
    return { code: code ?? signal, stdout, stderr };
  };
  const publish = async (topic: string, camera: string, from: string): Promise<void> => {
    const args = ['--topic', topic, '--camera', camera, '--brokers', kafka.brokers[0], '--speed', 'full'];
    expect(await blinkstream(['publish', join(folder, 'box.mp4'), ...args, '--start', from])).toMatchObject({
      code: 0,
    });
  };
  /** A deployment in a folder of its own. */
  const deployed = async (name: string, topic: string, log: string): Promise<string> => {
    await mkdir(join(folder, name));
    const file = join(folder, name, 'deployment.yaml');
    await writeFile(
      file,
      `topologies: [{ kind: watch }]
sources: [{ name: cameras, kind: kafka, topic: ${topic}, group: ${topic}, idleMs: 500 }]
kafka: { brokers: ['${kafka.brokers[0]}'] }
workers: { children: 1 }
log: { folder: log${log} }
outputs: { jsonLines: { file: events.jsonl } }
`,
    );
    return file;
  };
  const outcomeIn = (stdout: string): unknown => JSON.parse(stdout.trim().split('\n').at(-1) ?? '');

  it(
    'puts what it tells beside the old in the log, under its run, and the service that runs is not disturbed',
    { timeout: 120_000 },
    async () => {
      const [topic, prefix] = [await kafka.topic(2), kafka.group()];
      const file = await deployed('live', topic, `, kafka: { prefix: ${prefix}, partitions: 2 }`);
      const lines = join(folder, 'live', 'events.jsonl');
      const group = `${topic}.watch`;
      await publish(topic, 'yard', start);
      const service = new ServiceProcess(file);
      const stateOfGroup = () =>
        kafka.admin(async (admin) => ({
          members: (await admin.describeGroups([group])).groups.map(({ state, members }) => ({
            state,
            members: members.map(({ memberId }) => memberId),
          })),
          offsets: await admin.fetchOffsets({ groupId: group, topics: [topic] }),
        }));
      try {
        await vi.waitFor(async () => expect(await eventsIn(lines)).toHaveLength(1), 60_000);
        // Once all of it is covered by a checkpoint there is nothing left that the service itself would commit.
        const before = await vi.waitFor(
          async () => {
            const state = await stateOfGroup();
            const [{ partitions }] = state.offsets;
            expect(partitions.map(({ offset }) => offset).sort()).toEqual(['-1', '150']);
            return state;
          },
          { timeout: 60_000, interval: 500 },
        );
        const args = ['replay', file, '--from', start, '--to', at(15_000), '--run', 'r1', '--json'];
        const killed = await blinkstream(args, { BLINKSTREAM_KILL_AT: `in-commit:3:${join(folder, 'was-in-commit')}` });
        expect(killed).toMatchObject({ code: 'SIGKILL', stderr: 'run r1 begins\n' });
        const { code, stdout, stderr } = await blinkstream(args);
        expect({ code, stderr }).toEqual({ code: 0, stderr: 'run r1 goes on\n' });
        const both = [{ replay: 'watch@r1/yard/1', before: 'watch/yard/1' }];
        const outcome = {
          replay: { run: 'r1', frames: 150, cameras: ['yard'], both, onlyInReplay: [], onlyBefore: [] },
        };
        expect(outcomeIn(stdout)).toEqual(outcome);
        expect(await stateOfGroup()).toEqual(before);
        expect(existsSync(join(folder, 'live', 'log.replay-r1'))).toBe(false);
        const told = (await readCommitted(client, `${prefix}.events`)).map((message) => decodeEventMessage(message));
        expect(told.map(({ topology, changeId }) => [topology, changeId]).sort()).toEqual([
          ['watch', 'watch/yard/1'],
          ['watch@r1', 'watch@r1/yard/1'],
        ]);
        // Again it has nothing to do, and says the same.
        const again = await blinkstream(args);
        expect(again).toMatchObject({ code: 0, stderr: 'run r1 was at its end already\n' });
        expect(outcomeIn(again.stdout)).toEqual(outcome);
        expect(await readCommitted(client, `${prefix}.events`)).toHaveLength(2);
        // In other words it is another run.
        const other = await blinkstream(['replay', file, '--from', at(1_000), '--run', 'r1']);
        expect(other).toMatchObject({ code: 3, stderr: expect.stringContaining('another from, to') as string });
        // The service goes on as if nothing had been.
        await publish(topic, 'gate', at(20_000));
        await vi.waitFor(
          async () => expect((await eventsIn(lines)).map(({ eventId }) => eventId)).toContain('watch/gate/1/1'),
          60_000,
        );
      } finally {
        expect(await service.stop()).toBe(0);
      }
    },
  );

  it(
    'killed at any stage it goes on with the same command, and tells nothing twice',
    { timeout: 120_000 },
    async () => {
      const topic = await kafka.topic();
      await publish(topic, 'yard', start);
      await publish(topic, 'gate', start);
      const file = await deployed('folder', topic, '');
      const replay = (out: string, env: NodeJS.ProcessEnv = {}) =>
        blinkstream(['replay', file, '--from', start, '--run', 'r2', '--out', join(folder, out)], env);
      const { code, stdout } = await replay('whole');
      expect(code).toBe(0);
      expect(stdout).toContain(
        `run r2: 300 frames of 2 cameras looked at again; its events are in ${join(folder, 'whole')}`,
      );
      expect(stdout).toContain('the deployment has no log yet: there is nothing to compare with');
      expect(await readFile(join(folder, 'whole', 'report.html'), 'utf8')).toContain('looked at again as r2');
      const bySource = (events: Awaited<ReturnType<typeof eventsIn>>) =>
        [...events].sort((a, b) => (a.eventId < b.eventId ? -1 : 1));
      const expected = bySource(await eventsIn(join(folder, 'whole', 'events.jsonl')));
      expect(expected.map(({ eventId }) => eventId)).toEqual(['watch@r2/gate/1/1', 'watch@r2/yard/1/1']);
      for (const point of ['decode:120', 'in-commit:4', 'after-commit:2', 'publish:1']) {
        const killed = await replay('killed', { BLINKSTREAM_KILL_AT: `${point}:${join(folder, `was-${point}`)}` });
        expect({ point, code: killed.code }).toEqual({ point, code: 'SIGKILL' });
      }
      const last = await replay('killed');
      expect(last).toMatchObject({ code: 0, stderr: 'run r2 was at its end already\n' });
      expect(bySource(await eventsIn(join(folder, 'killed', 'events.jsonl')))).toEqual(expected);
    },
  );
});
