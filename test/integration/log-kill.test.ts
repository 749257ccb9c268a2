import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openLmdbLog } from '../../src/log/lmdb.js';
import { commitsIn, idsIn, startWriter } from '../support/log-processes.js';
import { idsUntil, stepAt } from '../support/workers/log-steps.js';

const kills = 10;

let path: string;
beforeEach(() => {
  path = mkdtempSync(join(tmpdir(), 'blinkstream-kill-'));
});
afterEach(() => rmSync(path, { recursive: true }));

describe('a log whose writer is killed', () => {
  it.each([
    ['that keeps everything', undefined],
    ['that is pruned as it grows', 40],
  ])('%s holds whole commits only, and all that were told', async (_, eventsKept) => {
    for (let kill = 0; kill < kills; kill++) {
      const writer = startWriter(path, eventsKept === undefined ? {} : { eventsKept });
      // Every fourth time while it opens, else in the middle of its commits.
      if (kill % 4 === 3) await sleep(Math.random() * 300);
      else for (let line = 0; line <= Math.random() * 15; line++) await writer.line();
      await sleep(Math.random() * 8);
      await writer.kill();

      const log = await openLmdbLog({ path });
      const commits = await commitsIn(log);
      expect(commits).toBeGreaterThanOrEqual(writer.told());
      const ids = await idsIn(log);
      const all = idsUntil(commits);
      expect(ids).toEqual(all.slice(all.length - ids.length));
      if (eventsKept === undefined) expect(ids).toHaveLength(all.length);
      else expect(ids.length).toBeGreaterThanOrEqual(Math.min(eventsKept, all.length));
      if (commits > 0) await expectLastCommit(log, commits - 1);
      await log.close();
    }
  });
});

/** Its checkpoint and its picture are those that were committed with its events. */
async function expectLastCommit(log: Awaited<ReturnType<typeof openLmdbLog>>, n: number): Promise<void> {
  const { key, checkpoint, blobs, events } = stepAt(n);
  expect(await log.checkpoint(key)).toEqual(checkpoint);
  expect((await log.change(events[0].changeId)).map(({ eventId }) => eventId)).toEqual(
    events.map(({ eventId }) => eventId),
  );
  for (const blob of blobs) {
    const found = await log.blobs.get(blob.sha256);
    expect(found && Buffer.compare(found.bytes, blob.bytes)).toBe(0);
  }
}
