import { once } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import { credentials, type ServiceError, status } from '@grpc/grpc-js';
import sharp from 'sharp';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { startEventServer, type EventServer } from '../../src/outputs/grpc/server.js';
import {
  FrameServiceClient,
  type PushedFrame,
  type PushRequest,
  type PushResponse,
} from '../../src/records/generated/blinkstream/v1/frame_service.js';
import { isTick, type Position, type SourceItem, type Tick } from '../../src/records/index.js';
import { ByteBudget } from '../../src/sources/budget.js';
import { PushHub } from '../../src/sources/push/hub.js';
import type { Refusal } from '../../src/sources/push/camera.js';
import { frameService } from '../../src/sources/push/service.js';
import type { Source } from '../../src/sources/index.js';
import { FakeLog } from '../support/fake-log.js';
import { barPicture } from '../support/live-pictures.js';

let hub: PushHub;
let server: EventServer;
let client: FrameServiceClient;
let refusals: Refusal[];
const cleanups: (() => unknown)[] = [];

const picture = await barPicture(0.5);
const T0 = Date.UTC(2026, 0, 1);
const timeOf = (sequence: number) => {
  const ms = T0 + sequence * 100;
  return { seconds: Math.floor(ms / 1_000), nanos: (ms % 1_000) * 1e6 };
};

beforeEach(async () => {
  refusals = [];
  hub = new PushHub({ maxPixels: 1_000_000, onRefused: (refusal) => refusals.push(refusal) });
  hub.declare(['yard', 'dock']);
  server = await startEventServer({
    log: new FakeLog(),
    address: '127.0.0.1:0',
    services: [frameService(hub, { stallTimeoutMs: 2_000 })],
    closeTimeoutMs: 500,
  });
  client = new FrameServiceClient(server.address, credentials.createInsecure());
});
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
  client.close();
  await server.close();
});

/** A client that speaks the protocol by hand. */
class Stream {
  readonly call = client.push();
  readonly told: string[] = [];
  readonly ended: Promise<ServiceError | { readonly code: status.OK }>;

  constructor() {
    this.ended = Promise.race([
      once(this.call, 'error').then(([error]) => error as ServiceError),
      once(this.call, 'end').then(() => ({ code: status.OK as const })),
    ]);
    this.call.on('data', (response: PushResponse) => this.told.push(words(response)));
    cleanups.push(() => this.call.cancel());
  }

  say(message: NonNullable<PushRequest['message']>): this {
    this.call.write({ message });
    return this;
  }

  open(source: string, who = 'a client'): this {
    return this.say({ $case: 'open', value: { source, client: who } });
  }

  frame(source: string, sequence: number, fields: Partial<PushedFrame> = {}): this {
    return this.say({
      $case: 'frame',
      value: { source, sequence, eventTime: timeOf(sequence), picture, ...fields },
    });
  }

  async hears(...expected: string[]): Promise<void> {
    await vi.waitFor(() => expect(this.told).toEqual(expected), { timeout: 10_000 });
  }
}

function words({ message }: PushResponse): string {
  switch (message?.$case) {
    case 'opened':
      return `${message.value.source} from ${message.value.nextSequence}`;
    case 'ack':
      return `${message.value.source} durable ${message.value.throughSequence}`;
    case 'refused':
      return `${message.value.source} ${message.value.sequence} refused: ${message.value.reason}`;
    case 'closed':
      return `${message.value.source} closed: ${message.value.reason}`;
    case undefined:
      return 'nothing';
  }
}

/** A pipeline that reads a camera. */
class Reader {
  readonly items: SourceItem[] = [];
  readonly budget: ByteBudget;
  readonly source: Source;
  readonly #stop = new AbortController();
  readonly #reading: Promise<void>;

