import { existsSync, copyFileSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { open as openStore } from 'lmdb';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ChangeLog, Cursor } from '../../src/log/index.js';
import { openLmdbLog } from '../../src/log/lmdb.js';
import { LmdbTables } from '../../src/log/lmdb-tables.js';
import { thisProcess } from '../../src/log/owner.js';
import { commitsIn, idsIn, startWriter, type Writer } from '../support/log-processes.js';
import { idsUntil, stepAt } from '../support/workers/log-steps.js';

let folder: string;
let path: string;
const logs: ChangeLog[] = [];
const writers: Writer[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'blinkstream-lmdb-'));
  path = join(folder, 'made', 'log.1');
});
afterEach(async () => {
  await Promise.all([...writers.splice(0).map((writer) => writer.kill()), ...logs.splice(0).map((log) => log.close())]);
  rmSync(folder, { recursive: true });
});

const open = async (options: { readOnly?: boolean } = {}): Promise<ChangeLog> => {
  const log = await openLmdbLog({ path, ...options });
  logs.push(log);
  return log;
};
const start = (options: Parameters<typeof startWriter>[1] = {}): Writer => {
  const writer = startWriter(path, options);
  writers.push(writer);
  return writer;
};
const failsWith = (code: string, message = ''): unknown =>
  expect.objectContaining({ code, class: 'user', message: expect.stringContaining(message) as string });

describe('one writer', () => {
  it('keeps others out, naming itself, until it is killed', async () => {
    const writer = start();
    await writer.line();
    await expect(open()).rejects.toEqual(failsWith('LOG_IN_USE', `in use by process ${writer.child.pid}`));
    await writer.line();
    await writer.kill();
    const log = await open();
    expect(await commitsIn(log)).toBeGreaterThanOrEqual(writer.told());
  });

  it('is one, of many that start at once', async () => {
    const firstLines = await Promise.all([start(), start(), start(), start()].map((writer) => writer.line()));
    expect(firstLines.map(({ code }) => code).sort()).toEqual(['LOG_IN_USE', 'LOG_IN_USE', 'LOG_IN_USE', undefined]);
  });

  it('lets the next in when it closes, in its own process too', async () => {
    const first = await open();
    await expect(open()).rejects.toEqual(failsWith('LOG_IN_USE', `process ${process.pid}, this one`));
    await first.commit(stepAt(0));
    await first.close();
    const writer = start();
    expect(await writer.line()).toEqual({ commits: 2 });
  });

  it('is fenced once another has taken its place: it finds out before it writes', async () => {
    const log = await open();
    await log.commit(stepAt(0));
    const tables = await LmdbTables.open(path);
    const unseen = { ...thisProcess('another'), pid: 1, pidSpace: 'pid:[1]' };
    tables.transact(() => {
      tables.owner = unseen;
    });
    await expect(log.commit(stepAt(1))).rejects.toEqual(failsWith('LOG_IN_USE', 'in use by process 1'));
    await expect(log.prune(0)).rejects.toEqual(failsWith('LOG_IN_USE'));
    await log.close();
    expect(tables.owner).toEqual(unseen);
    await tables.close();
    expect(await idsIn(await open())).toEqual(idsUntil(1));
  });
});

