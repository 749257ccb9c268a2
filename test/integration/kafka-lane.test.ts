import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import { eventOf } from '../../fixtures/events.js';
import { decodeEventMessage } from '../../src/kafka/event-message.js';
import { kafkaClient } from '../../src/kafka/index.js';
import { openKafkaLog, type KafkaLog } from '../../src/log/kafka/kafka-log.js';
import { TransactionalProducer } from '../../src/log/kafka/transactions.js';
import type { Commit } from '../../src/log/index.js';
import type { Blob, BlinkstreamError, ChangeEvent } from '../../src/records/index.js';
import type { InputPartition } from '../../src/sources/kafka/lane.js';
import { broker, describeKafka, describeOwnKafka, kafkaNames, startBroker } from '../support/kafka/broker.js';
import { readCommitted } from '../support/kafka/committed.js';

const never = new AbortController().signal;
const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

type Options = Partial<Parameters<typeof openKafkaLog>[0]>;

async function openLog(brokers: readonly string[], prefix: string, options: Options = {}): Promise<KafkaLog> {
  const indexPath = options.indexPath ?? (await mkdtemp(join(tmpdir(), 'blinkstream-index-')));
  const log = await openKafkaLog({
    kafka: kafkaClient({ brokers }),
    ...{ prefix, indexPath, partitions: 2, graceMs: 300 },
    ...options,
  });
  cleanups.push(async () => {
    await log.close();
    if (options.indexPath === undefined) await rm(indexPath, { recursive: true, force: true });
  });
  return log;
}

const stepOf = (events: readonly ChangeEvent[], rest: Partial<Commit> = {}): Commit => ({
  key: 'watch/yard',
  events,
  contradicted: [],
  checkpoint: { states: {}, positions: {} },
  blobs: [],
  ...rest,
});

const inputOf = (topic: string, group: string, offset: () => bigint): InputPartition => ({
  ...{ topic, group, partition: 1 },
  safeOffset: offset,
  commitOffset: () => Promise.reject(new Error('a lane in Kafka commits no offset by itself')),
});

async function idsIn(log: KafkaLog): Promise<string[]> {
  const ids: string[] = [];
  for await (const entry of log.read({ untilEnd: true, signal: never })) {
    if (entry.type === 'event') ids.push(entry.event.eventId);
  }
  return ids;
}

const blobOf = (bytes: Buffer): Blob => ({
  sha256: createHash('sha256').update(bytes).digest('hex'),
  mediaType: 'image/png',
  bytes,
});

