import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventOf } from '../../fixtures/events.js';
import { openLmdbLog } from '../../src/log/lmdb.js';
import type { ChangeLog } from '../../src/log/index.js';
import { type EventServer, startEventServer } from '../../src/outputs/grpc/server.js';
import type { Blob, ChangeEvent } from '../../src/records/index.js';

const command = fileURLToPath(new URL('../../bin/blinkstream.js', import.meta.url));

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the built command line to its end. */
function blinkstream(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(process.execPath, [command, ...args], { env: { ...process.env, ...env } }, (error, stdout, stderr) =>
      resolve({ code: typeof error?.code === 'number' ? error.code : error ? -1 : 0, stdout, stderr }),
    );
  });
}

const lines = (text: string): string[] => text.split('\n').filter((line) => line !== '');

/** The command names that the top-level help lists. */
async function commandNames(): Promise<string[]> {
  const { stdout } = await blinkstream(['--help']);
  const listed = stdout.slice(stdout.indexOf('Commands:'), stdout.indexOf('Exit codes'));
  return [...listed.matchAll(/^ {2}(\w+)/gm)].map(([, name]) => name).filter((name) => name !== 'help');
}

describe('help', () => {
  test('every command has an example of itself, --json and exit code 0', async () => {
    const names = await commandNames();
    expect(names).toEqual(expect.arrayContaining(['watch', 'worker', 'subscribe', 'inspect', 'doctor']));
    for (const name of names) {
      const { code, stdout, stderr } = await blinkstream([name, '--help']);
      expect({ name, code, stderr }).toEqual({ name, code: 0, stderr: '' });
      expect(stdout).toMatch(new RegExp(`Examples?:\\n(.*\\n)*  \\$ blinkstream ${name}\\b`));
      expect(stdout).toContain('--json');
    }
  });

  test('without a command it is told on standard error, and the code is that of a usage error', async () => {
    const { code, stdout, stderr } = await blinkstream([]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^Usage: blinkstream/);
  });
});

