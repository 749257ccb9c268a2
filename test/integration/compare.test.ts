/** `blinkstream compare`, the built command with its real workers. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventOf } from '../../fixtures/events.js';
import { openLmdbLog } from '../../src/log/lmdb.js';
import type { Blob } from '../../src/records/index.js';
import { projectFile } from '../support/project-file.js';
import { Stage, type Shot } from '../../fixtures/stage.js';

const timeout = 60_000;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'blinkstream-compare-'));
  const stage = new Stage({ width: 320, height: 240 });
  const draw = async (name: string, shot: Shot): Promise<void> => {
    const { data, width, height } = stage.draw({ noiseSigma: 1.5, ...shot });
    await sharp(data, { raw: { width, height, channels: 3 } })
      .png()
      .toFile(join(folder, name));
  };
  await draw('monday.png', {});
  await draw('still.png', {});
  await draw('friday.png', { boxes: [{ x: 200, y: 100, width: 60, height: 70, colour: [190, 40, 40] }] });
  await sharp(join(folder, 'monday.png')).resize(200, 150).toFile(join(folder, 'small.png'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const compare = (...args: string[]) => blinkstream('compare', ...args);

const blinkstream = (...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> =>
  new Promise((resolve) => {
    const all = [projectFile('bin', 'blinkstream.js'), ...args];
    execFile(process.execPath, all, { cwd: folder }, (error, stdout, stderr) =>
      resolve({ code: typeof error?.code === 'number' ? error.code : error ? -1 : 0, stdout, stderr }),
    );
  });

const blobOf = (bytes: Buffer): Blob => ({
  sha256: createHash('sha256').update(bytes).digest('hex'),
  mediaType: 'image/jpeg',
  bytes,
});

describe('compare', () => {
  it('tells what differs, and leaves events and a report where asked', { timeout }, async () => {
    const { code, stdout } = await compare('monday.png', 'friday.png', '--out', 'out', '--fail-on-change');
    expect(stdout).toMatch(/monday-friday {2}An object of about \d+ × \d+ px appeared at the right\.$/m);
    expect(code).toBe(1);
    const events = (await readFile(join(folder, 'out', 'events.jsonl'), 'utf8')).trim().split('\n');
    expect(events.map((event) => JSON.parse(event) as unknown)).toMatchObject([
      { kind: 'APPEARED', topology: 'compare', verification: { verdict: 'SUPPORTED' } },
    ]);
    expect(await readFile(join(folder, 'out', 'report.html'), 'utf8')).toContain('What changed in monday-friday');
    // Once more: it is done already, and says the same.
    expect((await compare('monday.png', 'friday.png', '--out', 'out')).stdout).toBe(stdout);
  });

  it('says that nothing differs where only noise does, and looks at nothing that is private', { timeout }, async () => {
    const still = await compare('monday.png', 'still.png', '--fail-on-change');
    expect(still).toMatchObject({
      code: 0,
      stdout: '',
      stderr: expect.stringContaining('nothing of the scene differs') as string,
    });
    await writeFile(
      join(folder, 'zones.yaml'),
      '- { name: wall, use: private, polygon: [[0.5, 0], [1, 0], [1, 1], [0.5, 1]] }',
    );
    expect(await compare('monday.png', 'friday.png', '--zones', 'zones.yaml')).toMatchObject({ code: 0, stdout: '' });
  });

  it('takes the nearest pictures that a log holds, of the camera that is meant', { timeout }, async () => {
    const log = await openLmdbLog({ path: join(folder, 'service', 'log') });
    for (const [source, files] of Object.entries({
      yard: ['monday.png', 'friday.png'],
      dock: ['monday.png', 'still.png'],
    })) {
      const blobs = await Promise.all(
        files.map(async (file) => blobOf(await sharp(join(folder, file)).jpeg().toBuffer())),
      );
      const pictures = blobs.map(({ sha256 }, i) => ({
        ...{ role: i === 0 ? 'before' : 'after', sha256, mediaType: 'image/jpeg', width: 320, height: 240 },
        frame: { frame: i * 10, timeMs: i * 3_600_000, elapsedMs: i * 3_600_000 },
      }));
      const event = eventOf(0, { source, pictures, changeId: source, eventId: `${source}/1` });
      await log.commit({
        key: source,
        checkpoint: { states: {}, positions: {} },
        events: [event],
        contradicted: [],
        blobs,
      });
    }
    await log.close();
    const yard = await compare('service', '--camera', 'yard', '--at', '10', '--with', '1:02:00');
    expect(yard.stdout).toMatch(/yard {2}An object of .* appeared at the right\.$/m);
    expect(yard.stderr).toContain('the nearest picture of that moment is of 1:00:00.0, frame 10');
    expect(await compare('service', '--camera', 'dock', '--at', '10', '--with', '1:02:00')).toMatchObject({
      stdout: '',
    });
    const which = await compare('service', '--at', '10', '--with', '1:02:00');
    expect(which).toMatchObject({ code: 2, stderr: expect.stringContaining('yard, dock') as string });
    const same = await compare('service', '--camera', 'yard', '--at', '1', '--with', '2');
    expect(same).toMatchObject({ code: 3, stderr: expect.stringContaining('one and the same picture') as string });
  });

  it('finds pictures of any moment in the folder of a watch in which nothing happened', { timeout }, async () => {
    await mkdir(join(folder, 'yard'));
    for (let n = 0; n < 12; n++) {
      await copyFile(join(folder, n % 2 === 0 ? 'monday.png' : 'still.png'), join(folder, 'yard', `${n + 10}.png`));
    }
    expect(await blinkstream('watch', 'yard', '--interval', '900000', '--out', 'watched')).toMatchObject({ code: 0 });
    const { code, stdout, stderr } = await compare('watched', '--at', '1800', '--with', '2:00:00');
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
    expect(stderr).toContain('the nearest picture of that moment is of 30:00.0, frame 2');
    expect(stderr).toContain('the nearest picture of that moment is of 2:00:00.0, frame 8');
    expect(stderr).toContain('nothing of the scene differs');
    const unknown = await compare('watched', '--camera', 'dock', '--at', '1', '--with', '90');
    expect(unknown).toMatchObject({ code: 3, stderr: expect.stringContaining('has no camera dock') as string });
  });

  it.each([
    [['monday.png', 'small.png'], 3, 'the pictures have two sizes, 320 × 240 and 200 × 150'],
    [['monday.png'], 2, 'there is one thing to compare'],
    [['monday.png', 'friday.png', '--at', '3'], 2, 'two pictures have no moments'],
    [['monday.png', 'none.png'], 3, 'there is no none.png'],
    [['monday.png', '--interval', '1000', '--at', '0', '--with', '90'], 3, 'has no frame at 90 s'],
    [['monday.png', '--at', 'noon', '--with', '90'], 2, 'give seconds (127.4)'],
  ])('of %j ends with %i and in words', { timeout }, async (args, code, says) => {
    const ended = await compare(...args);
    expect(ended).toMatchObject({ code, stdout: '', stderr: expect.stringContaining(says) as string });
    expect(ended.stderr).not.toContain('    at ');
  });
});