describe('readers', () => {
  it('follow a writer in another process, several at once', async () => {
    const writer = start();
    await writer.line();
    const commits = 40;
    const follow = async (): Promise<string[]> => {
      const log = await open({ readOnly: true });
      const ids: string[] = [];
      const stop = new AbortController();
      for await (const entry of log.read({ signal: stop.signal })) {
        if (entry.type === 'event') ids.push(entry.event.eventId);
        if (ids.length >= idsUntil(commits).length) stop.abort();
      }
      return ids;
    };
    const talking = (async () => {
      while (writer.told() < commits) await writer.line();
    })();
    for (const ids of await Promise.all([follow(), follow()])) expect(ids).toEqual(idsUntil(commits));
    await talking;
  });

  it('cannot write, and need a log that is there', async () => {
    await expect(open({ readOnly: true })).rejects.toEqual(failsWith('LOG_NOT_FOUND', path));
    expect(existsSync(path)).toBe(false);
    await open();
    const reader = await open({ readOnly: true });
    await expect(reader.commit(stepAt(0))).rejects.toMatchObject({ code: 'LOG_READ_ONLY' });
  });

  it('are told when the log has lost what they have seen', async () => {
    const early = await open();
    await early.commit(stepAt(0));
    const { epoch } = early;
    await early.close();
    copyFileSync(join(path, 'data.mdb'), join(folder, 'backup'));
    const later = await open();
    expect(later.epoch).toBe(epoch);
    await later.commit(stepAt(1));
    let cursor: Cursor | undefined;
    for await (const entry of later.read({ untilEnd: true, signal: AbortSignal.timeout(10_000) })) ({ cursor } = entry);
    await later.close();
    copyFileSync(join(folder, 'backup'), join(path, 'data.mdb'));
    const restored = await open();
    const entries = restored.read({ cursor: cursor as Cursor, signal: AbortSignal.timeout(10_000) });
    await expect(entries[Symbol.asyncIterator]().next()).rejects.toEqual(
      failsWith('CURSOR_INVALID', 'ahead of the log'),
    );
  });
});

describe('what is no log', () => {
  it('is refused: damaged, of another format, a file', async () => {
    const made = await open();
    await made.close();
    const store = openStore({ path, noSubdir: false, overlappingSync: false });
    await store.openDB('meta', {}).put('format', 99);
    await store.close();
    await expect(open()).rejects.toEqual(failsWith('LOG_FORMAT', 'has format 99'));
    await expect(open({ readOnly: true })).rejects.toEqual(failsWith('LOG_FORMAT', 'has format 99'));
    for (const bytes of [Buffer.alloc(20_000, 'no log at all'), Buffer.alloc(20_000), Buffer.of(1)]) {
      writeFileSync(join(path, 'data.mdb'), bytes);
      await expect(open()).rejects.toEqual(failsWith('LOG_DAMAGED', path));
      await expect(open({ readOnly: true })).rejects.toEqual(failsWith('LOG_DAMAGED', path));
    }
    path = join(path, 'data.mdb');
    await expect(open()).rejects.toEqual(failsWith('LOG_OPEN_FAILED', path));
  });

  it('is refused where its place cannot be looked at, instead of told as missing', async () => {
    path = join(folder, 'loop');
    symlinkSync('loop', path);
    await expect(open()).rejects.toEqual(failsWith('LOG_OPEN_FAILED', 'ELOOP'));
    await expect(open({ readOnly: true })).rejects.toEqual(failsWith('LOG_OPEN_FAILED', 'ELOOP'));
  });

  it.runIf(existsSync('/proc/self'))('is refused where the system takes no folders', async () => {
    path = '/proc/blinkstream/log';
    await expect(open()).rejects.toEqual(failsWith('LOG_OPEN_FAILED', path));
  });
});

// Stands for a full disk without being root: the file may not grow, and LMDB sees a write that came out short.
describe.skipIf(process.platform === 'win32')('a full disk', () => {
  it('fault 26: refuses a commit whole; what was told before stays, and it goes on when there is space', async () => {
    const writer = start({ limits: 'ulimit -f 6000' });
    let line = await writer.line();
    while (line.code === undefined) line = await writer.line();
    expect(line).toMatchObject({ code: 'LOG_FULL', class: 'resource' });
    expect(line.hint).toContain('Free space');
    await writer.kill();
    const log = await open();
    expect(writer.told()).toBeGreaterThan(5);
    expect(await commitsIn(log)).toBe(writer.told());
    expect(await idsIn(log)).toEqual(idsUntil(writer.told()));
    await log.commit(stepAt(writer.told()));
    expect(await idsIn(log)).toEqual(idsUntil(writer.told() + 1));
  });
});
