import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { eventOf } from '../../fixtures/events.js';
import { decodeEventMessage } from '../../src/kafka/event-message.js';
import { openLmdbLog } from '../../src/log/lmdb.js';
import { kafkaOutput, type KafkaOutputOptions } from '../../src/outputs/kafka.js';
import type { BlinkstreamError } from '../../src/records/index.js';
import { FakeLog } from '../support/fake-log.js';
import {
  broker,
  describeKafka,
  describeOwnKafka,
  kafkaNames,
  startBroker,
  type OwnBroker,
} from '../support/kafka/broker.js';
import { readTopic, type ReadMessage } from '../support/kafka/reading.js';
import { startSecuredBroker, user, type SecuredBroker } from '../support/kafka/secured.js';
import { idsUntil, stepAt } from '../support/workers/log-steps.js';

let folder: string;
let log: FakeLog;
let cursorFile: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'blinkstream-kafka-output-'));
  cursorFile = join(folder, 'outputs', 'kafka', 'topic');
  log = new FakeLog();
});
afterEach(() => rm(folder, { recursive: true }));

const sources = ['yard', 'shelf', 'gate'];
const events = Array.from({ length: 150 }, (_, n) => eventOf(n, { source: sources[n % 3] }));
const idsOf = (messages: readonly ReadMessage[]): string[] => messages.map(({ headers }) => headers.ce_id);

const send = (brokers: readonly string[], topic: string, more: Partial<KafkaOutputOptions> = {}) =>
  kafkaOutput({
    kafka: { brokers, retries: 3 },
    topic,
    format: 'json',
    log,
    cursorFile,
    untilEnd: true,
    signal: new AbortController().signal,
    ...more,
  });

await describeKafka('events to a topic', () => {
  const kafka = broker();

  it.each(['json', 'protobuf'] as const)('each once as %s, those of one source in order', async (format) => {
    const topic = await kafka.topic(4);
    log.append(...events);
    expect(await send(kafka.brokers, topic, { format })).toEqual({ events: 150 });
    const messages = await readTopic(kafka, topic);
    expect(messages).toHaveLength(150);
    for (const source of sources) {
      const own = messages.filter(({ key }) => key === source);
      expect(new Set(own.map(({ partition }) => partition)).size).toBe(1);
      expect(own.map((message) => decodeEventMessage(message))).toEqual(
        events.filter((event) => event.source === source),
      );
    }
  });

  it('go on where they stopped, as often as it is started', async () => {
    const topic = await kafka.topic();
    for (const event of events.slice(0, 4)) {
      log.append(event);
      expect(await send(kafka.brokers, topic)).toEqual({ events: 1 });
      expect(await send(kafka.brokers, topic)).toEqual({ events: 0 });
    }
    expect(idsOf(await readTopic(kafka, topic))).toEqual(events.slice(0, 4).map(({ eventId }) => eventId));
  });

  it('follow the log until it is told to end', async () => {
    const topic = await kafka.topic();
    const abort = new AbortController();
    const running = send(kafka.brokers, topic, { untilEnd: false, signal: abort.signal });
    log.append(...events.slice(0, 3));
    await vi.waitFor(async () => expect(await readTopic(kafka, topic)).toHaveLength(3), { timeout: 20_000 });
    log.append(...events.slice(3, 5));
    await vi.waitFor(async () => expect(await readTopic(kafka, topic)).toHaveLength(5), { timeout: 20_000 });
    abort.abort();
    expect(await running).toEqual({ events: 5 });
    expect(log.openReaders).toBe(0);
    expect(await send(kafka.brokers, topic, { signal: abort.signal })).toEqual({ events: 0 });
  });

  it.each([1, 2])(
    'fault 2: are all there after a kill -9 behind batch %i, and that batch alone twice',
    async (batch) => {
      const topic = await kafka.topic();
      const path = join(folder, 'log');
      const written = await openLmdbLog({ path });
      for (let n = 0; n < 40; n++) await written.commit(stepAt(n));
      await written.close();
      const expected = idsUntil(40);

      const killed = await sender([path, kafka.brokers[0], topic, cursorFile], {
        BLINKSTREAM_KILL_AT: `publish:${batch}:${join(folder, 'killed')}`,
      });
      expect(killed.signal).toBe('SIGKILL');
      const first = idsOf(await readTopic(kafka, topic));
      expect(first).toEqual(expected.slice(0, Math.min(expected.length, batch * 64)));
      expect(await sender([path, kafka.brokers[0], topic, cursorFile])).toEqual({
        stdout: `${expected.length - (batch - 1) * 64}\n`,
      });
      const ids = idsOf(await readTopic(kafka, topic));
      expect([...new Set(ids)]).toEqual(expected);
      expect(ids.length - expected.length).toBe(first.length - (batch - 1) * 64);
    },
  );

  it('end with words where there is no such topic', async () => {
    await expect(send(kafka.brokers, 'no-such-topic')).rejects.toMatchObject({
      code: 'KAFKA_TOPIC_UNKNOWN',
      class: 'user',
      message: 'there is no topic no-such-topic',
    });
  });

  it('fault 10: end with words where one is larger than the topic takes', async () => {
    const topic = await kafka.topic(1, { 'max.message.bytes': '5000' });
    log.append(eventOf(1), eventOf(2, { statement: 'x'.repeat(20_000) }));
    await expect(send(kafka.brokers, topic)).rejects.toMatchObject({ code: 'KAFKA_MESSAGE_TOO_LARGE', class: 'data' });
  });

  it('end with words where the log does not hold any more, or never held, what comes next', async () => {
    const topic = await kafka.topic();
    log.append(...events.slice(0, 3));
    await send(kafka.brokers, topic);
    log.append(...events.slice(3, 6));
    log.forget(5);
    const expected = { code: 'OUTPUT_MISMATCH', class: 'user', hint: expect.stringContaining(cursorFile) as string };
    await expect(send(kafka.brokers, topic)).rejects.toMatchObject(expected);
    log = new FakeLog('epoch-2');
    await expect(send(kafka.brokers, topic)).rejects.toMatchObject(expected);
    await writeFile(cursorFile, 'not a cursor!');
    await expect(send(kafka.brokers, topic)).rejects.toMatchObject({ code: 'OUTPUT_DAMAGED', class: 'user' });
    expect(await readTopic(kafka, topic)).toHaveLength(3);
  });
});

