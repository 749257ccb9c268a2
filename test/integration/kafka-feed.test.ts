import { createHash } from 'node:crypto';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { memoryLog } from '../../src/log/memory.js';
import type { FrameRef } from '../../src/records/index.js';
import { kafkaClient } from '../../src/kafka/index.js';
import { broker, describeKafka, describeOwnKafka, kafkaNames, startBroker } from '../support/kafka/broker.js';
import { Feeding, type Work } from '../support/kafka/feeding.js';
import {
  expireBefore,
  firstMs,
  frameMessage,
  producing,
  smallJpeg,
  type FrameOptions,
} from '../support/kafka/frames.js';

const indices = (refs: readonly FrameRef[]): number[] => refs.map(({ index }) => index);
const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
/** Something that lasts until it is let go. */
class Hold {
  readonly until: Promise<void>;
  release: () => void = () => undefined;

  constructor() {
    this.until = new Promise((resolve) => (this.release = resolve));
  }
}

const waitFor = <T>(check: () => T | Promise<T>, timeout = 30_000): Promise<T> =>
  vi.waitFor(check, { timeout, interval: 20 });

await describeKafka('the feed of a topic', () => {
  const kafka = broker();
  const client = kafkaClient({ brokers: kafka.brokers });
  const feedings: Feeding[] = [];
  afterEach(async () => {
    await Promise.all(feedings.splice(0).map((feeding) => feeding.stop().catch(() => undefined)));
  });

  type Options = Partial<ConstructorParameters<typeof Feeding>[0]>;
  const feeding = (
    topic: string,
    group: string,
    options: Options = {},
    more: ConstructorParameters<typeof Feeding>[1] = {},
  ): Feeding => {
    const made = new Feeding({ client, topic, group, ...options }, more);
    feedings.push(made);
    return made;
  };
  const send = (topic: string, partition: number, camera: string, frames: readonly FrameOptions[]): Promise<unknown> =>
    producing(kafka.client(), async (producer) => {
      const messages = await Promise.all(frames.map((frame) => frameMessage(camera, frame)));
      await producer.send({ topic, messages: messages.map((message) => ({ ...message, partition })) });
    });
  const seconds = (count: number, fromS = 0): FrameOptions[] => upTo(count).map((i) => ({ atMs: (fromS + i) * 1_000 }));
  const committed = async (topic: string, group: string): Promise<number[]> => {
    const [found] = await kafka.admin((admin) => admin.fetchOffsets({ groupId: group, topics: [topic] }));
    return found.partitions.sort((a, b) => a.partition - b.partition).map(({ offset }) => Number(offset));
  };

  it('gives each camera its frames, in order, with their times, and commits what is done with', async () => {
    const topic = await kafka.topic(2);
    const group = kafka.group();
    await send(topic, 0, 'yard', seconds(5));
    await send(topic, 0, 'gate', seconds(3));
    await send(topic, 1, 'dock', seconds(4));
    const feed = feeding(topic, group);
    await waitFor(() => {
      expect(feed.framesOf('yard')).toHaveLength(5);
      expect(feed.framesOf('gate')).toHaveLength(3);
      expect(feed.framesOf('dock')).toHaveLength(4);
    });
    expect(indices(feed.framesOf('yard'))).toEqual(upTo(5));
    expect(feed.framesOf('gate').map(({ eventTimeMs, elapsedMs }) => [eventTimeMs, elapsedMs])).toEqual([
      [firstMs, 0],
      [firstMs + 1_000, 1_000],
      [firstMs + 2_000, 2_000],
    ]);
    expect(feed.framesOf('dock')[0]).toMatchObject({ source: 'dock', width: 32, height: 24 });
    await waitFor(async () => expect(await committed(topic, group)).toEqual([8, 4]));
    await send(topic, 1, 'dock', seconds(2, 4));
    await waitFor(() => expect(indices(feed.framesOf('dock'))).toEqual(upTo(6)));
    expect(feed.problems).toEqual([]);
  });

  it('goes on behind what was committed, with the numbers that frames would have had', async () => {
    const topic = await kafka.topic();
    const group = kafka.group();
    const log = memoryLog({ partitions: 1 });
    await send(topic, 0, 'yard', seconds(5));
    const first = feeding(topic, group, {}, { log });
    await waitFor(() => expect(first.framesOf('yard')).toHaveLength(5));
    await first.stop();
    await send(topic, 0, 'yard', seconds(3, 5));
    const second = feeding(topic, group, {}, { log });
    await waitFor(() => expect(indices(second.framesOf('yard'))).toEqual([5, 6, 7]));
    expect(second.framesOf('yard')[2].elapsedMs).toBe(7_000);
  });

  it('fault 12: sets poison messages aside, each once, with their coordinates, and goes on', async () => {
    const topic = await kafka.topic();
    const group = kafka.group();
    const log = memoryLog({ partitions: 1 });
    const cutOff = (await smallJpeg()).subarray(0, -20);
    const poison: [string | null, FrameOptions, string][] = [
      ['yard', { value: Buffer.from('no picture') }, 'PICTURE_FORMAT'],
      ['yard', { value: cutOff }, 'PICTURE_DAMAGED'],
      ['yard', { headers: { ce_time: 'yesterday' } }, 'FRAME_TIME'],
      ['yard', { headers: { ce_sha256: 'ab'.repeat(32) } }, 'FRAME_HASH'],
      ['yard', { headers: { 'content-type': 'image/gif' } }, 'FRAME_TYPE'],
      ['yard', { value: null }, 'FRAME_EMPTY'],
      [' ', {}, 'FRAME_KEY'],
      ['yard', { value: null, headers: { ce_dataref: `sha256:${'0'.repeat(64)}` } }, 'CLAIM_MISSING'],
    ];
    await send(topic, 0, 'yard', seconds(1));
    for (const [camera, frame] of poison) await send(topic, 0, camera ?? '', [frame]);
    await send(topic, 0, 'yard', seconds(1, 1));
    const feed = feeding(topic, group, {}, { log });
    await waitFor(() => expect(feed.framesOf('yard')).toHaveLength(2));
    await waitFor(async () => expect(await committed(topic, group)).toEqual([10]));
    expect(feed.letters.map(({ where, code }) => [where, code])).toEqual(
      poison.map(([, , code], i) => [`${topic}/0/${i + 1}`, code]),
    );
    expect(indices(feed.framesOf('yard'))).toEqual([0, 1]);
    await feed.stop();
    // From the beginning, as after a crash before any offset was committed.
    await kafka.admin((admin) => admin.resetOffsets({ groupId: group, topic, earliest: true }));
    await send(topic, 0, 'yard', seconds(1, 2));
    const again = feeding(topic, group, {}, { log });
    await waitFor(() => expect(indices(again.framesOf('yard'))).toEqual([2]));
    expect(again.letters).toEqual([]);
  });

  describe('partitions that change hands', () => {
    it('fault 3: every frame is done once, whoever joins and leaves', async () => {
      const topic = await kafka.topic(4);
      const group = kafka.group();
      const log = memoryLog({ partitions: 1 });
      const frames = 120;
      const work: Work = () => new Promise((resolve) => setTimeout(resolve, 15));
      const cameras = upTo(4).map((p) => `camera-${p}`);
      const sending = (async () => {
        for (let i = 0; i < frames; i += 20) {
          for (const [p, camera] of cameras.entries()) await send(topic, p, camera, seconds(20, i));
        }
      })();
      const members = [feeding(topic, group, {}, { log, work })];
      await waitFor(() => expect(members[0].framesOf('camera-0').length).toBeGreaterThan(5));
      members.push(feeding(topic, group, {}, { log, work }), feeding(topic, group, {}, { log, work }));
      await waitFor(() => expect(members[1].committed.size + members[2].committed.size).toBeGreaterThan(1));
      await members[0].stop();
      members.push(feeding(topic, group, {}, { log, work }));
      await sending;
      const doneOf = (camera: string) =>
        members.flatMap((member) => indices(member.framesOf(camera))).sort((a, b) => a - b);
      await waitFor(() => {
        for (const camera of cameras) expect(doneOf(camera).at(-1), camera).toBe(frames - 1);
      });
      for (const camera of cameras) expect(doneOf(camera), camera).toEqual(upTo(frames));
      await waitFor(async () => expect(await committed(topic, group)).toEqual([frames, frames, frames, frames]));
    });

    it('fault 4: what outlives the time to hand over commits nothing any more', async () => {
      const topic = await kafka.topic(1);
      const group = kafka.group();
      const log = memoryLog({ partitions: 1 });
      await send(topic, 0, 'yard', seconds(4));
      const held = new Hold();
      const slow = feeding(
        topic,
        group,
        { handOverMs: 300 },
        { log, work: ({ index }) => (index === 2 ? held.until : undefined) },
      );
      await waitFor(() => expect(slow.framesOf('yard')).toHaveLength(2));
      // Leaves while the third is under way, and hands over without it.
      const stopped = slow.stop();
      const next = feeding(topic, group, {}, { log });
      await waitFor(() => expect(indices(next.framesOf('yard'))).toEqual([2, 3]));
      held.release();
      await stopped;
      expect(slow.refused).toBe(1);
      expect(indices(slow.framesOf('yard'))).toEqual([0, 1]);
      await waitFor(async () => expect(await committed(topic, group)).toEqual([4]));
    });

    it('fault 6: what was paused, went to another member and came back is fetched again', async () => {
      const topic = await kafka.topic(2);
      const group = kafka.group();
      const log = memoryLog({ partitions: 1 });
      const held = new Hold();
      // One message that waits is enough to pause its partition.
      const options = { limits: { partitionBytes: 1 }, handOverMs: 300 };
      const work: Work = ({ source, index }) => (source === 'dock' && index === 0 ? held.until : undefined);
      const first = feeding(topic, group, options, { log, work });
      await send(topic, 0, 'yard', seconds(2));
      await send(topic, 1, 'dock', seconds(3));
      const waitingAt = async (partition: number) =>
        (await first.feed.progress()).find((one) => one.partition === partition)?.waitingBytes ?? 0;
      await waitFor(async () => expect(await waitingAt(1)).toBeGreaterThan(0));
      const second = feeding(topic, group, options, { log });
      await waitFor(() => expect(second.assigned.at(-1)).toEqual([1]));
      await waitFor(() => expect(indices(second.framesOf('dock'))).toEqual(upTo(3)));
      await second.stop();
      await waitFor(() => expect(first.assigned.at(-1)).toEqual([0, 1]));
      await send(topic, 1, 'dock', seconds(3, 3));
      await send(topic, 0, 'yard', seconds(2, 2));
      await waitFor(() => expect(indices(first.framesOf('dock'))).toEqual([3, 4, 5]));
      await waitFor(() => expect(indices(first.framesOf('yard'))).toEqual(upTo(4)));
      held.release();
      await waitFor(() => expect(first.refused).toBe(1));
      await waitFor(async () => expect(await committed(topic, group)).toEqual([4, 6]));
    });
  });

  it('fault 5: a camera that stalls holds up its own partition at worst, and that only when so much of it waits', async () => {
    const topic = await kafka.topic(2);
    const held = new Hold();
    const feed = feeding(
      topic,
      kafka.group(),
      { limits: { partitionBytes: 20_000 } },
      { work: ({ source }) => (source === 'stalled' ? held.until : undefined) },
    );
    const padding = Buffer.alloc(5_000);
    const jpeg = (await frameMessage('x')).value as Buffer;
    const large = (count: number, fromS = 0): FrameOptions[] =>
      seconds(count, fromS).map((frame) => ({ ...frame, value: Buffer.concat([jpeg, padding]) }));
    await send(topic, 0, 'beside', seconds(2));
    await send(topic, 0, 'stalled', large(2));
    await send(topic, 0, 'beside', seconds(2, 2));
    await waitFor(() => expect(feed.framesOf('beside')).toHaveLength(4));
    await send(topic, 0, 'stalled', large(20, 2));
    await send(topic, 0, 'beside', seconds(2, 4));
    await send(topic, 1, 'elsewhere', large(20));
    await waitFor(() => expect(feed.framesOf('elsewhere')).toHaveLength(20));
    const waiting = await feed.feed.progress();
    for (const { waitingBytes } of waiting) expect(waitingBytes).toBeLessThan(20_000 + 4 * 2 ** 20);
    expect(feed.framesOf('stalled')).toHaveLength(0);
    held.release();
    await waitFor(() => expect(indices(feed.framesOf('stalled'))).toEqual(upTo(22)));
    await waitFor(() => expect(indices(feed.framesOf('beside'))).toEqual(upTo(6)));
  });

  it('tells that time passes where nothing comes, and a gap where messages had expired', async () => {
    const topic = await kafka.topic();
    const group = kafka.group();
    const log = memoryLog({ partitions: 1 });
    await send(topic, 0, 'yard', seconds(3));
    const first = feeding(topic, group, {}, { log });
    await waitFor(() => expect(first.framesOf('yard')).toHaveLength(3));
    await first.stop();
    await send(topic, 0, 'yard', seconds(4, 3));
    await kafka.admin((admin) => expireBefore(admin, topic, 0, 5));
    const second = feeding(topic, group, {}, { log });
    await waitFor(() => expect(second.framesOf('yard').map(({ elapsedMs }) => elapsedMs)).toEqual([5_000, 6_000]));
    const gaps = (second.ticks.get('yard') ?? []).flatMap(({ gap }) => (gap ? [gap] : []));
    expect(gaps).toEqual([
      {
        sinceMs: firstMs + 2_000,
        over: false,
        reason: `messages 3 to 4 of ${topic}/0 had expired before they were read`,
      },
    ]);
    expect(second.expired).toEqual(['0: 3 to 5']);
  });

  it('fault 8: refuses to go on over messages that expired where it is told to', async () => {
    const topic = await kafka.topic();
    const group = kafka.group();
    const log = memoryLog({ partitions: 1 });
    await send(topic, 0, 'yard', seconds(3));
    const first = feeding(topic, group, {}, { log });
    await waitFor(() => expect(first.framesOf('yard')).toHaveLength(3));
    await first.stop();
    await send(topic, 0, 'yard', seconds(4, 3));
    await kafka.admin((admin) => expireBefore(admin, topic, 0, 5));
    const second = feeding(topic, group, { expired: 'refuse' }, { log });
    await expect(second.ended).rejects.toMatchObject({ code: 'SOURCE_EXPIRED', class: 'user' });
  });

  it('fault 8: tells a gap too where the messages expired while it was reading', async () => {
    const topic = await kafka.topic();
    const held = new Hold();
    const feed = feeding(topic, kafka.group(), { limits: { partitionBytes: 1 } }, { work: () => held.until });
    await send(topic, 0, 'yard', seconds(1));
    await waitFor(async () =>
      expect((await feed.feed.progress()).map(({ waitingBytes }) => waitingBytes)).toEqual([0]),
    );
    await send(topic, 0, 'yard', seconds(1, 1));
    await waitFor(async () => expect((await feed.feed.progress())[0].waitingBytes).toBeGreaterThan(0));
    await send(topic, 0, 'yard', seconds(4, 2));
    await kafka.admin((admin) => expireBefore(admin, topic, 0, 4));
    held.release();
    await waitFor(() =>
      expect(feed.framesOf('yard').map(({ elapsedMs }) => elapsedMs)).toEqual([0, 1_000, 4_000, 5_000]),
    );
    expect(feed.expired).toEqual(['0: 2 to 4']);
  });

  it.each(['gzip', 'snappy', 'lz4', 'zstd'])('fault 9: reads what is packed by %s', async (codec) => {
    // The broker packs it anew, as the producers of others would.
    const topic = await kafka.topic(1, { 'compression.type': codec });
    await send(topic, 0, 'yard', seconds(20));
    const feed = feeding(topic, kafka.group());
    await waitFor(() => expect(indices(feed.framesOf('yard'))).toEqual(upTo(20)));
    expect(feed.problems).toEqual([]);
  });

  it('fault 11: sets a message aside whose picture is not in the blob store, and reads one whose picture is', async () => {
    const topic = await kafka.topic();
    const bytes = await smallJpeg();
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const claim = (sha: string): FrameOptions => ({ value: null, headers: { ce_dataref: `sha256:${sha}` } });
    const blobs = { get: (asked: string) => Promise.resolve(asked === sha256 ? { bytes } : undefined) };
    await send(topic, 0, 'yard', [claim('0'.repeat(64)), claim(sha256)]);
    const feed = feeding(topic, kafka.group(), { blobs });
    await waitFor(() => expect(feed.framesOf('yard')).toHaveLength(1));
    expect(feed.letters.map(({ where, code }) => [where, code])).toEqual([[`${topic}/0/0`, 'CLAIM_MISSING']]);
  });

  it('ends with words where the topic is not there', async () => {
    const feed = feeding('no-such-topic', kafka.group());
    await expect(feed.ended).rejects.toMatchObject({
      code: 'KAFKA_TOPIC_UNKNOWN',
      class: 'user',
      message: 'there is no topic no-such-topic',
    });
  });

  it('a pipeline that breaks is offered anew, and reads again what it has not committed; the others read nothing twice', async () => {
    const topic = await kafka.topic();
    let failures = 2;
    const seen: string[] = [];
    const feed = feeding(
      topic,
      kafka.group(),
      {},
      {
        work: ({ source, index }) => {
          seen.push(`${source} ${index}`);
          if (source === 'yard' && index === 1 && failures-- > 0) throw new Error('broken for now');
        },
      },
    );
    await send(topic, 0, 'yard', seconds(2));
    await send(topic, 0, 'gate', seconds(2));
    await send(topic, 0, 'yard', seconds(2, 2));
    await waitFor(() => expect(indices(feed.framesOf('yard'))).toEqual(upTo(4)));
    expect(indices(feed.framesOf('gate'))).toEqual(upTo(2));
    expect(seen.filter((one) => one.startsWith('gate'))).toEqual(['gate 0', 'gate 1']);
    expect(seen.filter((one) => one === 'yard 0')).toHaveLength(1);
    expect(feed.problems).toEqual(['broken for now', 'broken for now']);
  });
});

