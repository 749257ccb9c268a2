import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { eventOf } from '../../fixtures/events.js';
import { deliver, type DeliveryOptions, type Outgoing } from '../../src/outputs/deliver.js';
import { KeptCursor } from '../../src/outputs/kept-cursor.js';
import { BlinkstreamError } from '../../src/records/index.js';
import { FakeLog } from '../support/fake-log.js';

let folder: string;
let log: FakeLog;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'blinkstream-deliver-'));
  log = new FakeLog();
});
afterEach(async () => {
  vi.useRealTimers();
  await rm(folder, { recursive: true });
});

const events = Array.from({ length: 10 }, (_, n) => eventOf(n));
const forever = () => new Promise<never>(() => undefined);

/** Something to send to, and what became of it. */
class Sink {
  readonly batches: string[][] = [];
  connections = 0;
  closed = 0;
  maxBatchEvents = 4;
  send: (ids: string[]) => Promise<void> = () => Promise.resolve();
  close: () => Promise<void> = () => Promise.resolve();
  connect: () => Promise<void> = () => Promise.resolve();

  deliver(more: Partial<DeliveryOptions> = {}) {
    return deliver(
      {
        name: 'the sink',
        format: 'json',
        maxBatchEvents: this.maxBatchEvents,
        connect: async () => {
          this.connections += 1;
          await this.connect();
          return {
            send: async (batch: readonly Outgoing[]) => {
              const ids = batch.map(({ event }) => event.eventId);
              this.batches.push(ids);
              await this.send(ids);
            },
            close: () => {
              this.closed += 1;
              return this.close();
            },
          };
        },
        errorOf: (thrown) =>
          thrown instanceof BlinkstreamError
            ? thrown
            : new BlinkstreamError(String(thrown), { code: 'SINK', class: 'external', stage: 'output' }),
      },
      { log, cursorFile: join(folder, 'cursor'), untilEnd: true, signal: new AbortController().signal, ...more },
    );
  }
}

describe('events to a destination', () => {
  it('go in batches, no larger than it takes and no more bytes than fit', async () => {
    const sink = new Sink();
    log.append(...events);
    expect(await sink.deliver()).toEqual({ events: 10 });
    expect(sink.batches.map((ids) => ids.length)).toEqual([4, 4, 2]);
    expect(sink.batches.flat()).toEqual(events.map(({ eventId }) => eventId));
    log.append(...[10, 11, 12].map((n) => eventOf(n, { statement: 'x'.repeat(200_000) })));
    await sink.deliver();
    expect(sink.batches.slice(3).map((ids) => ids.length)).toEqual([2, 1]);
    expect(sink.closed).toBe(2);
  });

  it('go again over another connection where one fails, from the last that was acknowledged', async () => {
    const sink = new Sink();
    log.append(...events);
    sink.send = (ids) =>
      ids[0] === events[4].eventId && sink.connections === 1 ? Promise.reject(new Error('broken')) : Promise.resolve();
    const problems: string[] = [];
    expect(await sink.deliver({ onProblem: ({ message }) => problems.push(message) })).toEqual({ events: 10 });
    expect(problems).toEqual(['Error: broken']);
    expect(sink.batches.map(([first]) => first)).toEqual([0, 4, 4, 8].map((n) => events[n].eventId));
    expect([sink.connections, sink.closed]).toEqual([2, 2]);
  });

  it('end with what somebody has to put right, and the cursor is where it was', async () => {
    const sink = new Sink();
    log.append(...events);
    await sink.deliver();
    const kept = await new KeptCursor(join(folder, 'cursor')).read();
    log.append(eventOf(10));
    const refusal = new BlinkstreamError('no', { code: 'NO', class: 'user', stage: 'output' });
    sink.send = () => Promise.reject(refusal);
    await expect(sink.deliver()).rejects.toBe(refusal);
    expect(await new KeptCursor(join(folder, 'cursor')).read()).toEqual(kept);
    expect(sink.closed).toBe(2);
  });
});

describe('a destination that hangs when the output is told to end', () => {
  it.each(['connect', 'send'] as const)(
    'in %s is left to itself after a while, and nothing counts as sent',
    async (step) => {
      const sink = new Sink();
      sink[step] = forever;
      sink.close = forever;
      log.append(...events);
      const abort = new AbortController();
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
      const running = sink.deliver({ signal: abort.signal });
      await vi.waitUntil(() => (step === 'connect' ? sink.connections : sink.batches.length) > 0);
      abort.abort();
      let isOver = false;
      void running.then(() => (isOver = true));
      while (!isOver)
        await vi.advanceTimersByTimeAsync(1_000).then(() => new Promise((resolve) => setImmediate(resolve)));
      expect(await running).toEqual({ events: 0 });
      vi.useRealTimers();
      const next = new Sink();
      expect(await next.deliver()).toEqual({ events: 10 });
    },
  );
});
