import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { rtspCamera, type RtspCamera, type Shutter } from '../support/rtsp-camera.js';
import { eventsIn, ServiceProcess, type WrittenEvent } from '../support/service-process.js';
import { Stage, type Box } from '../../fixtures/stage.js';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

const red: Box = { x: 24, y: 40, width: 32, height: 28, colour: [210, 60, 50] };
const blue: Box = { x: 100, y: 64, width: 34, height: 30, colour: [50, 70, 210] };

/** A camera on a scene of its own, in which things can be put. */
class StagedCamera {
  readonly #stage: Stage;
  rtsp!: RtspCamera;
  #shown = 0;

  private constructor(seed: number) {
    this.#stage = new Stage({ seed });
  }

  static async start(seed: number): Promise<StagedCamera> {
    const camera = new StagedCamera(seed);
    camera.rtsp = await rtspCamera({ show: await camera.#pictures([]), fps: 10 });
    cleanups.push(() => camera.rtsp.close());
    return camera;
  }

  /** Resolves when so many pictures more were sent: long enough for the scene to be known as it was. */
  async known(pictures = 40): Promise<void> {
    const wanted = this.#shown + pictures;
    await vi.waitFor(() => expect(this.#shown).toBeGreaterThanOrEqual(wanted), { timeout: 60_000 });
  }

  async shows(...boxes: Box[]): Promise<void> {
    this.rtsp.show(await this.#pictures(boxes));
  }

  /** Goes on sending its last picture. */
  async freezes(...boxes: Box[]): Promise<void> {
    const still = (await this.#pictures(boxes, 1))();
    this.rtsp.show(() => still);
  }

  /** Baseline JPEG, none like the one before: there is noise in each. */
  async #pictures(boxes: readonly Box[], count = 12): Promise<Shutter> {
    const pictures = await Promise.all(
      Array.from({ length: count }, () => {
        const { data, width, height } = this.#stage.draw({ boxes, noiseSigma: 1 });
        return sharp(data, { raw: { width, height, channels: 3 } })
          .jpeg({ quality: 90, chromaSubsampling: '4:2:0', optimiseCoding: false })
          .toBuffer();
      }),
    );
    let next = 0;
    return () => {
      if (this.rtsp.played > 0) this.#shown += 1;
      return pictures[next++ % pictures.length];
    };
  }
}

async function serving(cameras: Readonly<Record<string, StagedCamera>>) {
  const folder = await mkdtemp(join(tmpdir(), 'blinkstream-camera-'));
  cleanups.push(() => rm(folder, { recursive: true }));
  const file = join(folder, 'deployment.yaml');
  const write = (names: readonly string[]) =>
    writeFile(
      file,
      `topologies: [{ kind: watch }]
sources:
${names.map((name) => `  - { name: ${name}, kind: camera, url: 'rtsp://${cameras[name].rtsp.at}', stallMs: 2000, freezeMs: 2000 }\n`).join('')}
workers: { children: 1 }
log: { folder: log }
outputs: { jsonLines: { file: events.jsonl } }
`,
    );
  const start = () => {
    const service = new ServiceProcess(file);
    cleanups.push(() => service.kill('SIGKILL'));
    return service;
  };
  /** Waits for an event for which that holds, which was not there when it began to wait. */
  const event = async (holds: (event: WrittenEvent) => boolean): Promise<WrittenEvent> =>
    vi.waitFor(
      async () => {
        const found = (await eventsIn(join(folder, 'events.jsonl'))).find(holds);
        expect(found).toBeDefined();
        return found!;
      },
      { timeout: 60_000, interval: 100 },
    );
  return { write, start, event, all: () => eventsIn(join(folder, 'events.jsonl')) };
}

const isGap =
  (of: string, wanted: string) =>
  ({ source, condition, phase }: WrittenEvent) =>
    source === of && condition === 'SIGNAL_GAP' && phase === wanted;
const appeared =
  (of: string, where: RegExp) =>
  ({ source, kind, phase, statement }: WrittenEvent) =>
    source === of && kind === 'APPEARED' && phase === 'STARTED' && where.test(statement);

describe('blinkstream run with live cameras', () => {
  it(
    'fault 23: tells that one froze and what changed in the dark, and another is told meanwhile',
    { timeout: 180_000 },
    async () => {
      const [yard, dock] = [await StagedCamera.start(1), await StagedCamera.start(2)];
      const { write, start, event, all } = await serving({ yard, dock });
      await write(['yard', 'dock']);
      const service = start();
      await vi.waitFor(() => expect(yard.rtsp.played + dock.rtsp.played).toBe(2), { timeout: 30_000 });
      await Promise.all([yard.known(), dock.known()]);
      await yard.shows(red);
      await event(appeared('yard', /left/));

      await yard.freezes(red);
      expect((await event(isGap('yard', 'STARTED'))).statement).toContain('the picture stood still');
      await dock.shows(blue);
      await event(appeared('dock', /right/));
      expect((await all()).some(isGap('yard', 'ENDED')), 'it is still frozen').toBe(false);
      expect((await all()).some(isGap('dock', 'STARTED'))).toBe(false);

      await yard.shows(red, blue);
      await event(isGap('yard', 'ENDED'));
      await event(appeared('yard', /right/));
      expect(await service.stop()).toBe(0);

      const told = await all();
      expect(told.filter(isGap('yard', 'STARTED'))).toHaveLength(1);
      expect(told.filter(appeared('yard', /right/))).toHaveLength(1);
      expect(new Set(told.map(({ eventId }) => eventId)).size).toBe(told.length);
    },
  );

  it(
    'takes a camera in and lets one go on SIGHUP, without a break for the one that stays',
    { timeout: 180_000 },
    async () => {
      const [yard, dock, gate] = [
        await StagedCamera.start(1),
        await StagedCamera.start(2),
        await StagedCamera.start(3),
      ];
      const { write, start, event, all } = await serving({ yard, dock, gate });
      await write(['yard', 'dock']);
      const service = start();
      await vi.waitFor(() => expect(yard.rtsp.played + dock.rtsp.played).toBe(2), { timeout: 30_000 });
      await dock.known();
      await dock.shows(blue);
      await event(appeared('dock', /right/));
      await write(['yard', 'gate']);
      service.kill('SIGHUP');
      await service.line('was read again: 1 added, 0 changed, 1 removed');
      await vi.waitFor(() => expect(gate.rtsp.played).toBe(1), { timeout: 30_000 });
      await vi.waitFor(() => expect(dock.rtsp.connections).toBe(0), { timeout: 30_000 });
      await Promise.all([gate.known(), yard.known()]);
      await gate.shows(blue);
      await yard.shows(red);
      await event(appeared('gate', /right/));
      await event(appeared('yard', /left/));
      expect(yard.rtsp.played, 'its connection was left alone').toBe(1);

      // Added again it goes on from its checkpoint, with a gap for the time between.
      const before = service.lines.length;
      await write(['yard', 'gate', 'dock']);
      service.kill('SIGHUP');
      await service.line('was read again: 1 added', before);
      expect((await event(isGap('dock', 'ENDED'))).statement).toContain('nobody was reading it');

      await write([]);
      service.kill('SIGHUP');
      await service.line('was not taken over');
      expect(await service.stop()).toBe(0);
      expect((await all()).filter(({ source }) => source === 'yard').some(isGap('yard', 'STARTED'))).toBe(false);
    },
  );
});