  constructor(
    name: string,
    {
      from,
      stallMs = 0,
      budgetBytes = 1 << 20,
      holds = false,
    }: { from?: Position; stallMs?: number; budgetBytes?: number; holds?: boolean } = {},
  ) {
    this.budget = new ByteBudget(budgetBytes);
    this.source = hub.source(name, { stallMs });
    const reading = this.source.read({ budget: this.budget, signal: this.#stop.signal, ...(from && { from }) });
    this.#reading = (async () => {
      for await (const item of reading) {
        this.items.push(item);
        if (!isTick(item) && !holds) item.lease.release();
      }
    })().catch((error: unknown) => {
      if (!this.#stop.signal.aborted) throw error;
    });
    cleanups.push(() => this.stop());
  }

  get frames(): number[] {
    return this.items.flatMap((item) => (isTick(item) ? [] : [item.ref.index]));
  }

  get ticks(): Tick[] {
    return this.items.filter((item) => isTick(item));
  }

  async has(...frames: number[]): Promise<void> {
    await vi.waitFor(() => expect(this.frames).toEqual(frames), { timeout: 10_000 });
  }

  position(sequence: number): Position {
    const found = this.items.find((item) => !isTick(item) && item.ref.index === sequence);
    if (found === undefined || isTick(found)) throw new Error(`frame ${sequence} was not read`);
    return found.ref.position;
  }

  async stop(): Promise<void> {
    this.#stop.abort(new Error('stopped by the test'));
    await this.#reading;
  }
}

describe('pushing frames', () => {
  it('gives them as they are, and acknowledges what is durable', async () => {
    const yard = new Reader('yard');
    const stream = new Stream().open('yard').frame('yard', 1).frame('yard', 5);
    await yard.has(1, 5);
    const [first, second] = yard.items;
    if (isTick(first) || isTick(second)) throw new Error('no ticks were asked for');
    expect(second.ref).toMatchObject({ source: 'yard', eventTimeMs: T0 + 500, elapsedMs: 400, width: 96, height: 64 });
    await stream.hears('yard from 1');
    yard.source.committed?.(second.ref.position);
    await stream.hears('yard from 1', 'yard durable 4');
    yard.source.committed?.({ ...second.ref.position, after: true });
    await stream.hears('yard from 1', 'yard durable 4', 'yard durable 5');
    stream.call.end();
    expect(await stream.ended).toEqual({ code: status.OK });
  });

  it('holds the bytes of a picture as they came until its lease is released', async () => {
    const yard = new Reader('yard', { holds: true });
    new Stream().open('yard').frame('yard', 1);
    await yard.has(1);
    const [frame] = yard.items;
    if (isTick(frame)) throw new Error('no tick was asked for');
    expect(frame.lease.content()).toEqual({ form: 'encoded', encoded: { mediaType: 'image/jpeg', bytes: picture } });
    expect(yard.budget.inFlightBytes).toBe(picture.byteLength);
    frame.lease.release();
    expect(yard.budget.inFlightBytes).toBe(0);
  });

  it('ends the stream, once it is half-closed, only when everything is durable', async () => {
    const yard = new Reader('yard');
    const stream = new Stream().open('yard').frame('yard', 1);
    stream.call.end();
    await yard.has(1);
    let ended = false;
    void stream.ended.then(() => (ended = true));
    for (let turn = 0; turn < 50; turn++) await setImmediate();
    expect(ended).toBe(false);
    yard.source.committed?.({ ...yard.position(1), after: true });
    expect(await stream.ended).toEqual({ code: status.OK });
  });

  it('keeps cameras of one stream apart', async () => {
    const [yard, dock] = [new Reader('yard'), new Reader('dock')];
    const stream = new Stream().open('yard').open('dock').frame('dock', 7).frame('yard', 1).frame('dock', 8);
    await dock.has(7, 8);
    await yard.has(1);
    dock.source.committed?.({ ...dock.position(8), after: true });
    await stream.hears('yard from 1', 'dock from 1', 'dock durable 8');
  });
});

describe('poison frames', () => {
  const png = async (width: number, height: number) =>
    sharp({ create: { width, height, channels: 3, background: 'red' } })
      .png()
      .toBuffer();

  it('are refused with a reason and counted, and the stream goes on', async () => {
    const yard = new Reader('yard');
    const truncated = picture.subarray(0, picture.byteLength - 200);
    const webp = await sharp(picture).webp().toBuffer();
    const stream = new Stream()
      .frame('yard', 1)
      .open('yard')
      .frame('yard', 1, { picture: Buffer.from('hello') })
      .frame('yard', 2, { picture: webp })
      .frame('yard', 3, { picture: truncated })
      .frame('yard', 4, { picture: await png(1_001, 1_000) })
      .frame('yard', 5, { picture: Buffer.alloc(16 * 1024 * 1024 + 1) })
      .frame('yard', 6, { eventTime: undefined })
      .frame('yard', 7, { eventTime: { seconds: -1, nanos: 0 } })
      .frame('yard', 8, { picture: await png(20, 10) })
      .frame('yard', 8)
      .frame('yard', 0)
      .frame('yard', 9);
    await yard.has(8, 9);
    await stream.hears(
      'yard 1 refused: NOT_OPEN',
      'yard from 1',
      'yard 1 refused: MEDIA_TYPE',
      'yard 2 refused: MEDIA_TYPE',
      'yard 3 refused: DAMAGED',
      'yard 4 refused: TOO_MANY_PIXELS',
      'yard 5 refused: TOO_MANY_BYTES',
      'yard 6 refused: EVENT_TIME',
      'yard 7 refused: EVENT_TIME',
      'yard 8 refused: SEQUENCE',
      'yard 0 refused: SEQUENCE',
    );
    expect(refusals).toHaveLength(10);
    expect(Object.fromEntries(hub.refused.get('yard') ?? [])).toEqual({
      NOT_OPEN: 1,
      MEDIA_TYPE: 2,
      DAMAGED: 1,
      TOO_MANY_PIXELS: 1,
      TOO_MANY_BYTES: 1,
      EVENT_TIME: 2,
      SEQUENCE: 2,
    });
  });

  it('that come too late for their windows are refused when that is seen', async () => {
    const yard = new Reader('yard');
    const stream = new Stream().open('yard').frame('yard', 1);
    await yard.has(1);
    const [frame] = yard.items;
    if (isTick(frame)) throw new Error('no tick was asked for');
    yard.source.late?.(frame.ref);
    await stream.hears('yard from 1', 'yard 1 refused: LATE');
    stream.call.end();
    expect(await stream.ended, 'nothing is owed').toEqual({ code: status.OK });
  });
});

describe('a camera', () => {
  it('that the deployment does not have is told so, and the stream goes on', async () => {
    const yard = new Reader('yard');
    const stream = new Stream().open('yrad').open('yard').frame('yrad', 1).frame('yard', 1);
    await yard.has(1);
    await stream.hears('yrad closed: UNKNOWN', 'yard from 1', 'yrad 1 refused: NOT_OPEN');
    hub.declare(['dock']);
    await vi.waitFor(() => expect(stream.told.at(-1)).toBe('yard closed: UNKNOWN'));
  });

  it('is pushed by one client at a time; another connection of that client takes over', async () => {
    const yard = new Reader('yard');
    const first = new Stream().open('yard', 'gateway').frame('yard', 1);
    await yard.has(1);
    const other = new Stream().open('yard', 'somebody else');
    await other.hears('yard closed: ALREADY_PUSHED');
    const second = new Stream().open('yard', 'gateway').frame('yard', 1).frame('yard', 2);
    await first.hears('yard from 1', 'yard closed: TAKEN_OVER');
    await second.hears('yard from 2', 'yard 1 refused: SEQUENCE');
    await yard.has(1, 2);
    // What its first connection still sends is passed over, and that it ends changes nothing.
    first.frame('yard', 3).call.end();
    await first.ended;
    second.frame('yard', 4);
    await yard.has(1, 2, 4);
    second.call.cancel();
    await vi.waitFor(() => expect(hub.camera('yard')?.isPushed).toBe(false));
    await new Stream().open('yard', 'somebody else').hears('yard from 5');
  });

  it('is opened when a pipeline reads it, from the frame that it needs first', async () => {
    const stream = new Stream().open('yard');
    const before = new Reader('yard');
    await stream.hears('yard from 1');
    stream.frame('yard', 3).frame('yard', 4).frame('yard', 6);
    await before.has(3, 4, 6);
    await before.stop();
    await stream.hears('yard from 1', 'yard closed: INTERRUPTED');
    // On its way when it was closed, and when it is read again: passed over, not lost.
    const after = new Reader('yard', { from: before.position(4) });
    stream.frame('yard', 7).open('yard');
    await stream.hears('yard from 1', 'yard closed: INTERRUPTED', 'yard from 4', 'yard durable 3');
    stream.frame('yard', 4).frame('yard', 6).frame('yard', 7);
    await after.has(4, 6, 7);
    expect(after.position(4)).toEqual(before.position(4));
    expect(after.ticks).toEqual([]);
  });

  it('refuses to go on from the position of another kind of source', async () => {
    const source = hub.source('yard', { stallMs: 0 });
    const reading = source.read({
      from: { index: 3, offset: '100@50' },
      budget: new ByteBudget(1),
      signal: new AbortController().signal,
    });
    await expect(reading.next()).rejects.toMatchObject({ code: 'SOURCE_CHANGED' });
  });
});

describe('time', () => {
  it('that a client says has passed is a tick; none passes by waiting', async () => {
    const yard = new Reader('yard');
    new Stream()
      .open('yard')
      .frame('yard', 1)
      .say({ $case: 'idle', value: { source: 'yard', eventTime: timeOf(50) } })
      .say({ $case: 'idle', value: { source: 'yard', eventTime: timeOf(40) } })
      .frame('yard', 51);
    await yard.has(1, 51);
    expect(yard.ticks).toEqual([{ type: 'tick', source: 'yard', eventTimeMs: T0 + 5_000, elapsedMs: 4_900 }]);
  });

  it('without a frame for so long is a gap, which ends with the next one whatever its time', async () => {
    const yard = new Reader('yard', { stallMs: 300 });
    const stream = new Stream().open('yard').frame('yard', 1);
    await vi.waitFor(() => expect(yard.ticks).toHaveLength(1), { timeout: 10_000 });
    stream.frame('yard', 2);
    await yard.has(1, 2);
    const gap = { sinceMs: T0 + 100, reason: 'nothing was pushed for 0.3 s' };
    expect(yard.ticks.slice(0, 2)).toMatchObject([
      { eventTimeMs: T0 + 101, gap: { ...gap, over: false } },
      { eventTimeMs: T0 + 199, gap: { ...gap, over: true } },
    ]);
  });

  it('in which frames were lost that should have come again is a gap', async () => {
    const before = new Reader('yard');
    const stream = new Stream().open('yard').frame('yard', 1).frame('yard', 2);
    await before.has(1, 2);
    await before.stop();
    const after = new Reader('yard', { from: before.position(2) });
    stream.open('yard').frame('yard', 30);
    await after.has(30);
    const gap = { sinceMs: T0 + 200, reason: 'frames from 2 on were not sent again', over: true };
    expect(after.ticks).toMatchObject([{ eventTimeMs: T0 + 2_999, gap }]);
  });
});

describe('flow', () => {
  it('reads no more than its pipeline has room for, and two messages', async () => {
    const yard = new Reader('yard', { holds: true, budgetBytes: 2 * picture.byteLength });
    const stream = new Stream().open('yard');
    let written = 0;
    // Large beside what the connection buffers by itself.
    const large = await sharp({
      create: { width: 640, height: 480, channels: 3, background: 'grey', noise: { type: 'gaussian', sigma: 60 } },
    })
      .png()
      .toBuffer();
    for (let sequence = 1; sequence <= 40; sequence++) {
      stream.call.write(
        {
          message: { $case: 'frame', value: { source: 'yard', sequence, eventTime: timeOf(sequence), picture: large } },
        },
        () => (written += 1),
      );
    }
    await yard.has(1);
    let before = -1;
    await vi.waitFor(
      () => {
        const settled = written === before;
        before = written;
        expect(settled).toBe(true);
      },
      { timeout: 10_000, interval: 500 },
    );
    expect(written).toBeLessThan(8);
    const held = yard.items[0];
    if (!isTick(held)) held.lease.release();
    await yard.has(1, 2);
  });

  it('of one camera that waits does not hold up another stream', async () => {
    const yard = new Reader('yard', { holds: true, budgetBytes: 1 });
    const dock = new Reader('dock');
    const stalled = new Stream().open('yard');
    for (let sequence = 1; sequence <= 100; sequence++) stalled.frame('yard', sequence);
    await yard.has(1);
    const other = new Stream().open('dock');
    for (let sequence = 1; sequence <= 100; sequence++) other.frame('dock', sequence);
    await dock.has(...Array.from({ length: 100 }, (_, i) => i + 1));
    expect(yard.frames).toEqual([1]);
  });

  it('of a client that reads nothing stops, and ends it in the end', async () => {
    const yard = new Reader('yard');
    const stream = new Stream().open('yard');
    await stream.hears('yard from 1');
    stream.call.pause();
    const count = 20_000;
    for (let sequence = 1; sequence <= count; sequence++) {
      stream.frame('yard', sequence, { picture: Buffer.from('poison') });
    }
    await vi.waitFor(() => expect(hub.camera('yard')?.isPushed).toBe(false), { timeout: 20_000 });
    expect(refusals.length).toBeLessThan(count / 2);
    // Behind all of the poison, on a stream that is over.
    stream.open('yard').frame('yard', count + 1);
    expect(yard.frames).toEqual([]);
    stream.call.resume();
    expect(await stream.ended).toMatchObject({
      code: status.RESOURCE_EXHAUSTED,
      details: 'what the server answers is not read — read acks and refusals beside pushing',
    });
    const other = new Stream().open('yard', 'another client');
    // What was refused is known.
    await vi.waitFor(() => expect(other.told).toEqual([`yard from ${refusals.length + 1}`]));
  });

  it('of more streams than are served is refused, and there is room again when one ends', async () => {
    new Reader('yard');
    const streams = Array.from({ length: 64 }, () => new Stream().open('dock', 'a gateway'));
    await streams[63].hears();
    await vi.waitFor(() => expect(streams.filter(({ told }) => told.length > 0)).toHaveLength(63));
    expect(await new Stream().open('yard').ended).toMatchObject({ code: status.RESOURCE_EXHAUSTED });
    for (const stream of streams) stream.call.cancel();
    await vi.waitFor(() => expect(hub.camera('dock')?.isPushed).toBe(false));
    await new Stream().open('yard').hears('yard from 1');
  });

  it('ends with UNAVAILABLE when the server closes, and what is durable is told before', async () => {
    const yard = new Reader('yard');
    const stream = new Stream().open('yard').frame('yard', 1);
    await yard.has(1);
    await yard.stop();
    yard.source.committed?.({ ...yard.position(1), after: true });
    await stream.hears('yard from 1', 'yard closed: INTERRUPTED', 'yard durable 1');
    await server.close();
    expect(await stream.ended).toMatchObject({ code: status.UNAVAILABLE });
  });
});
