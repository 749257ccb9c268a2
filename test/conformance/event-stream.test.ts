import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ChangeLog, EventFilter } from '../../src/log/index.js';
import { openLmdbLog } from '../../src/log/lmdb.js';
import { subscribeEvents, type Subscribed, type SubscribeOptions } from '../../src/outputs/grpc/client.js';
import { startEventServer, type EventServer } from '../../src/outputs/grpc/server.js';
import type { ChangeEvent } from '../../src/records/index.js';
import { eventOf } from '../../fixtures/events.js';
import { cuttingProxy, type CuttingProxy } from '../support/cutting-proxy.js';

// The promises of a watch, as etcd's robustness tests hold them against etcd.

let folder: string;
let log: ChangeLog;
let server: EventServer;
const running = new AbortController();

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'blinkstream-stream-'));
  log = await openLmdbLog({ path: join(folder, 'log') });
  server = await startEventServer({ log, address: '127.0.0.1:0' });
});
afterEach(async () => {
  await server.close();
  await log.close();
  await rm(folder, { recursive: true });
});

/** One commit. */
const append = (...events: ChangeEvent[]) =>
  log.commit({ key: 'watch', events, contradicted: [], checkpoint: { states: {}, positions: {} }, blobs: [] });

/** Events of two sources and two kinds, `revisions` of each change. */
const history = (changes: number, revisions = 2): ChangeEvent[] =>
  Array.from({ length: changes * revisions }, (_, n) => {
    const change = n % changes;
    const revision = 1 + Math.floor(n / changes);
    return eventOf(change, {
      eventId: `change-${change}.${revision}`,
      revision,
      source: change % 2 ? 'gate' : 'yard',
      ...(change % 3 === 0 && { kind: 'CONDITION' as const, condition: 'LIGHTING' as const }),
      phase: revision === 1 ? 'STARTED' : 'UPDATED',
    });
  });

const subscribe = (options: Partial<SubscribeOptions> = {}) =>
  subscribeEvents({ address: server.address, signal: running.signal, ...options });

async function eventsOf(stream: AsyncIterable<Subscribed>, atMost = Infinity): Promise<ChangeEvent[]> {
  const events: ChangeEvent[] = [];
  for await (const item of stream) {
    if ('event' in item) events.push(item.event);
    if (events.length >= atMost) break;
  }
  return events;
}

const ids = (events: readonly ChangeEvent[]): string[] => events.map((event) => event.eventId);

describe('an event stream is', () => {
  it('Ordered, Unique and Reliable: every event once, in the log’s order, with all that it holds', async () => {
    const events = history(40);
    await append(...events);
    expect(await eventsOf(subscribe({ untilEnd: true }))).toEqual(events);
  });

  it('Ordered and Reliable live: what is committed while it runs follows what was there', async () => {
    const events = history(30);
    await append(...events.slice(0, 20));
    const stream = subscribe();
    const seen: ChangeEvent[] = [];
    let next = 20;
    for await (const item of stream) {
      if ('event' in item) seen.push(item.event);
      else if (next < events.length) await append(events[next++]);
      if (seen.length === events.length) break;
    }
    expect(ids(seen)).toEqual(ids(events));
  });

  it('Atomic: events of one step come together, with no word of being caught up between them', async () => {
    const stream = subscribe();
    const steps = [history(3, 1), history(4, 2).slice(4)];
    const told: string[][] = [[]];
    for await (const item of stream) {
      if ('event' in item) told.at(-1)?.push(item.event.eventId);
      else {
        const step = steps.shift();
        if (!step) break;
        told.push([]);
        await append(...step);
      }
    }
    expect(told).toEqual([[], ids(history(3, 1)), ids(history(4, 2).slice(4))]);
  });

  it('Resumable (fault 19): cut at any event, it goes on with the next one', async () => {
    const events = history(6);
    await append(...events);
    for (let cut = 0; cut <= events.length; cut++) {
      const before: ChangeEvent[] = [];
      let cursor = Buffer.from(await log.earliest());
      for await (const item of subscribe()) {
        if (before.length >= cut) break;
        cursor = Buffer.from(item.cursor);
        if ('event' in item) before.push(item.event);
      }
      const after = await eventsOf(subscribe({ cursor, untilEnd: true }));
      expect([...ids(before), ...ids(after)]).toEqual(ids(events));
    }
  });

  it('Bookmarkable: the cursor of a progress message goes on too, and none is repeated', async () => {
    await append(...history(4));
    let bookmark: Uint8Array | undefined;
    for await (const item of subscribe()) {
      if (!('progress' in item)) continue;
      expect(item.progress).toEqual({ caughtUp: true });
      bookmark = item.cursor;
      break;
    }
    const later = eventOf(99);
    await append(later);
    expect(await eventsOf(subscribe({ ...(bookmark && { cursor: bookmark }), untilEnd: true }))).toEqual([later]);
  });

  it('Filtered: exactly what passes, and no other reader’s cursor', async () => {
    const events = history(24);
    await append(...events);
    const list = <T>(...values: T[]) => fc.subarray(values);
    await fc.assert(
      fc.asyncProperty(
        list('yard', 'gate', 'roof'),
        list<ChangeEvent['kind']>('CONDITION', 'DISAPPEARED', 'MOVED'),
        list('watch', 'diff'),
        async (sources, kinds, topologies) => {
          const filter: EventFilter = { sources, kinds, topologies };
          const wanted = events.filter(
            (event) =>
              (sources.length === 0 || sources.includes(event.source)) &&
              (kinds.length === 0 || kinds.includes(event.kind)) &&
              (topologies.length === 0 || topologies.includes(event.topology)),
          );
          expect(ids(await eventsOf(subscribe({ filter, untilEnd: true })))).toEqual(ids(wanted));
        },
      ),
      { numRuns: 30 },
    );
  });

  it('new only, where asked: nothing of before, and nothing lost between the request and the first event', async () => {
    await append(...history(5));
    const stream = subscribe({ onlyNew: true });
    const first = await stream.next();
    expect(first.value).toMatchObject({ progress: { caughtUp: true } });
    const later = eventOf(77);
    await append(later);
    expect(await eventsOf(stream, 1)).toEqual([later]);
  });
});

describe('over connections that break', () => {
  let proxy: CuttingProxy;
  beforeEach(async () => {
    proxy = await cuttingProxy(server.address);
  });
  afterEach(() => proxy.close());

  it('fault 19: gives every event once when the connection is cut after every event', async () => {
    const events = history(8);
    await append(...events.slice(0, 4));
    const seen: string[] = [];
    const retries: number[] = [];
    const stream = subscribe({ address: proxy.address, onRetry: ({ attempt }) => retries.push(attempt) });
    let next = 4;
    for await (const item of stream) {
      if ('event' in item) {
        seen.push(item.event.eventId);
        proxy.cut();
        if (next < events.length) await append(events[next++]);
      }
      if (seen.length === events.length) break;
    }
    expect(seen).toEqual(ids(events));
    expect(retries.length).toBeGreaterThan(0);
  });

  it('finishes what is there and goes on with a new server on the same address', async () => {
    const events = history(5);
    await append(...events.slice(0, 5));
    const stream = subscribe();
    const seen: string[] = [];
    for await (const item of stream) {
      if ('event' in item) seen.push(item.event.eventId);
      if (seen.length === 5 && 'progress' in item) {
        await server.close();
        await append(...events.slice(5));
        server = await startEventServer({ log, address: server.address });
      }
      if (seen.length === events.length) break;
    }
    expect(seen).toEqual(ids(events));
  });
});
