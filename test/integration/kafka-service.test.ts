/** `blinkstream run` over a topic of frames, against the real broker; what goes wrong is numbered as in docs/faults.md. */
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Message } from 'kafkajs';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { committedEvents, isCovered, type EventsByCamera } from '../chaos/kafka/events.js';
import { allowedLatenessMs, cameraMessage, drawCamera, type Sent } from '../chaos/kafka/cameras.js';
import { Instance } from '../chaos/kafka/instance.js';
import { Life } from '../chaos/life.js';
import { Subscriber } from '../chaos/subscriber.js';
import { broker, describeKafka } from '../support/kafka/broker.js';
import { readCommitted } from '../support/kafka/committed.js';
import { producing } from '../support/kafka/frames.js';
import { LoggedService } from '../support/logged-service.js';

const script = { seed: 3, steps: 7, stepMs: 2_400, changesPerStep: 3, fps: 5 };
const timeout = 180_000;

await describeKafka('blinkstream run over a topic of frames', () => {
  const kafka = broker();
  const client = kafka.client();
  const stop = new AbortController();
  let folder: string;
  let frames: readonly Sent[];
  /** Two cameras in a partition each, in order. */
  let topic: string;
  let expected: EventsByCamera;

  const send = async (to: string, cameras: Readonly<Record<string, readonly Message[]>>): Promise<void> => {
    const { partitions } = await kafka.admin(async (admin) => ({ partitions: await admin.fetchTopicOffsets(to) }));
    await producing(client, async (producer) => {
      for (const [i, [key, messages]] of Object.entries(cameras).entries()) {
        const partition = i % partitions.length;
        await producer.send({ topic: to, messages: messages.map((message) => ({ ...message, key, partition })) });
      }
    });
  };
  const messagesOf = (sent: readonly Sent[]): Message[] => sent.map((frame) => cameraMessage(frame, script.fps));

  /** A service of its own log and group, with any number of instances. */
  class Run {
    readonly prefix = kafka.group();
    readonly group = kafka.group();

    constructor(readonly topic: string) {}

    instance(sections: Readonly<Record<string, unknown>> = {}): Promise<Instance> {
      const { prefix, group, topic } = this;
      const common = { brokers: kafka.brokers, topic, group, prefix, partitions: 2, signal: stop.signal };
      return mkdtemp(join(folder, 'instance-')).then((own) => Instance.prepare({ ...common, folder: own, sections }));
    }

    isDone(): Promise<boolean> {
      return kafka.admin((admin) => isCovered(admin, this.topic, `${this.group}.watch`));
    }

    events(): Promise<EventsByCamera> {
      return committedEvents(client, this.prefix);
    }
  }

  const waitFor = <T>(check: () => T | Promise<T>): Promise<T> => vi.waitFor(check, { timeout, interval: 50 });
  const until = (run: Run, ...instances: readonly Instance[]): Promise<void> =>
    waitFor(async () => {
      for (const instance of instances) instance.check();
      expect(await run.isDone()).toBe(true);
    });

  /** A subscriber that was there from the beginning has what the log has. */
  const expectAll = async (run: Run, subscriber?: Subscriber): Promise<void> => {
    expect(await run.events()).toEqual(expected);
    if (subscriber === undefined) return;
    const count = [...expected.values()].flat().length;
    await waitFor(() => {
      subscriber.check();
      expect(subscriber.events.length).toBeGreaterThanOrEqual(count);
    });
    expect([...subscriber.events].sort()).toEqual([...expected.values()].flat().sort());
  };

  const cleanups: (() => Promise<unknown> | void)[] = [];
  const subscribed = (instance: Instance): Subscriber => {
    const subscriber = new Subscriber(instance.address);
    cleanups.push(() => subscriber.stop().catch(() => undefined));
    return subscriber;
  };

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'blinkstream-service-'));
    if (kafka.brokers.length === 0) return;
    frames = await drawCamera(script);
    topic = await kafka.topic(2);
    await send(topic, { yard: messagesOf(frames), dock: messagesOf(await drawCamera({ ...script, seed: 4 })) });
    const undisturbed = new Run(topic);
    const instance = await undisturbed.instance();
    instance.start();
    await until(undisturbed, instance);
    await instance.stop();
    expected = await undisturbed.events();
    expect([...expected.keys()].sort()).toEqual(['dock', 'yard']);
    for (const events of expected.values()) expect(events.length).toBeGreaterThan(10);
  }, timeout);
  afterEach(async () => {
    for (const clean of cleanups.splice(0)) await clean();
  });
  afterAll(async () => {
    stop.abort();
    await rm(folder, { recursive: true, force: true });
  });

  it.each([
    ['fault 1: in the middle of a window', 'gate', 60],
    ['fault 1: before the first frame is through', 'decode', 1],
    ['fault 2: between events and commit', 'in-commit', 3],
    ['fault 2: behind a commit, before anybody knows of it', 'after-commit', 3],
  ] as const)(
    'killed with -9, %s, tells every event once, as if undisturbed',
    async (_, point, passing) => {
      const run = new Run(topic);
      const instance = await run.instance();
      const subscriber = subscribed(instance);
      instance.start({ point, passing });
      await waitFor(() => expect([instance.wasHit, instance.isRunning]).toEqual([true, false]));
      instance.start();
      await until(run, instance);
      await expectAll(run, subscriber);
      await instance.stop();
    },
    timeout,
  );

  it(
    'fault 16: a worker that is killed costs nothing',
    async () => {
      const run = new Run(topic);
      const instance = await run.instance();
      const subscriber = subscribed(instance);
      instance.start();
      await waitFor(() => expect(subscriber.events).not.toEqual([]));
      expect(await instance.killWorker()).toBe(true);
      await until(run, instance);
      await expectAll(run, subscriber);
      await instance.stop();
    },
    timeout,
  );

  it(
    'fault 17: without a worker it waits, commits nothing, and goes on when one is back',
    async () => {
      const address = `unix:${join(folder, 'worker')}`;
      const worker = (): Life => new Life({ args: ['worker', '--listen', address], signal: stop.signal });
      let serving = worker();
      await waitFor(() => expect(existsSync(join(folder, 'worker'))).toBe(true));
      const run = new Run(topic);
      const instance = await run.instance({ workers: { addresses: [address] } });
      const service = new LoggedService(instance.file);
      cleanups.push(() => service.kill());
      await waitFor(() => expect(service.stdout).not.toBe(''));
      await serving.kill();
      expect(await service.note('WORKER_UNAVAILABLE')).toMatchObject({ level: 'error' });
      const trouble = await service.note('KAFKA_TROUBLE');
      expect(trouble.message).toContain('worker');
      const before = await run.events();
      expect(await run.isDone()).toBe(false);
      serving = worker();
      await until(run);
      expect([...before.values()].flat().length).toBeLessThan([...expected.values()].flat().length);
      await expectAll(run);
      expect(service.notes.filter(({ code }) => code === 'DEAD_LETTER')).toEqual([]);
      service.terminate();
      expect(await service.exited).toBe(0);
      await serving.stop();
    },
    timeout,
  );

  it(
    'fault 18: a subscriber that takes not one byte holds up nothing',
    async () => {
      const run = new Run(topic);
      const instance = await run.instance();
      instance.start();
      const path = instance.address.slice('unix:'.length);
      // The socket is there a moment before anybody listens.
      await waitFor(async () => {
        const socket = connect(path);
        await once(socket, 'connect').finally(() => socket.destroy());
      });
      const session = connectHttp2('http://localhost', {
        createConnection: () => connect(path),
        // No room for data, however little.
        settings: { initialWindowSize: 0 },
      });
      // The end of the service ends it too.
      session.on('error', () => undefined);
      cleanups.push(() => session.destroy());
      const headers = { 'content-type': 'application/grpc', te: 'trailers' };
      const stalled = session.request({
        ...headers,
        ':method': 'POST',
        ':path': '/blinkstream.v1.EventService/Subscribe',
      });
      stalled.on('error', () => undefined);
      let received = 0;
      stalled.on('data', (data: Buffer) => (received += data.byteLength));
      const answered = new Promise((resolve) => stalled.once('response', resolve));
      // An empty request: all events from the first.
      stalled.end(Buffer.alloc(5));
      await answered;
      const subscriber = subscribed(instance);
      await until(run, instance);
      await expectAll(run, subscriber);
      expect(received).toBe(0);
      await instance.stop();
    },
    timeout,
  );

  it(
    'fault 22: SIGTERM under load hands over within the deadline, and the other instance goes on',
    async () => {
      const run = new Run(topic);
      const [leaving, staying] = [await run.instance(), await run.instance()];
      const service = new LoggedService(leaving.file);
      cleanups.push(() => service.kill());
      await waitFor(() => expect(service.stdout).not.toBe(''));
      service.terminate();
      staying.start();
      expect(await run.isDone()).toBe(false);
      expect(await service.exited).toBe(0);
      const codes = service.notes.map(({ code }) => code);
      expect(codes).toContain('DRAINING');
      expect(codes).not.toContain('DEADLINE_PASSED');
      const subscriber = subscribed(staying);
      await until(run, staying);
      await expectAll(run, subscriber);
      await staying.stop();
    },
    timeout,
  );

  it(
    'faults 13, 14, 15: late, duplicate and shuffled frames and a clock that jumps change nothing else that is told',
    async () => {
      const late = 30;
      const without = frames.filter(({ index }) => index !== late);
      const overtaken = [...without];
      overtaken.splice(late + (2 * allowedLatenessMs * script.fps) / 1_000, 0, frames[late]);
      const jumped = messagesOf(frames);
      const headers = (timeMs: number) => ({ ce_time: new Date(timeMs).toISOString() });
      const yearMs = 365 * 86_400_000;
      jumped.splice(20, 0, { ...jumped[20], headers: headers(Date.now() + yearMs) });
      jumped.splice(40, 0, { ...jumped[40], headers: headers(Date.parse('2025-01-31T08:30:00Z')) });
      const shuffledTopic = await kafka.topic(2);
      await send(shuffledTopic, {
        ordered: messagesOf(frames),
        // Each again at once, and some a second time just within what is allowed.
        duplicated: messagesOf(frames.flatMap((frame, i) => [frame, frame, ...(i % 7 === 4 ? [frames[i - 3]] : [])])),
        // Each five, a second of them, backwards.
        shuffled: messagesOf(frames.flatMap((_, i) => (i % 5 === 0 ? frames.slice(i, i + 5).reverse() : []))),
        without: messagesOf(without),
        overtaken: messagesOf(overtaken),
        jumped,
      });
      const run = new Run(shuffledTopic);
      const instance = await run.instance({ operation: { listen: '127.0.0.1:0' } });
      const service = new LoggedService(instance.file);
      cleanups.push(() => service.kill());
      await until(run);
      const { body: metrics } = await service.ask('/metrics');
      service.terminate();
      expect(await service.exited).toBe(0);

      const told = await run.events();
      const contentOf = (camera: string) => (told.get(camera) ?? []).map((event) => content(event));
      const ordered = contentOf('ordered');
      expect(ordered.length).toBeGreaterThan(10);
      expect(contentOf('duplicated')).toEqual(ordered);
      expect(contentOf('shuffled')).toEqual(ordered);
      expect(contentOf('overtaken')).toEqual(contentOf('without'));
      expect(contentOf('jumped')).toEqual(ordered);

      const count = (metric: string) => (camera: string) => {
        const series = `blinkstream_${metric}_frames_total{topology="watch",source="${camera}"} `;
        return Number(
          metrics
            .split('\n')
            .find((line) => line.startsWith(series))
            ?.slice(series.length),
        );
      };
      const cameras = ['ordered', 'duplicated', 'shuffled', 'without', 'overtaken', 'jumped'];
      expect(cameras.map(count('late'))).toEqual([0, 0, 0, 0, 1, 1]);
      expect(cameras.map(count('dropped'))).toEqual([0, 0, 0, 0, 0, 0]);
      const lateOf = service.notes.filter(({ code }) => code === 'FRAME_LATE').map(({ source }) => source);
      expect(lateOf.sort()).toEqual(['jumped', 'overtaken']);
      const letters = await readCommitted(client, `${run.prefix}.dead-letters`);
      expect(letters.map((letter) => letter.headers?.['blinkstream-code']?.toString())).toEqual(['FRAME_TIME']);
      expect(letters[0].key?.toString()).toBe('jumped');
    },
    timeout,
  );
});

/** An event without what names its camera, counts its frames, and counts time from the frame that came first. */
function content(event: string): unknown {
  const text = event.replaceAll(/from frame \d+ to \d+/g, 'from frame to frame');
  const counts = /^(?:source|elapsedMs|.*[iI]d|.*[fF]rames?)$/;
  return JSON.parse(text, (key, value: unknown) => (counts.test(key) ? undefined : value));
}
