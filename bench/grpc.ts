import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openLmdbLog } from '../src/log/lmdb.js';
import { subscribeEvents } from '../src/outputs/grpc/client.js';
import { startEventServer } from '../src/outputs/grpc/server.js';
import { encodeEntry } from '../src/outputs/grpc/wire.js';
import type { ChangeLog } from '../src/log/index.js';
import { readBareStream, startBareStream } from './support/bare-stream.js';
import { fill } from './support/event-log.js';

export const name = 'grpc';

const eventCount = 10_000;
const turns = 12;
const never = new AbortController().signal;

/**
 * Catching up: events/s from the log on disk through our server and our client, decoded, against grpc-js alone with the
 * same bytes out of memory. Server and client of either share this process, so that what counts is their work. They
 * take turns; the best turn of each counts, since other load only ever slows one down. The first turn is warm-up.
 */
export async function run(): Promise<{ rows: Record<string, number | string>[]; json: Record<string, number> }> {
  const folder = await mkdtemp(join(tmpdir(), 'blinkstream-bench-grpc-'));
  const log = await openLmdbLog({ path: join(folder, 'log') });
  try {
    await fill(log, eventCount);
    const messages = await messagesOf(log);
    const server = await startEventServer({ log, address: '127.0.0.1:0' });
    const bare = await startBareStream(messages);
    const rows: { turn: number; bareEventsPerSecond: number; ourEventsPerSecond: number }[] = [];
    for (let turn = 0; turn <= turns; turn++) {
      const bareEventsPerSecond = await rateOf(() => readBareStream(bare.address), messages.length);
      const ourEventsPerSecond = await rateOf(() => catchUp(server.address), eventCount);
      if (turn > 0) rows.push({ turn, bareEventsPerSecond, ourEventsPerSecond });
    }
    bare.close();
    await server.close();
    const best = (key: 'bareEventsPerSecond' | 'ourEventsPerSecond') => Math.max(...rows.map((row) => row[key]));
    const bytes = messages.reduce((sum, message) => sum + message.length, 0);
    return {
      rows,
      json: { ratio: best('ourEventsPerSecond') / best('bareEventsPerSecond'), bytesPerEvent: bytes / messages.length },
    };
  } finally {
    await log.close();
    await rm(folder, { recursive: true });
  }
}

async function messagesOf(log: ChangeLog): Promise<Buffer[]> {
  const messages: Buffer[] = [];
  for await (const entry of log.read({ start: 'earliest', untilEnd: true, signal: never })) {
    if (entry.type === 'event') messages.push(encodeEntry(entry));
  }
  return messages;
}

async function catchUp(address: string): Promise<number> {
  let events = 0;
  for await (const item of subscribeEvents({ address, untilEnd: true, signal: never })) {
    if ('event' in item && item.event.eventId !== '') events += 1;
  }
  return events;
}

async function rateOf(read: () => Promise<number>, expected: number): Promise<number> {
  const startMs = performance.now();
  const count = await read();
  if (count !== expected) throw new Error(`${count} of ${expected} events came`);
  return Math.round((count / (performance.now() - startMs)) * 1_000);
}
