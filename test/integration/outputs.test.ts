import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ffmpeg } from '../support/clips.js';
import { MqttBroker } from '../support/mqtt-broker.js';
import { eventsIn, ServiceProcess } from '../support/service-process.js';
import { status, WebhookReceiver } from '../support/webhook-receiver.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'blinkstream-outputs-'));
  // Boxes come and stay, one after the other.
  const box = (atS: number, x: number) => `drawbox=x=${x}:y=40:w=30:h=30:color=red:t=fill:enable='gte(t,${atS})'`;
  await ffmpeg(
    ...['-f', 'lavfi', '-i', 'color=c=gray:size=160x120:rate=10,noise=alls=3:allf=t', '-frames:v', '350'],
    ...['-vf', [box(5, 10), box(15, 60), box(25, 110)].join(), '-pix_fmt', 'yuv420p'],
    join(folder, 'yard.mp4'),
  );
});
afterAll(() => rm(folder, { recursive: true }));

let receiver: WebhookReceiver;
let broker: MqttBroker;
beforeEach(async () => {
  [receiver, broker] = await Promise.all([WebhookReceiver.start(), MqttBroker.start()]);
});
afterEach(() => Promise.all([receiver.close(), broker.close()]));

const secrets = { HOOK_SECRET: Buffer.alloc(32, 7).toString('base64'), HOOK_TOKEN: 'T0PSECRET' };

/** Runs the watch of the clip to its end: exit code, or the signal that ended it, and standard error. */
async function run(name: string, env: NodeJS.ProcessEnv = {}) {
  const file = join(folder, `${name}.yaml`);
  await writeFile(
    file,
    `topologies: [{ kind: watch }]
sources: [{ name: yard, kind: video, input: yard.mp4 }]
log: { folder: ${name}/log }
outputs:
  jsonLines: { file: ${name}/events.jsonl }
  webhook: { url: '${receiver.url}/\${env:HOOK_TOKEN}', secret: '\${env:HOOK_SECRET}' }
  mqtt: { url: '${broker.url}', homeAssistant: true }
`,
  );
  const service = new ServiceProcess(file, { ...secrets, ...env });
  const ended = await service.ended;
  return { ended, stderr: service.lines.join('\n') };
}

const linesOf = async (name: string) => (await readFile(join(folder, name, 'events.jsonl'), 'utf8')).trim().split('\n');

describe('blinkstream run with a webhook and an MQTT broker', () => {
  it('sends both of them every event, and nothing twice when it is started again', async () => {
    // The first is not taken at once.
    receiver.answer = (response, number) => status(number === 0 ? 503 : 200)(response, number);
    const first = await run('both');
    expect(first.ended).toBe(0);
    const lines = await linesOf('both');
    expect(lines.length).toBeGreaterThan(2);
    expect(receiver.received.slice(1).map(({ body }) => body.toString())).toEqual(lines);
    expect(broker.on('blinkstream/yard/event')).toEqual(lines);
    expect(receiver.received.every(({ headers }) => headers['webhook-signature'] !== undefined)).toBe(true);
    expect(broker.retained().get('blinkstream/status')).toBe('offline');
    const state = JSON.parse(broker.retained().get('blinkstream/yard/state') ?? '') as { change: string };
    expect(state.change).toBe('ON');

    expect((await run('both')).ended).toBe(0);
    expect(receiver.received).toHaveLength(lines.length + 1);
    expect(broker.on('blinkstream/yard/event')).toEqual(lines);
  });

  it('fault 2: after a kill -9 behind an acknowledgement has sent all, and that event alone twice', async () => {
    const killed = await run('killed', { BLINKSTREAM_KILL_AT: `publish:2:${join(folder, 'kill-point')}` });
    expect(killed.ended).toBe('SIGKILL');
    expect((await run('killed')).ended).toBe(0);
    const ids = (await eventsIn(join(folder, 'killed', 'events.jsonl'))).map(({ eventId }) => eventId);
    expect([...new Set(receiver.ids)]).toEqual(ids);
    expect([...new Set(broker.eventIds)]).toEqual(ids);
    expect(receiver.ids.length + broker.eventIds.length - 2 * ids.length).toBeLessThanOrEqual(2);
  });

  it('ends with words where a webhook wants no more, and shows no secret', async () => {
    receiver.answer = status(410);
    const { ended, stderr } = await run('gone');
    expect(ended).toBe(3);
    expect(stderr).toContain('answers 410 to event watch/yard/1/1');
    expect(stderr).toContain('it wants no more events');
    expect(stderr).not.toMatch(/^ +at /m);
    expect(stderr).not.toMatch(/T0PSECRET|BwcH/);
  });
});
