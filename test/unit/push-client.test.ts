import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { startEventServer, type EventServer } from '../../src/outputs/grpc/server.js';
import { isTick, type FrameRef, type Position } from '../../src/records/index.js';
import { ByteBudget } from '../../src/sources/budget.js';
import { PushHub } from '../../src/sources/push/hub.js';
import { frameService } from '../../src/sources/push/service.js';
import { pushFrames, type PushFramesOptions } from '../../src/sources/push/client.js';
import type { FrameToPush } from '../../src/sources/push/push-buffer.js';
import type { Source } from '../../src/sources/index.js';
import { FakeLog } from '../support/fake-log.js';
import { cuttingProxy } from '../support/cutting-proxy.js';
import { barPicture } from '../support/live-pictures.js';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

const picture = await barPicture(0.5);
const T0 = Date.UTC(2026, 0, 1);
const frame = (n: number, sequence?: number): FrameToPush => ({
  eventTimeMs: T0 + n * 100,
  picture,
  ...(sequence !== undefined && { sequence }),
});

/** A server with a pipeline that reads `yard`, makes durable what it is told to, and can crash. */
class Yard {
  readonly frames: FrameRef[] = [];
  readonly ticks: number[] = [];
  readonly hub = new PushHub();
  server!: EventServer;
  #source!: Source;
  #stop!: AbortController;
  #durable: Position | undefined;

  static async start(listen = '127.0.0.1:0', before?: Yard): Promise<Yard> {
    const yard = new Yard();
    if (before !== undefined) yard.#durable = before.#durable;
    yard.hub.declare(['yard']);
    yard.server = await startEventServer({
      log: new FakeLog(),
      address: listen,
      services: [frameService(yard.hub)],
      closeTimeoutMs: 100,
    });
    yard.read();
    cleanups.push(() => yard.crash());
    return yard;
  }

  read(): void {
    const stop = new AbortController();
    this.#stop = stop;
    this.#source = this.hub.source('yard', { stallMs: 0 });
    const from = this.#durable;
    const reading = this.#source.read({
      budget: new ByteBudget(1 << 20),
      signal: stop.signal,
      ...(from && { from }),
    });
    void (async () => {
      for await (const item of reading) {
        if (isTick(item)) {
          this.ticks.push(item.eventTimeMs);
          continue;
        }
        this.frames.push(item.ref);
        item.lease.release();
      }
    })().catch((error: unknown) => {
      if (!stop.signal.aborted) throw error;
    });
  }

  get sequences(): number[] {
    return this.frames.map(({ index }) => index);
  }

  async has(count: number): Promise<void> {
    await vi.waitFor(() => expect(this.frames.length).toBeGreaterThanOrEqual(count), { timeout: 20_000 });
  }

  /** What follows that frame is needed still. */
  commit(sequence: number): void {
    const { position } = this.frames.find(({ index }) => index === sequence)!;
    this.#durable = { ...position, after: true };
    this.#source.committed?.(this.#durable);
  }

  stopReading(): void {
    this.#stop.abort(new Error('stopped by the test'));
  }

  async crash(): Promise<void> {
    this.stopReading();
    await this.server.close();
  }
}

const pushing = (address: string, frames: PushFramesOptions['frames'], more: Partial<PushFramesOptions> = {}) => {
  const stop = new AbortController();
  const acks: number[] = [];
  const refused: string[] = [];
  const done = pushFrames({
    address,
    source: 'yard',
    frames,
    signal: stop.signal,
    onAck: (sequence) => acks.push(sequence),
    onRefused: ({ sequence, reason }) => refused.push(`${sequence} ${reason}`),
    ...more,
  });
  done.catch(() => undefined);
  cleanups.push(() => stop.abort(new Error('the test is over')));
  return { done, acks, refused, stop };
};

function* series(from: number, to: number, numbered = false) {
  for (let n = from; n <= to; n++) yield frame(n, numbered ? n * 10 : undefined);
}

const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i + 1);