describe('mistakes in the command line', () => {
  test.each([
    [['doctr'], "error: unknown command 'doctr' — did you mean doctor?"],
    [['doctor', '--jsn'], "error: unknown option '--jsn' — did you mean --json?"],
    [['watch', 'x.mp4', '--outt', 'y'], "error: unknown option '--outt' — did you mean --out?"],
    [['doctor', 'much'], "error: too many arguments for 'doctor'. Expected 0 arguments but got 1 — see"],
    [['worker'], "error: required option '--listen <address>' not specified — see blinkstream worker --help"],
    [
      ['subscribe', '--from', ':1', '--kind', 'moved'],
      "error: option '--from <address>' argument ':1' is invalid — give",
    ],
    [['subscribe', '--from', 'a:1', '--kind', 'mvoed'], "argument 'mvoed' is invalid — did you mean MOVED?"],
    [['inspect', '\u001b[2J', '--sav\u001be', 'x'], "error: unknown option '--sav\\u001be'"],
  ])('%j', async (args, told) => {
    const { code, stdout, stderr } = await blinkstream(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(told);
    expect(stderr).toMatch(/^[\P{Cc}]+\n$/u);
  });

  test('are one line of JSON where JSON is asked for', async () => {
    const { code, stderr } = await blinkstream(['doctor', '--jsn', '--json']);
    expect(JSON.parse(stderr)).toEqual({
      error: { code: 'USAGE', message: "unknown option '--jsn'", hint: 'did you mean --json?', exitCode: code },
    });
    expect(code).toBe(2);
  });
});

describe('doctor', () => {
  test('finds everything that is needed where the tests run', async () => {
    const { code, stdout } = await blinkstream(['doctor', '--json'], { KAFKA_BROKERS: '127.0.0.1:1' });
    const { ok, checks } = JSON.parse(stdout) as { ok: boolean; checks: Record<string, unknown>[] };
    expect({ code, ok, missing: checks.filter(({ status }) => status === 'missing') }).toEqual({
      code: 0,
      ok: true,
      missing: [],
    });
    for (const check of checks) {
      expect(check).toMatchObject({
        name: expect.any(String) as string,
        needed: expect.any(Boolean) as boolean,
        detail: expect.any(String) as string,
      });
      expect(check.remedy === undefined).toBe(check.status === 'ok');
    }
    expect(checks).toContainEqual(
      expect.objectContaining({
        name: 'Kafka broker',
        status: 'absent',
        detail: expect.stringContaining('127.0.0.1:1') as string,
      }),
    );
  });

  test('asks brokers that are named: one that answers, one that does not, and one that wants TLS', async () => {
    const askedAt = async (answer: (request: Buffer) => Buffer | undefined) => {
      const server = createServer((socket) => {
        socket.on('error', () => undefined);
        socket.on('data', (request: Buffer) => {
          const told = answer(request);
          if (told === undefined) socket.destroy();
          else socket.write(told);
        });
      }).listen(0, '127.0.0.1');
      await once(server, 'listening');
      const { port } = server.address() as AddressInfo;
      const args = ['doctor', '--json', '--brokers', `127.0.0.1:1, 127.0.0.1:${port}`];
      const { stdout } = await blinkstream(args);
      server.close();
      const { checks } = JSON.parse(stdout) as { checks: { name: string; status: string; detail: string }[] };
      return checks.find(({ name }) => name === 'Kafka broker');
    };
    // Length, the correlation id of the request, no error, no versions.
    const answer = (request: Buffer) =>
      Buffer.concat([Buffer.of(0, 0, 0, 10), request.subarray(8, 12), Buffer.alloc(6)]);
    expect(await askedAt(answer)).toMatchObject({ status: 'ok', detail: expect.stringMatching(/ answers$/) as string });
    expect(await askedAt(() => undefined)).toMatchObject({
      status: 'ok',
      detail: expect.stringContaining('wants TLS') as string,
    });
    const { code, stdout } = await blinkstream(['doctor', '--brokers', '127.0.0.1:1']);
    expect(code).toBe(4);
    expect(stdout).toMatch(/^missing +Kafka broker +no broker answers \(127\.0\.0\.1:1: .*\)\n +start it, or check/m);
  });

  test('tells what is missing, how to get it, and ends with 4', async () => {
    const { code, stdout, stderr } = await blinkstream(['doctor'], { FFMPEG_PATH: '/nowhere/ff\u001b[2Jmpeg' });
    expect({ code, stderr }).toEqual({ code: 4, stderr: '' });
    expect(stdout).toMatch(/^missing +ffmpeg +FFMPEG_PATH names .*\n +install ffmpeg/m);
    expect(stdout).toContain('Missing and needed: ffmpeg.');
    expect(stdout).toMatch(/^[\P{Cc}\n]+$/u);
  });
});

const picture: Blob = {
  bytes: Buffer.from('as good as a picture'),
  mediaType: 'image/jpeg',
  sha256: createHash('sha256').update('as good as a picture').digest('hex'),
};
const eventCount = 300;

const contradictedClaim = eventOf(7, {
  eventId: 'claim',
  changeId: 'claim',
  kind: 'APPEARED',
  statement: 'A second sign\nappeared.',
  pictures: [],
  verification: {
    verdict: 'CONTRADICTED',
    checks: [
      { name: 'interval', verdict: 'SUPPORTED', detail: 'it was then' },
      { name: 'direction', verdict: 'CONTRADICTED', detail: 'what stood there is gone' },
    ],
  },
});

/** The events of a log: `change-0` has a picture that is there and one that is not, and ends after all others. */
function loggedEvents(): ChangeEvent[] {
  const pictures = [
    { role: '../before', sha256: picture.sha256, mediaType: 'image/jpeg', width: 4, height: 3 },
    { role: 'after', sha256: 'cd'.repeat(32), mediaType: 'image/jpeg', width: 4, height: 3 },
  ];
  const others = Array.from({ length: eventCount - 2 }, (_, n) =>
    eventOf(n + 1, { pictures: [], kind: n % 2 === 0 ? 'MOVED' : 'APPEARED' }),
  );
  const first = { changeId: 'change-0', kind: 'REPLACED', pictures } as const;
  return [
    eventOf(0, { ...first, eventId: 'change-0.1', statement: 'The sign\u001b[2J has\nchanged.' }),
    ...others,
    eventOf(0, { ...first, eventId: 'change-0.2', revision: 2, phase: 'ENDED', statement: 'The sign is back.' }),
  ];
}

test('worker tells a port that is taken on one line', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const { port } = other.address() as AddressInfo;
  const { code, stdout, stderr } = await blinkstream(['worker', '--listen', `127.0.0.1:${port}`], {
    GRPC_VERBOSITY: undefined,
  });
  other.close();
  expect({ code, stdout }).toEqual({ code: 4, stdout: '' });
  expect(stderr).toMatch(
    new RegExp(
      `^error: a worker cannot listen on 127\\.0\\.0\\.1:${port}: listen EADDRINUSE: [^\\n[\\]]* — [^\\n]*\\n$`,
    ),
  );
});

