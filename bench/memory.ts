import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { openLmdbLog } from '../src/log/lmdb.js';
import { subscribeEvents } from '../src/outputs/grpc/client.js';
import { fill } from './support/event-log.js';

export const name = 'memory';

/** 50,000 × 4.6 KB: 230 MB wait for the subscriber, far more than it may cost. */
const eventCount = 50_000;
const statementBytes = 4_000;
const watchMs = 10_000;
const everyMs = 250;
const bytesPerMb = 1e6;

/**
 * What a subscriber that takes nothing costs the server: growth of its resident memory over 10 s, from before anyone
 * subscribed, so that the code that serving loads for the first time counts too. Its log holds far more than may be
 * buffered.
 */
export async function run(): Promise<{ rows: Record<string, number | string>[]; json: Record<string, number> }> {
  const folder = await mkdtemp(join(tmpdir(), 'blinkstream-bench-memory-'));
  const path = join(folder, 'log');
  const log = await openLmdbLog({ path });
  await fill(log, eventCount, statementBytes);
  await log.close();

  const script = fileURLToPath(new URL('./support/event-server-process.js', import.meta.url));
  const server = fork(script, [path]);
  try {
    const { address } = await answerOf<{ address: string }>(server);
    const beforeMb = await rssMb(server);

    const stalled = subscribeEvents({ address, signal: new AbortController().signal });
    await stalled.next();
    let peakMb = beforeMb;
    for (const endMs = performance.now() + watchMs; performance.now() < endMs; await sleep(everyMs)) {
      peakMb = Math.max(peakMb, await rssMb(server));
    }
    await stalled.return();
    const stalledSubscriberMb = peakMb - beforeMb;
    return {
      rows: [{ events: eventCount, beforeMb, peakMb, stalledSubscriberMb }],
      json: { stalledSubscriberMb },
    };
  } finally {
    server.disconnect();
    await once(server, 'exit');
    await rm(folder, { recursive: true });
  }
}

async function rssMb(server: ChildProcess): Promise<number> {
  const answer = answerOf<{ rssBytes: number }>(server);
  server.send('memory');
  return Math.round((await answer).rssBytes / bytesPerMb);
}

/** The next message of the server, or its end. */
async function answerOf<T>(server: ChildProcess): Promise<T> {
  const ended = new AbortController();
  try {
    const message = once(server, 'message', { signal: ended.signal }).then(([value]: unknown[]) => value as T);
    const exit = once(server, 'exit', { signal: ended.signal }).then(([code]: unknown[]) => {
      throw new Error(`the server ended with ${String(code)}`);
    });
    return await Promise.race([message, exit]);
  } finally {
    ended.abort();
  }
}