await describeKafka('a lane of a log in Kafka', () => {
  const kafka = broker();

  it('writes events, checkpoint, dead letters and the offset of its input together', async () => {
    const [topic, group, prefix] = [await kafka.topic(2), kafka.group(), kafka.group()];
    const log = await openLog(kafka.brokers, prefix);
    const lane = await log.lanes(
      inputOf(topic, group, () => 7n),
      never,
    );
    await lane.commit(stepOf([eventOf(1), eventOf(2)], { checkpoint: { states: { gate: 1 }, positions: {} } }));
    const letter = {
      where: `${topic}/1/6`,
      code: 'FRAME_KEY',
      problem: 'no key',
      headers: { a: 'b' },
      value: Buffer.of(1),
    };
    await lane.divert({ key: 'letters', checkpoint: { states: {}, positions: {} }, letters: [letter] });
    expect((await lane.checkpoint('watch/yard'))?.states).toEqual({ gate: 1 });
    const [{ partitions }] = await kafka.admin((admin) => admin.fetchOffsets({ groupId: group, topics: [topic] }));
    expect(partitions.find(({ partition }) => partition === 1)?.offset).toBe('7');
    const seen = await readCommitted(kafka.client(), log.topics.events);
    expect(seen.map((message) => decodeEventMessage(message).eventId)).toEqual([
      eventOf(1).eventId,
      eventOf(2).eventId,
    ]);
    expect(seen[0].key?.toString()).toBe(eventOf(1).source);
    const [dead] = await readCommitted(kafka.client(), log.topics.deadLetters);
    expect(dead.headers?.['blinkstream-where']?.toString()).toBe(letter.where);
    expect(dead.headers?.a?.toString()).toBe('b');
  });

  it('is taken over: who had it commits nothing any more, and is told', async () => {
    const [topic, group, prefix] = [await kafka.topic(2), kafka.group(), kafka.group()];
    const [here, there] = [await openLog(kafka.brokers, prefix), await openLog(kafka.brokers, prefix)];
    const input = inputOf(topic, group, () => 0n);
    const first = await here.lanes(input, never);
    await first.commit(stepOf([eventOf(1)], { checkpoint: { states: { n: 1 }, positions: {} } }));
    const second = await there.lanes(input, never);
    expect((await second.checkpoint('watch/yard'))?.states).toEqual({ n: 1 });
    await expect(first.commit(stepOf([eventOf(2)]))).rejects.toMatchObject({ code: 'LANE_LOST' });
    expect(first.lost.aborted).toBe(true);
    await second.commit(stepOf([eventOf(3)]));
    expect(second.lost.aborted).toBe(false);
    const ids = (await readCommitted(kafka.client(), here.topics.events)).map((m) => decodeEventMessage(m).eventId);
    expect(ids).toEqual([eventOf(1).eventId, eventOf(3).eventId]);
  });

  it('is fenced as soon as another producer of its id is open, not only once that one writes', async () => {
    const [topic, id] = [await kafka.topic(1), kafka.group()];
    const send = (producer: TransactionalProducer): Promise<void> =>
      producer.transact(async (transaction) => {
        await transaction.send({ topic, messages: [{ value: 'x' }] });
      });
    const first = await TransactionalProducer.open(kafka.client(), id);
    const second = await TransactionalProducer.open(kafka.client(), id);
    cleanups.push(
      () => first.close(),
      () => second.close(),
    );
    await expect(send(first)).rejects.toMatchObject({ code: 'KAFKA_FENCED' });
    await send(second);
    expect(await readCommitted(kafka.client(), topic)).toHaveLength(1);
  });

  it('is of the same log for all instances that are the first ones, at once', async () => {
    for (let round = 0; round < 3; round++) {
      const prefix = kafka.group();
      const logs = await Promise.all([0, 1, 2].map(() => openLog(kafka.brokers, prefix)));
      const another = await openLog(kafka.brokers, prefix);
      expect(new Set(logs.map(({ epoch }) => epoch))).toEqual(new Set([another.epoch]));
    }
  });

  it('of a source of one instance is not taken back from another that runs it too', async () => {
    const prefix = kafka.group();
    const [here, there] = [await openLog(kafka.brokers, prefix), await openLog(kafka.brokers, prefix)];
    await here.commit(stepOf([eventOf(1)]));
    await there.commit(stepOf([eventOf(2)]));
    await expect(here.commit(stepOf([eventOf(3)]))).rejects.toMatchObject({ code: 'LANE_LOST', class: 'user' });
    expect(await idsIn(there)).toEqual([eventOf(1).eventId, eventOf(2).eventId]);
  });

  it('is handed over without waiting once it was let go of', async () => {
    const [topic, group, prefix] = [await kafka.topic(2), kafka.group(), kafka.group()];
    const here = await openLog(kafka.brokers, prefix, { graceMs: 600_000 });
    const there = await openLog(kafka.brokers, prefix, { graceMs: 600_000 });
    const input = inputOf(topic, group, () => 0n);
    const first = await here.lanes(input, never);
    await first.commit(stepOf([eventOf(1)]));
    await vi.waitFor(async () => expect(await idsIn(there)).toHaveLength(1));
    const next = there.lanes(input, never);
    await first.commit(stepOf([eventOf(4)]));
    await first.release();
    const second = await next;
    await second.commit(stepOf([eventOf(2)]));
    expect(await idsIn(there)).toEqual([1, 4, 2].map((n) => eventOf(n).eventId));
    await expect(first.commit(stepOf([eventOf(3)]))).rejects.toMatchObject({ code: 'LANE_LOST' });
  });

  it('of two that open it at once one has it in the end, and what that one commits is there', async () => {
    const [topic, group, prefix] = [await kafka.topic(2), kafka.group(), kafka.group()];
    const logs = await Promise.all([1, 2, 3].map(() => openLog(kafka.brokers, prefix)));
    const input = inputOf(topic, group, () => 0n);
    const opened = await Promise.allSettled(logs.map((log) => log.lanes(input, never)));
    const lanes = opened.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
    expect(lanes.length).toBeGreaterThan(0);
    const outcomes = await Promise.allSettled(lanes.map((lane, i) => lane.commit(stepOf([eventOf(i)]))));
    const committed = outcomes.flatMap(({ status }, i) => (status === 'fulfilled' ? [eventOf(i).eventId] : []));
    expect(committed.length).toBeGreaterThan(0);
    const ids = (await readCommitted(kafka.client(), logs[0].topics.events)).map((m) => decodeEventMessage(m).eventId);
    expect(ids.sort()).toEqual(committed.sort());
    await vi.waitFor(() => expect(lanes.filter(({ lost }) => !lost.aborted)).toHaveLength(1));
  });

  it('keeps pictures of any size, and lets go of those that nothing names any more', async () => {
    const prefix = kafka.group();
    const log = await openLog(kafka.brokers, prefix);
    const [large, small] = [blobOf(randomBytes(2_500_000)), blobOf(randomBytes(10))];
    await log.commit(stepOf([], { blobs: [large, small] }));
    expect(Buffer.compare((await log.blobs.get(large.sha256))!.bytes, large.bytes)).toBe(0);
    await log.commit(stepOf([], { blobs: [small] }));
    expect(await log.blobs.has(large.sha256)).toBe(false);
    await log.prune(Date.now());
    const state = await readCommitted(kafka.client(), log.topics.state);
    const tombstones = state
      .filter(({ value }) => value === null)
      .map(({ key }) => JSON.parse(key!.toString()) as unknown);
    expect(tombstones).toEqual([0, 1, 2, 3, 4].map((piece) => ['blob', 'key/watch/yard', large.sha256, piece]));
  });

  it('an index that is lost is made anew, and a cursor of one instance is good at every other', async () => {
    const prefix = kafka.group();
    const log = await openLog(kafka.brokers, prefix);
    const picture = blobOf(randomBytes(600_000));
    for (let i = 0; i < 5; i++) {
      await log.commit(stepOf([eventOf(i)], { checkpoint: { states: { i }, positions: {} }, blobs: [picture] }));
    }
    const cursors: Uint8Array[] = [];
    for await (const entry of log.read({ untilEnd: true, signal: never })) cursors.push(entry.cursor);
    const other = await openLog(kafka.brokers, prefix);
    expect(other.epoch).toBe(log.epoch);
    expect(await idsIn(other)).toEqual(await idsIn(log));
    expect(Buffer.compare((await other.blobs.get(picture.sha256))!.bytes, picture.bytes)).toBe(0);
    const rest: string[] = [];
    for await (const entry of other.read({ cursor: cursors[2], untilEnd: true, signal: never })) {
      if (entry.type === 'event') rest.push(entry.event.eventId);
    }
    expect(rest).toEqual([3, 4].map((i) => eventOf(i).eventId));
    await log.close();
    expect((await other.checkpoint('watch/yard'))?.states).toEqual({ i: 4 });
  });

  it('goes on with its index after a restart', async () => {
    const prefix = kafka.group();
    const indexPath = await mkdtemp(join(tmpdir(), 'blinkstream-index-'));
    cleanups.push(() => rm(indexPath, { recursive: true, force: true }));
    const first = await openLog(kafka.brokers, prefix, { indexPath });
    await first.commit(stepOf([eventOf(1)]));
    await first.close();
    const second = await openLog(kafka.brokers, prefix, { indexPath });
    await second.commit(stepOf([eventOf(1), eventOf(2)]));
    expect(await idsIn(second)).toEqual([eventOf(1).eventId, eventOf(2).eventId]);
  });

  it('refuses topics that are no log, or do not fit', async () => {
    const prefix = kafka.group();
    await kafka.admin((admin) =>
      admin.createTopics({
        topics: [{ topic: `${prefix}.state`, numPartitions: 2, replicationFactor: 1 }],
        waitForLeaders: false,
      }),
    );
    await expect(openLog(kafka.brokers, prefix)).rejects.toMatchObject({ code: 'LOG_TOPIC_WRONG', class: 'user' });
  });
});

await describeOwnKafka('a lane whose broker', () => {
  it('fault 7: is killed and comes back writes every step once', async () => {
    const own = await startBroker();
    cleanups.push(() => own.close());
    const kafka = kafkaNames(own.brokers);
    const problems: BlinkstreamError[] = [];
    const log = await openLog(own.brokers, kafka.group(), { problem: (error) => void problems.push(error) });
    const all = Array.from({ length: 60 }, (_, i) => eventOf(i));
    let restarted: Promise<void> | undefined;
    for (const [i, event] of all.entries()) {
      if (i === 20) restarted = own.restart();
      await log.commit(stepOf([event], { checkpoint: { states: { i }, positions: {} } }));
    }
    await restarted;
    const wanted = all.map(({ eventId }) => eventId);
    expect(await idsIn(log)).toEqual(wanted);
    const seen = await readCommitted(kafka.client(), log.topics.events);
    expect(seen.map((message) => decodeEventMessage(message).eventId)).toEqual(wanted);
    expect((await log.checkpoint('watch/yard'))?.states).toEqual({ i: 59 });
  });
});