test('the demo does not touch a folder with other results', async () => {
  const dir = await mkdtemp(path.join(tmpdir(), 'blinkstream-demo-'));
  await writeFile(path.join(dir, 'run.json'), '{"topology":"watch","source":"yard","input":"/videos/yard.mp4"}');
  expect(await blinkstream(['demo', '--out', dir])).toEqual({
    code: 3,
    stdout: '',
    stderr: `error: ${dir} holds other results than those of a demo — name another folder with --out\n`,
  });
  expect(await readdir(dir)).toEqual(['run.json']);
  await rm(dir, { recursive: true });
});

describe('with a log', () => {
  let dir: string;
  let log: ChangeLog;
  let server: EventServer;

  beforeAll(async () => {
    dir = await mkdtemp(path.join(tmpdir(), 'blinkstream-cli-'));
    log = await openLmdbLog({ path: path.join(dir, 'log') });
    const checkpoint = { source: 'yard', ordinal: 1, state: {}, position: { index: 0, offset: '0' } };
    await log.commit({
      key: 'watch/yard',
      events: loggedEvents(),
      contradicted: [contradictedClaim],
      blobs: [picture],
      checkpoint: checkpoint as never,
    });
    server = await startEventServer({ log, address: '127.0.0.1:0' });
  });

  afterAll(async () => {
    await server.close();
    await log.close();
    await rm(dir, { recursive: true });
  });

  test('subscribe prints each event on one line, in order, and ends at the end', async () => {
    const { code, stdout, stderr } = await blinkstream(['subscribe', '--from', server.address, '--until-end']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const printed = lines(stdout);
    expect(printed).toHaveLength(eventCount);
    expect(printed[0]).toBe('00:00.0  yard  The sign\\u001b[2J has\\nchanged.');
    expect(printed[1]).toBe('00:00.4  yard  A bottle has gone from the wall (1).');
    expect(printed.at(-1)).toBe('00:00.2  yard  The sign is back. (ended)');
  });

  test('subscribe keeps to the kinds and the source', async () => {
    const ids = async (...filter: string[]) => {
      const args = ['subscribe', '--from', server.address, '--until-end', '--json', ...filter];
      return lines((await blinkstream(args)).stdout).map((line) => (JSON.parse(line) as ChangeEvent).kind);
    };
    expect(await ids('--kind', 'replaced')).toEqual(['REPLACED', 'REPLACED']);
    expect(new Set(await ids('--kind', 'MOVED', '--kind', 'APPEARED'))).toEqual(new Set(['MOVED', 'APPEARED']));
    expect(await ids('--source', 'elsewhere')).toEqual([]);
  });

  test('subscribe goes on from its cursor file, whatever broke it off', async () => {
    const cursorFile = path.join(dir, 'cursor');
    const args = ['subscribe', '--from', server.address, '--json', '--cursor-file', cursorFile];
    const ids: string[] = [];
    const first = spawn(process.execPath, [command, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
    for await (const line of createInterface({ input: first.stdout })) {
      ids.push((JSON.parse(line) as ChangeEvent).eventId);
      if (ids.length === 20) first.kill('SIGTERM');
    }
    expect(ids.length).toBeGreaterThanOrEqual(20);
    const rest = await blinkstream([...args, '--until-end']);
    ids.push(...lines(rest.stdout).map((line) => (JSON.parse(line) as ChangeEvent).eventId));
    expect(ids).toEqual(loggedEvents().map(({ eventId }) => eventId));
    expect(lines((await blinkstream([...args, '--until-end'])).stdout)).toEqual([]);
  });

  test('subscribe refuses a cursor file that holds none, and a damaged cursor', async () => {
    const args = ['subscribe', '--from', server.address, '--until-end', '--cursor-file'];
    expect(await blinkstream([...args, command])).toMatchObject({
      code: 3,
      stderr: expect.stringMatching(/^error: cursor file .* holds no cursor — .*\n$/) as string,
    });
  });

  test('output that nobody reads any more ends a command quietly', async () => {
    const child = spawn(process.execPath, [command, 'subscribe', '--from', server.address], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const errors: string[] = [];
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => errors.push(chunk));
    const exited = once(child, 'exit');
    await once(child.stdout, 'data');
    child.stdout.destroy();
    // Without this nothing more would be written, and a closed pipe is only met in writing.
    await log.commit({
      key: 'watch/late',
      events: [eventOf(1, { source: 'late', eventId: 'late.1', changeId: 'late', pictures: [] })],
      contradicted: [],
      blobs: [],
      checkpoint: { source: 'late' } as never,
    });
    expect(await exited).toEqual([0, null]);
    expect(errors.join('')).toBe('');
  });

  test('inspect lists each change once, with its last words', async () => {
    const { code, stdout } = await blinkstream(['inspect', dir]);
    expect(code).toBe(0);
    const printed = lines(stdout);
    expect(printed[0]).toBe('change-0  00:00.2  yard  The sign is back. (ended)');
    expect(printed.at(-1)).toMatch(/^\d+ changes$/);
    expect(new Set(printed.map((line) => line.split(' ')[0])).size).toBe(printed.length);
    expect(printed.length).toBeGreaterThanOrEqual(eventCount);
  });

  test('inspect tells everything about one change and saves its pictures inside the folder', async () => {
    const saved = path.join(dir, 'pictures');
    const { code, stdout, stderr } = await blinkstream(['inspect', dir, 'change-0', '--save', saved]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^The sign is back\.\n/);
    for (const row of [
      /^ {2}kind +REPLACED$/m,
      /^ {2}first +00:00\.0, frame 0$/m,
      /^ {2}before +22 × 71 px at \(40, 60\.5\)$/m,
      /^ {2}measure +share 0 → 0\.012 1$/m,
      /^ +supported region: 0\.93 of the box differs$/m,
      /^ {2}revision 1 +started: The sign\\u001b\[2J has\\nchanged\.$/m,
      /^ {2}revision 2 +ended: The sign is back\.$/m,
    ]) {
      expect(stdout).toMatch(row);
    }
    expect(stderr).toContain(`no longer holds picture after ${'cd'.repeat(32)}`);
    const [file, ...more] = await readdir(saved);
    expect(more).toEqual([]);
    expect(file).toBe('change-0-1-.._before.jpg');
    expect(await readFile(path.join(saved, file), 'utf8')).toBe('as good as a picture');
  });

  test('inspect --contradicted tells what was claimed and not published, and why', async () => {
    const { code, stdout } = await blinkstream(['inspect', dir, '--contradicted']);
    expect(code).toBe(0);
    const [claim, ...rows] = lines(stdout);
    expect(claim).toMatch(/^00:0\d\.\d {2}yard {2}A second sign\\nappeared\. \(contradicted\)$/);
    for (const row of [
      /^ {2}kind +APPEARED$/,
      /^ {2}first +00:0\d\.\d, frame \d+$/,
      /^ {2}before +22 × 71 px at \(40, 60\.5\)$/,
      /^ {2}contradicted direction: what stood there is gone$/,
    ]) {
      expect(rows).toContainEqual(expect.stringMatching(row));
    }
    expect(stdout).not.toContain('it was then');
    expect(rows.at(-1)).toBe('1 contradicted claim');
    const json = await blinkstream(['inspect', dir, '--contradicted', '--json']);
    expect(JSON.parse(json.stdout)).toMatchObject({
      statement: contradictedClaim.statement,
      verification: { verdict: 'CONTRADICTED' },
    });
    expect((await blinkstream(['inspect', dir])).stdout).not.toContain('A second sign');
    for (const other of [['change-0'], ['--save', 'x']]) {
      expect(await blinkstream(['inspect', dir, '--contradicted', ...other])).toMatchObject({
        code: 2,
        stderr: expect.stringContaining('do not go together') as string,
      });
    }
  });

  test('inspect --not-a-change is kept with the log, and taken back by --a-change', async () => {
    const file = path.join(dir, 'log', 'feedback.json');
    const kept = async () =>
      (JSON.parse(await readFile(file, 'utf8')) as { changeId: string }[]).map((one) => one.changeId);
    const said = await blinkstream(['inspect', dir, 'change-0', '--not-a-change']);
    expect(said).toMatchObject({ code: 0, stdout: '' });
    expect(said.stderr).toMatch(/^noted: ".+" is no change/);
    expect(await kept()).toEqual(['change-0']);
    expect((await blinkstream(['inspect', dir, 'change-0', '--a-change'])).code).toBe(0);
    expect(await kept()).toEqual([]);
    for (const wrong of [['--not-a-change'], ['change-0', '--not-a-change', '--a-change']]) {
      expect(await blinkstream(['inspect', dir, ...wrong])).toMatchObject({ code: 2, stdout: '' });
    }
    expect(await blinkstream(['inspect', dir, 'change-x', '--not-a-change'])).toMatchObject({ code: 3 });
  });

  test('inspect says where there is no such change or no log', async () => {
    expect(await blinkstream(['inspect', dir, 'change-x'])).toMatchObject({
      code: 3,
      stdout: '',
      stderr: `error: ${dir} has no change change-x — blinkstream inspect ${dir} lists those that it has.\n`,
    });
    expect(await blinkstream(['inspect', path.join(dir, 'none')])).toMatchObject({
      code: 3,
      stderr: expect.stringMatching(/^error: no log in .*\n$/) as string,
    });
  });
});
