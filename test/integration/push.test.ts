import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeJpeg } from '../../src/pixels/encode.js';
import type { KillPoint } from '../../src/records/kill-points.js';
import { pushFrames } from '../../src/sources/push/client.js';
import type { FrameToPush, IdleToPush } from '../../src/sources/push/push-buffer.js';
import { eventsIn, ServiceProcess, type WrittenEvent } from '../support/service-process.js';
import { Stage, type Box } from '../../fixtures/stage.js';

const FPS = 10;
const SECONDS = 40;
const T0 = Date.UTC(2026, 0, 1);
const red: Box = { x: 30, y: 40, width: 28, height: 24, colour: [210, 60, 50] };
const blue: Box = { x: 100, y: 70, width: 30, height: 26, colour: [50, 70, 210] };

let folder: string;
let story: readonly FrameToPush[];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'blinkstream-push-'));
  const stage = new Stage();
  story = await Promise.all(
    Array.from({ length: FPS * SECONDS }, async (_, i) => {
      const s = i / FPS;
      const boxes: Box[] = [];
      if (s >= 6 && s < 24) boxes.push(red);
      if (s >= 14) boxes.push(blue);
      if (s >= 30 && s < 33) boxes.push({ ...red, x: -30 + (s - 30) * 70 });
      const picture = await encodeJpeg(stage.draw({ boxes, noiseSigma: 1 }), 92);
      return { sequence: 1_000 + i, eventTimeMs: T0 + s * 1_000, picture };
    }),
  );
});
afterAll(() => rm(folder, { recursive: true }));

/** A service on a socket of its own; where it writes, and where it is pushed to. */
async function deployment(name: string): Promise<{ file: string; events: string; address: string }> {
  const file = join(folder, `${name}.yaml`);
  const socket = join(folder, `${name}.sock`);
  await writeFile(
    file,
    `topologies: [{ kind: watch }]
sources: [{ name: yard, kind: push, stallMs: 0 }]
workers: { children: 1 }
log: { folder: ${name}/log }
outputs: { grpc: { listen: 'unix:${socket}' }, jsonLines: { file: ${name}/events.jsonl } }
`,
  );
  return { file, events: join(folder, name, 'events.jsonl'), address: `unix:${socket}` };
}

/** The story, and a minute in which nothing more comes. */
function* frames(): Generator<FrameToPush | IdleToPush> {
  yield* story;
  yield { idleUntilMs: T0 + (SECONDS + 60) * 1_000 };
}

/** Pushes the story through services that are killed at these points, one after the other; what they tell. */
async function pushed(name: string, kills: readonly (readonly [at: KillPoint | 'outside', passing: number])[]) {
  const { file, events, address } = await deployment(name);
  const killingAt = (at: KillPoint, passing: number, mark: string) => ({
    BLINKSTREAM_KILL_AT: `${at}:${passing}:${join(folder, `${name}-${mark}`)}`,
  });
  const stop = new AbortController();
  let acked = 0;
  const refused: string[] = [];
  const done = pushFrames({
    address,
    source: 'yard',
    frames: frames(),
    client: 'gateway',
    signal: stop.signal,
    onAck: (sequence) => {
      expect(sequence, 'what is durable stays so').toBeGreaterThanOrEqual(acked);
      acked = sequence;
    },
    onRefused: ({ sequence, problem }) => refused.push(`${sequence}: ${problem}`),
  });
  try {
    for (const [i, [at, passing]] of kills.entries()) {
      const service = new ServiceProcess(file, at === 'outside' ? {} : killingAt(at, passing, String(i)));
      if (at === 'outside') {
        await service.line('running');
        await new Promise((resolve) => setTimeout(resolve, passing));
        service.kill('SIGKILL');
      }
      expect(await Promise.race([service.ended, done.then(() => 'all was durable before')])).toBe('SIGKILL');
    }
    // And the one that gets through to the end loses a worker.
    const service = new ServiceProcess(file, kills.length === 0 ? {} : killingAt('worker', 2, 'last'));
    await done;
    expect(await service.stop()).toBe(0);
  } finally {
    stop.abort(new Error('the test is over'));
    await done.catch(() => undefined);
  }
  expect(refused).toEqual([]);
  expect(acked).toBe(story.at(-1)!.sequence);
  return eventsIn(events);
}

describe('frames that are pushed', () => {
  let undisturbed: WrittenEvent[];
  beforeAll(async () => {
    undisturbed = await pushed('undisturbed', []);
  });

  it('are watched, and numbered in events as the client numbers them', () => {
    expect(undisturbed.map(({ kind, phase }) => `${kind} ${phase}`)).toEqual([
      'APPEARED STARTED',
      'APPEARED STARTED',
      'APPEARED ENDED',
      'ACTIVITY STARTED',
      'ACTIVITY ENDED',
    ]);
    expect(JSON.stringify(undisturbed[0])).toMatch(/"frame":"?10\d\d/);
  });

  it('faults 1, 2: are told once, and as without, where the service is killed at every stage', async () => {
    const events = await pushed('killed', [
      ['decode', 40],
      ['before-commit', 2],
      ['gate', 120],
      ['in-commit', 2],
      ['outside', 300],
      ['after-commit', 2],
    ]);
    const ids = events.map(({ eventId }) => eventId);
    expect(new Set(ids).size, 'none twice').toBe(ids.length);
    expect(events).toEqual(undisturbed);
  }, 150_000);
});
