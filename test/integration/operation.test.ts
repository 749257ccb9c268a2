import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { metricDefinitions } from '../../src/operation/metric-definitions.js';
import { subscribeEvents } from '../../src/outputs/grpc/client.js';
import { ffmpeg } from '../support/clips.js';
import { findFfmpeg } from '../../src/sources/ffmpeg-binary.js';
import { LoggedService } from '../support/logged-service.js';

let folder: string;
const running: LoggedService[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'blinkstream-operation-'));
  // A box comes and goes every four seconds, in each of two clips at other times.
  for (const [name, phaseS] of [
    ['yard', 0],
    ['dock', 2],
  ] as const) {
    await ffmpeg(
      ...['-f', 'lavfi', '-i', 'color=c=gray:size=320x240:rate=10,noise=alls=3:allf=t', '-frames:v', '400'],
      ...['-vf', `drawbox=x=100:y=80:w=80:h=60:color=red:t=fill:enable='lt(mod(t+${phaseS},8),4)'`],
      ...['-pix_fmt', 'yuv420p', join(folder, `${name}.mp4`)],
    );
  }
});
afterAll(() => rm(folder, { recursive: true }));
// Those that a failed test has left.
afterEach(() => {
  for (const service of running.splice(0)) service.kill();
});

const deployment = (name: string, { sources = '', deadlineMs = 20_000 } = {}): string => `topologies:
  - kind: watch
sources:
  - { name: yard, kind: video, input: yard.mp4 }
  - { name: dock, kind: video, input: dock.mp4 }
${sources}
log: { folder: ${name}/log }
outputs:
  grpc: { listen: 'unix:${folder}/${name}.sock' }
  jsonLines: { file: ${name}/events.jsonl }
workers: { children: 1 }
limits: { budgetMiB: 16, maxSources: 3 }
shutdown: { deadlineMs: ${deadlineMs} }
operation: { listen: '127.0.0.1:0' }
`;

async function start(name: string, more?: Parameters<typeof deployment>[1]): Promise<LoggedService> {
  const file = join(folder, `${name}.yaml`);
  await writeFile(file, deployment(name, more));
  const service = new LoggedService(file);
  running.push(service);
  return service;
}

interface Told {
  readonly eventId: string;
  readonly source: string;
}

/** Ids of a source's events in their order, of each source. */
const bySource = (events: readonly Told[]): Record<string, string[]> =>
  Object.fromEntries(
    ['yard', 'dock'].map((name) => [
      name,
      events.filter(({ source }) => source === name).map(({ eventId }) => eventId),
    ]),
  );

const written = async (name: string): Promise<Told[]> =>
  (await readFile(join(folder, name, 'events.jsonl'), 'utf8'))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Told);

