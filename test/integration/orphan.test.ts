import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventOf } from '../../fixtures/events.js';
import { startEventServer } from '../../src/outputs/grpc/server.js';
import { clipFolder, ffmpeg, testPicture } from '../support/clips.js';
import { FakeLog } from '../support/fake-log.js';

const clips = clipFolder();
afterAll(() => clips.remove());

beforeAll(async () => {
  await ffmpeg(...testPicture(500, '640x480'), '-c:v', 'mpeg4', clips.at('long.mkv'));
});

/** Reads until nothing comes any more, for want of credit or of data, and says so. Runs what the build made. */
const reader = (input: string, budgetBytes: number, releases: boolean) => `
  import { videoSource } from '${new URL('../../dist/src/sources/video.js', import.meta.url).href}';
  import { ByteBudget } from '${new URL('../../dist/src/sources/budget.js', import.meta.url).href}';
  const source = videoSource({ input: ${JSON.stringify(input)}, timeoutMs: 1_000 });
  const reading = source.read({ budget: new ByteBudget(${budgetBytes}), signal: new AbortController().signal });
  let frames = 0;
  for (;;) {
    const waiting = frames > 0 && setTimeout(() => console.log('waiting'), 300);
    const next = await reading.next();
    clearTimeout(waiting);
    if (next.done) break;
    frames++;
    if (${releases}) next.value.lease.release();
  }
`;

/** Running processes, zombies left out, with their parents. */
const processes = () =>
  execFileSync('ps', ['-A', '-o', 'pid=,ppid=,stat='], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, , state]) => !state.startsWith('Z'))
    .map(([pid, parent]) => ({ pid: Number(pid), parent: Number(parent) }));

const childrenOf = ({ pid }: ChildProcess) => processes().flatMap((p) => (p.parent === pid ? [p.pid] : []));

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 50));
}

/** Starts a reader, kills it with -9 once it waits, and waits until its ffmpeg is gone: for ever if it is not. */
async function killReader(script: string): Promise<void> {
  const parent = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [said] = (await once(parent.stdout, 'data')) as [Buffer];
  expect(String(said).trim()).toBe('waiting');
  const children = childrenOf(parent);
  expect(children).toHaveLength(1);
  parent.kill('SIGKILL');
  await once(parent, 'exit');
  await until(() => !processes().some(({ pid }) => children.includes(pid)));
}

test('when the demo is killed with -9, its subscriber ends, although it is connected', async () => {
  const log = new FakeLog();
  log.append(eventOf(1));
  const server = await startEventServer({ log, address: '127.0.0.1:0' });
  try {
    const parent = spawn(
      process.execPath,
      [
        '--input-type=module',
        '-e',
        `import { startSubscriber } from '${new URL('../../dist/src/cli/demo-subscriber.js', import.meta.url).href}';
         startSubscriber('${server.address}', { json: true, onLine: (line) => console.log(line) });`,
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    const [said] = (await once(parent.stdout, 'data')) as [Buffer];
    expect(String(said)).toContain(eventOf(1).eventId);
    const children = childrenOf(parent);
    expect(children).toHaveLength(1);
    parent.kill('SIGKILL');
    await once(parent, 'exit');
    await until(() => !processes().some(({ pid }) => children.includes(pid)));
  } finally {
    await server.close();
  }
});

describe('fault 26: when its parent is killed with -9, ffmpeg ends', () => {
  test('while it waits to write, because the consumer is behind', async () => {
    await killReader(reader(clips.at('long.mkv'), 1, false));
  });

  test('while it waits for the network', async () => {
    const bytes = readFileSync(clips.at('long.mkv'));
    const server = createServer((_, response) => {
      response.writeHead(200, { 'content-length': bytes.byteLength });
      response.write(bytes.subarray(0, bytes.byteLength / 2));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      const { port } = server.address() as AddressInfo;
      await killReader(reader(`http://127.0.0.1:${port}/long.mkv`, 1 << 30, true));
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });
});