await describeOwnKafka('a broker that goes away and comes back', () => {
  let own: OwnBroker;
  beforeAll(async () => {
    own = await startBroker();
  });
  afterAll(() => own.close());

  it('fault 7: gets every event, and the output stays up', async () => {
    const kafka = kafkaNames(own.brokers);
    const topic = await kafka.topic();
    const abort = new AbortController();
    const problems: BlinkstreamError[] = [];
    const running = send(own.brokers, topic, {
      untilEnd: false,
      signal: abort.signal,
      onProblem: (error) => problems.push(error),
    });
    log.append(...events.slice(0, 10));
    await vi.waitFor(async () => expect(await readFile(cursorFile, 'utf8')).toMatch(/./), { timeout: 20_000 });
    await own.kill9();
    log.append(...events.slice(10, 20));
    await vi.waitFor(() => expect(problems).not.toEqual([]), { timeout: 30_000 });
    expect(problems[0]).toMatchObject({ class: 'external' });
    await own.start();
    const ids = events.slice(0, 20).map(({ eventId }) => eventId);
    await vi.waitFor(async () => expect([...new Set(idsOf(await readTopic(kafka, topic)))]).toEqual(ids), {
      timeout: 40_000,
      interval: 500,
    });
    // It is told to end while Kafka is away, and ends.
    await own.kill9();
    log.append(events[20]);
    abort.abort();
    expect(await running).toEqual({ events: 20 });
    await own.start();
  });
});

await describeOwnKafka('a broker that asks who comes', () => {
  let secured: SecuredBroker;
  beforeAll(async () => {
    secured = await startSecuredBroker();
  });
  afterAll(() => secured.close());

  it('fault 21: is told who it is, and what it does not allow is told with topic and operation', async () => {
    const topic = await kafkaNames(secured.brokers).topic();
    const tls = { ca: secured.authority.ca };
    const sasl = { mechanism: 'SCRAM-SHA-512', ...user } as const;
    const brokers = [secured.addresses.PASSWORD_TLS];
    await expect(send(brokers, topic, { kafka: { brokers, tls, sasl, retries: 3 } })).rejects.toMatchObject({
      code: 'KAFKA_FORBIDDEN',
      class: 'user',
      message: expect.stringContaining(`WRITE topic ${topic}`) as string,
    });
    const wrong = { ...sasl, password: 'not-it' };
    const refused = send(brokers, topic, { kafka: { brokers, tls, sasl: wrong, retries: 3 } });
    await expect(refused).rejects.toMatchObject({
      code: 'KAFKA_CREDENTIAL_REFUSED',
      class: 'user',
      message: expect.not.stringContaining('not-it') as string,
    });
  });
});

const senderFile = fileURLToPath(new URL('../../dist/test/support/workers/kafka-sender.js', import.meta.url));

function sender(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  return new Promise<{ signal?: string; stdout?: string }>((resolve) => {
    execFile(process.execPath, [senderFile, ...args], { env: { ...process.env, ...env } }, (error, stdout) => {
      resolve(error?.signal ? { signal: error.signal } : { stdout });
    });
  });
}