describe('pushFrames', () => {
  it('numbers frames, and is done when all of them are durable', async () => {
    const yard = await Yard.start();
    const { done, acks } = pushing(yard.server.address, series(1, 20));
    await yard.has(20);
    expect(yard.sequences).toEqual(upTo(20));
    let isDone = false;
    void done.then(() => (isDone = true));
    yard.commit(12);
    await vi.waitFor(() => expect(acks).toEqual([12]));
    expect(isDone).toBe(false);
    yard.commit(20);
    await done;
    expect(acks).toEqual([12, 20]);
    // Another client, or this one after a restart, goes on counting.
    const again = pushing(yard.server.address, series(21, 22));
    await yard.has(22);
    yard.commit(22);
    await again.done;
    expect(yard.sequences).toEqual(upTo(22));
  });

  it('sends again after the server has crashed what was not durable, each frame once', async () => {
    const first = await Yard.start();
    const retried: string[] = [];
    const { done } = pushing(first.server.address, series(1, 40, true), {
      onRetry: ({ reason }) => retried.push(reason),
    });
    await first.has(30);
    first.commit(170);
    await first.crash();
    await vi.waitFor(() => expect(retried.length).toBeGreaterThan(0), { timeout: 10_000 });
    const second = await Yard.start(first.server.address, first);
    await second.has(23);
    expect(second.sequences).toEqual(
      upTo(40)
        .slice(17)
        .map((n) => n * 10),
    );
    expect(second.frames[0]).toEqual(first.frames.find(({ index }) => index === 180));
    second.commit(400);
    await done;
  });

  it('says again that time has passed, as long as frames before are not durable', async () => {
    const first = await Yard.start();
    const { done } = pushing(
      first.server.address,
      (function* () {
        yield frame(1, 1);
        yield { idleUntilMs: T0 + 200 };
        yield frame(3, 3);
        yield { idleUntilMs: T0 + 60_000 };
      })(),
    );
    await vi.waitFor(() => expect(first.ticks).toEqual([T0 + 200, T0 + 60_000]), { timeout: 10_000 });
    first.commit(1);
    await first.crash();
    const second = await Yard.start(first.server.address, first);
    await vi.waitFor(() => expect(second.ticks).toEqual([T0 + 60_000]), { timeout: 10_000 });
    expect(second.sequences).toEqual([3]);
    second.commit(3);
    await done;
  });

  it('hands nothing over twice while its connection is cut again and again', async () => {
    const yard = await Yard.start();
    const proxy = await cuttingProxy(yard.server.address);
    cleanups.push(() => proxy.close());
    const slowly = async function* () {
      for (const n of upTo(60)) {
        yield frame(n);
        if (n % 15 === 0) proxy.cut();
        await sleep(5);
      }
    };
    const { done, refused } = pushing(proxy.address, slowly());
    await yard.has(60);
    expect(yard.sequences).toEqual(upTo(60));
    yard.commit(60);
    await done;
    expect(refused).toEqual([]);
  });

  it('goes back to where the pipeline goes on when that begins anew, on the same stream', async () => {
    const yard = await Yard.start();
    const { done } = pushing(yard.server.address, series(1, 20));
    await yard.has(20);
    yard.commit(8);
    yard.stopReading();
    await setImmediate();
    yard.read();
    await yard.has(32);
    expect(yard.sequences).toEqual([...upTo(20), ...upTo(20).slice(8)]);
    yard.commit(20);
    await done;
  });

  it('keeps no more than its buffer, and waits', async () => {
    const yard = await Yard.start();
    let given = 0;
    const counted = function* () {
      for (const n of upTo(50)) {
        given = n;
        yield frame(n);
      }
    };
    const { done } = pushing(yard.server.address, counted(), { bufferBytes: 10 * picture.byteLength });
    await yard.has(10);
    for (let turn = 0; turn < 50; turn++) await setImmediate();
    expect(given).toBe(11);
    for (const n of upTo(50)) {
      await yard.has(n);
      yard.commit(n);
    }
    await done;
  });

  it('says what was refused, also what is too large to be sent, and goes on', async () => {
    const yard = await Yard.start();
    const poisoned = function* () {
      yield frame(1);
      yield { ...frame(2), picture: Buffer.from('no picture') };
      yield { ...frame(3), picture: Buffer.alloc(16 * 1024 * 1024 + 1) };
      yield frame(4);
    };
    const { done, refused } = pushing(yard.server.address, poisoned());
    await yard.has(2);
    yard.commit(4);
    await done;
    expect(refused.sort()).toEqual(['2 MEDIA_TYPE', '3 TOO_MANY_BYTES']);
    expect(yard.sequences).toEqual([1, 4]);
  });

  it('gives up where another attempt would not help', async () => {
    const yard = await Yard.start();
    const busy = async function* (signal: AbortSignal) {
      yield frame(1);
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    };
    const stop = new AbortController();
    cleanups.push(() => stop.abort());
    pushing(yard.server.address, busy(stop.signal), { client: 'gateway' });
    await yard.has(1);
    await expect(pushing(yard.server.address, series(1, 2)).done).rejects.toMatchObject({ code: 'CAMERA_PUSHED' });
    await expect(pushing(yard.server.address, series(1, 2), { source: 'yrad' }).done).rejects.toMatchObject({
      code: 'CAMERA_UNKNOWN',
      hint: expect.stringContaining('kind: push') as string,
    });
    const descending = function* () {
      yield frame(1, 5);
      yield frame(2, 5);
    };
    await expect(pushing(yard.server.address, descending(), { client: 'gateway' }).done).rejects.toMatchObject({
      code: 'PUSH_SEQUENCE',
    });
  });

  it('throws what its frames throw, and ends by its signal', async () => {
    const yard = await Yard.start();
    const broken = async function* () {
      yield frame(1);
      await setImmediate();
      throw new Error('the camera is gone');
    };
    await expect(pushing(yard.server.address, broken()).done).rejects.toThrow('the camera is gone');
    const { done, stop } = pushing(yard.server.address, series(1, 5));
    stop.abort(new Error('that is enough'));
    await expect(done).rejects.toThrow('that is enough');
  });
});