await describeOwnKafka('the feed of a topic whose broker', () => {
  it('fault 7: is killed and comes back goes on, and gives every frame once', async () => {
    const own = await startBroker();
    const kafka = kafkaNames(own.brokers);
    const topic = await kafka.topic();
    const send = (from: number): Promise<unknown> =>
      producing(kafka.client(), async (producer) => {
        const frames = upTo(5).map((i) => frameMessage('yard', { atMs: (from + i) * 1_000 }));
        await producer.send({ topic, acks: -1, messages: await Promise.all(frames) });
      });
    const group = kafka.group();
    const feed = new Feeding({ client: kafkaClient({ brokers: own.brokers }), topic, group });
    try {
      await send(0);
      await waitFor(() => expect(feed.framesOf('yard')).toHaveLength(5));
      await own.kill9();
      await waitFor(() => expect(feed.problems).not.toEqual([]), 60_000);
      await own.start();
      await send(5);
      await waitFor(() => expect(indices(feed.framesOf('yard'))).toEqual(upTo(10)), 60_000);
      await waitFor(async () => {
        const [found] = await kafka.admin((admin) => admin.fetchOffsets({ groupId: group, topics: [topic] }));
        expect(found.partitions).toMatchObject([{ offset: '10' }]);
      });
    } finally {
      await feed.stop();
      await own.close();
    }
  }, 180_000);
});
