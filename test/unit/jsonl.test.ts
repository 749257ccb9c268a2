import { appendFile, mkdtemp, open, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { jsonLinesOutput } from '../../src/outputs/jsonl.js';
import { changeEventToJson } from '../../src/records/convert/change.js';
import { eventOf } from '../../fixtures/events.js';
import { FakeLog } from '../support/fake-log.js';

let folder: string;
let path: string;
let log: FakeLog;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'blinkstream-jsonl-'));
  path = join(folder, 'events.jsonl');
  log = new FakeLog();
});
afterEach(async () => {
  vi.restoreAllMocks();
  await rm(folder, { recursive: true });
});

const events = Array.from({ length: 7 }, (_, n) => eventOf(n, { statement: `„Öl“ ${n}\nand a second line` }));
const whole = events.map((event) => `${changeEventToJson(event)}\n`).join('');
const write = (signal = new AbortController().signal) => jsonLinesOutput({ path, log, untilEnd: true, signal });

describe('a file of JSON Lines', () => {
  it('has each event of the log as one line, in order', async () => {
    log.append(...events);
    expect(await write()).toEqual({ lines: 7 });
    expect(await readFile(path, 'utf8')).toBe(whole);
  });

  it('goes on after the last line, as often as it is called', async () => {
    for (const event of events) {
      log.append(event);
      expect(await write()).toEqual({ lines: 1 });
      expect(await write()).toEqual({ lines: 0 });
    }
    expect(await readFile(path, 'utf8')).toBe(whole);
  });

  it('has each event once, whatever byte the writer was killed at', async () => {
    log.append(...events);
    const bytes = Buffer.from(whole);
    // What is only ever appended to can be left in no other state than a beginning of the whole.
    const from = bytes.length - Buffer.byteLength(changeEventToJson(events[6])) * 2;
    for (let cut = 0; cut <= bytes.length; cut += cut < from ? 193 : 29) {
      await writeFile(path, bytes.subarray(0, cut));
      await write();
      expect((await readFile(path, 'utf8')) === whole, `cut at byte ${cut}`).toBe(true);
    }
  });

  it('finds the last line also where lines are longer than a step of its search', async () => {
    const long = [0, 1, 2].map((n) => eventOf(n, { statement: `${n}`.repeat(150_000) }));
    log.append(...long);
    await write();
    await truncate(path, 310_000);
    await write();
    expect(await readFile(path, 'utf8')).toBe(long.map((event) => `${changeEventToJson(event)}\n`).join(''));
  });

  it('follows the log until it is told to end', async () => {
    const abort = new AbortController();
    const running = jsonLinesOutput({ path, log, signal: abort.signal });
    log.append(...events.slice(0, 3));
    await vi.waitFor(async () => expect((await readFile(path, 'utf8')).split('\n')).toHaveLength(4));
    log.append(...events.slice(3));
    await vi.waitFor(async () => expect(await readFile(path, 'utf8')).toBe(whole));
    abort.abort();
    expect(await running).toEqual({ lines: 7 });
    expect(log.openReaders).toBe(0);
  });

  it('writes nothing where it is told to end before it begins', async () => {
    log.append(...events);
    await write();
    expect(await write(AbortSignal.abort())).toEqual({ lines: 0 });
    expect(await readFile(path, 'utf8')).toBe(whole);
  });
});

describe('what it refuses', () => {
  it('a last line that the log does not hold any more, or never held', async () => {
    log.append(...events);
    await write();
    log.forget(7);
    await expect(write()).rejects.toMatchObject({
      code: 'OUTPUT_MISMATCH',
      message: `${path} ends with event change-6.1, which the log does not hold (any more)`,
    });
    expect(await readFile(path, 'utf8')).toBe(whole);
  });

  it.each(['not JSON\n', '{"event":1}\n', '7\n', '\n'])('a last line that is no event: %j', async (line) => {
    log.append(...events);
    await write();
    await appendFile(path, line);
    await expect(write()).rejects.toMatchObject({ code: 'OUTPUT_DAMAGED', class: 'user' });
  });

  it('a folder that is not there', async () => {
    path = join(folder, 'none', 'events.jsonl');
    await expect(write()).rejects.toMatchObject({ code: 'OUTPUT_FAILED', class: 'user' });
  });

  it('a full disk, and leaves whole lines', async () => {
    log.append(...events);
    await write();
    log.append(eventOf(8));
    const handle = await open(path, 'r');
    const prototype = Object.getPrototypeOf(handle) as typeof handle;
    await handle.close();
    vi.spyOn(prototype, 'appendFile').mockImplementationOnce(async (line) => {
      await appendFile(path, (line as Buffer).subarray(0, 20));
      throw Object.assign(new Error('write'), { code: 'ENOSPC' });
    });
    await expect(write()).rejects.toMatchObject({ code: 'OUTPUT_FULL', class: 'resource' });
    expect(await readFile(path, 'utf8')).toBe(whole);
    expect(await write()).toEqual({ lines: 1 });
  });

  it.runIf(process.platform === 'linux')('a device that is full', async () => {
    path = '/dev/full';
    log.append(...events);
    await expect(write()).rejects.toMatchObject({ code: 'OUTPUT_FULL', message: 'no space left to write /dev/full' });
  });
});