describe('a service under watch', () => {
  it('tells metrics, health and notes while it runs, and no secret in any of them', async () => {
    // An ffmpeg before 5.1 is given no secrets: there the camera would fail for good, and the service with it.
    const { hasFpsMode: keepsSecrets } = await findFfmpeg();
    const [login, query] = keepsSecrets ? ['keeper:hush-hush@', '?token=hush-hush'] : ['', ''];
    const camera = `  - { name: gate, kind: camera, url: 'http://${login}127.0.0.1:9/live${query}' }`;
    const service = await start('watched', { sources: camera });
    await vi.waitFor(async () => expect((await service.ask('/readyz')).status).toBe(200), { timeout: 30_000 });
    expect(await service.ask('/healthz')).toEqual({ status: 200, body: '{"ok":true}\n' });
    const value = (text: string, series: string): number =>
      Number(
        text
          .split('\n')
          .find((line) => line.startsWith(`${series} `))
          ?.split(' ')[1],
      );
    const of = 'topology="watch",source="yard"';
    let text = '';
    const ended = async (): Promise<void> => {
      text = (await service.ask('/metrics')).body;
      // At no moment is a frame unaccounted for.
      expect(value(text, `blinkstream_dropped_frames_total{${of}}`)).toBe(0);
      expect(value(text, `blinkstream_pipeline_state{${of},state="ended"}`)).toBe(1);
    };
    await vi.waitFor(ended, { timeout: 40_000 });
    expect(value(text, `blinkstream_frames_read_total{${of}}`)).toBe(400);
    expect(value(text, `blinkstream_windowed_frames_total{${of}}`)).toBe(400);
    const appeared = (await written('watched')).filter(({ source }) => source === 'yard');
    const kinds = [
      ...text.matchAll(/^blinkstream_events_committed_total\{topology="watch",source="yard".*\} (\d+)$/gm),
    ];
    expect(kinds.reduce((sum, [, count]) => sum + Number(count), 0)).toBe(appeared.length);
    expect(value(text, 'blinkstream_workers{state="up"}')).toBe(1);
    expect(value(text, 'process_resident_memory_bytes')).toBeGreaterThan(0);
    for (const { name, type } of metricDefinitions) expect(text).toContain(`# TYPE ${name} ${type}\n`);

    service.terminate();
    expect(await service.exited).toBe(0);
    const codes = service.notes.map(({ code }) => code);
    expect(codes).toEqual(expect.arrayContaining(['EVENTS_SERVED', 'PIPELINE_RUNNING', 'PIPELINE_ENDED', 'DRAINING']));
    expect(service.notes.find(({ code }) => code === 'PIPELINE_ENDED')).toMatchObject({
      level: 'info',
      topology: 'watch',
    });
    expect(text + service.stderr + service.stdout).not.toMatch(/hush|keeper/);
  }, 90_000);

  it('fault 22: SIGTERM under load: ready no more, then drained; a subscriber gets each event once over every restart', async () => {
    const whole = await start('undisturbed');
    expect(await whole.exited).toBe(0);
    const expected = bySource(await written('undisturbed'));
    expect(expected.yard.length + expected.dock.length).toBeGreaterThan(16);

    const received: Told[] = [];
    let cursor: Uint8Array | undefined;
    /** Comes when the server is there, goes on from the last cursor, and leaves when the service is gone. */
    const subscriberOf = async (service: LoggedService): Promise<void> => {
      await service.note('EVENTS_SERVED');
      const gone = new AbortController();
      void service.exited.then(() => gone.abort());
      const address = `unix:${folder}/stopped.sock`;
      for await (const item of subscribeEvents({ address, signal: gone.signal, ...(cursor && { cursor }) })) {
        ({ cursor } = item);
        if ('event' in item) received.push(item.event);
      }
    };
    // Once with time enough for what was read, which takes seconds, and once without.
    for (const deadlineMs of [200, 20_000]) {
      const before = received.length;
      const service = await start('stopped', { deadlineMs });
      const subscribed = subscriberOf(service);
      // In the middle of the work: a few events have come, frames are read, sequences are with the worker.
      await vi.waitFor(() => expect(received.length).toBeGreaterThan(before + 1), { timeout: 60_000 });
      service.terminate();
      await service.note('DRAINING');
      expect([503, 0]).toContain((await service.ask('/readyz')).status);
      expect(await service.exited).toBe(0);
      await subscribed;
      const codes = service.notes.map(({ code }) => code);
      expect(codes.indexOf('DRAINING')).toBeLessThan(codes.indexOf('PIPELINE_SUSPENDED'));
      expect(codes.includes('DEADLINE_PASSED')).toBe(deadlineMs === 200);
      // What was committed at the end, too, was given to the subscriber before its stream ended.
      expect(received).toHaveLength((await written('stopped')).length);
    }
    const last = await start('stopped');
    const subscribed = subscriberOf(last);
    expect(await last.exited).toBe(0);
    await subscribed;
    expect(bySource(received)).toEqual(expected);
    expect(bySource(await written('stopped'))).toEqual(expected);
  }, 180_000);

  it('tells what it fails by as a note too', async () => {
    const file = join(folder, 'wrong.yaml');
    await writeFile(file, 'topologies: []\n');
    const service = new LoggedService(file);
    expect(await service.exited).toBe(2);
    expect(service.notes).toMatchObject([{ level: 'error', code: 'DEPLOYMENT_INVALID' }]);
  });
});
