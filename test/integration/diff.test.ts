/** `blinkstream diff`, the built command with its real workers. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PictureU8 } from '../../src/records/index.js';
import { openLmdbLog } from '../../src/log/lmdb.js';
import { projectFile } from '../support/project-file.js';
import { drawPage, menu, type Part } from '../support/interface-pages.js';

const words = ['open', 'save', 'close', 'print'];

let folder: string;
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'blinkstream-diff-'))));
afterAll(() => rm(folder, { recursive: true, force: true }));

const png = ({ width, height, data }: PictureU8): Promise<Buffer> =>
  sharp(data, { raw: { width, height, channels: 3 } })
    .png()
    .toBuffer();

async function save(path: string, parts: readonly Part[], height = 140): Promise<void> {
  await mkdir(dirname(join(folder, path)), { recursive: true });
  await writeFile(join(folder, path), await png(drawPage(200, height, parts)));
}

const diff = (...args: string[]): Promise<{ code: number; out: string; err: string }> =>
  new Promise((resolve) => {
    const all = [projectFile('bin', 'blinkstream.js'), 'diff', ...args];
    execFile(process.execPath, all, { cwd: folder }, (error, out, err) =>
      resolve({ code: typeof error?.code === 'number' ? error.code : error ? -1 : 0, out, err }),
    );
  });

interface Told {
  readonly kind: string;
  readonly source: string;
  readonly shift?: { readonly dx?: number; readonly dy?: number };
  readonly occurrences?: readonly { readonly source: string }[];
}
const eventsIn = async (out: string): Promise<Told[]> =>
  (await readFile(join(folder, out, 'events.jsonl'), 'utf8'))
    .trim()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Told);

describe('blinkstream diff', () => {
  it('tells a row that came and the shift that it caused once for all places, and nothing of what is the same', async () => {
    const after = menu(['open', 'new!', 'save', 'close', 'print']);
    for (const place of ['home', 'deep/list']) {
      await save(`v1/${place}.png`, menu(words));
      await save(`v2/${place}.png`, after);
    }
    await save('v1/same.png', menu(words));
    await save('v2/same.png', menu(words));
    const { code, err } = await diff(
      join(folder, 'v1'),
      join(folder, 'v2'),
      '--out',
      join(folder, 'one'),
      '--fail-on-change',
    );
    expect(err).toContain('3 pairs of screenshots, 2 changes');
    expect(code).toBe(1);
    const events = await eventsIn('one');
    expect(events.map(({ kind, occurrences }) => [kind, occurrences?.map(({ source }) => source)])).toEqual([
      ['APPEARED', ['deep/list', 'home']],
      ['LAYOUT_SHIFTED', ['deep/list', 'home']],
    ]);
    expect(events[1].shift).toEqual({ dx: 0, dy: 24 });
  });

  it('compares two files, of two sizes', async () => {
    await save('a.png', menu(words));
    await save('b.png', menu(words), 180);
    const { code } = await diff(join(folder, 'a.png'), join(folder, 'b.png'), '--out', join(folder, 'two'));
    expect(code).toBe(0);
    expect((await eventsIn('two')).map(({ kind, source }) => `${kind} ${source}`)).toEqual(['RESIZED a']);
  });

  it('tells what makes a page longer, and does not take it for what came into view', async () => {
    await save('short.png', menu(words), 110);
    await save('long.png', menu(['open', 'new!', 'save', 'close', 'print', 'more']), 158);
    await diff(join(folder, 'short.png'), join(folder, 'long.png'), '--out', join(folder, 'longer'));
    const kinds = (await eventsIn('longer')).map(({ kind }) => kind);
    expect(kinds.filter((kind) => kind === 'APPEARED')).toHaveLength(2);
  });

  it('leaves a folder alone that another run writes into', async () => {
    await save('x.png', menu(words));
    const log = await openLmdbLog({ path: join(folder, 'busy', 'log') });
    try {
      const { code, err } = await diff(join(folder, 'x.png'), join(folder, 'x.png'), '--out', join(folder, 'busy'));
      expect(err).toContain('in use');
      expect(code).not.toBe(0);
    } finally {
      await log.close();
    }
  });

  it('fails, by name, for a screenshot that is truncated, and compares the others', async () => {
    await save('t1/page.png', menu(words));
    await save('t2/page.png', menu(['open']));
    const whole = await readFile(join(folder, 't2/page.png'));
    await writeFile(join(folder, 't2/page.png'), whole.subarray(0, whole.length >> 1));
    await save('t1/other.png', menu(words));
    await save('t2/other.png', menu(words.slice(1)));
    const { code, err } = await diff(join(folder, 't1'), join(folder, 't2'), '--out', join(folder, 'three'));
    expect(code).toBe(3);
    expect(err).toMatch(/not compared: .*t2\/page\.png/);
    expect((await eventsIn('three')).every(({ source }) => source === 'other')).toBe(true);
  });

  it('never passes over a screenshot without a counterpart', async () => {
    await save('m1/page.png', menu(words));
    await save('m1/old.png', menu(words));
    await save('m2/page.png', menu(words));
    await save('m2/new.png', menu(words));
    const { code, out } = await diff(
      join(folder, 'm1'),
      join(folder, 'm2'),
      '--out',
      join(folder, 'four'),
      '--fail-on-change',
    );
    expect(code).toBe(1);
    expect(out).toContain('the screenshot old is gone');
    expect(out).toContain('the screenshot new is new');
  });

  it('may be run again into the same folder, over other pictures of the same names', async () => {
    await save('r1/page.png', menu(words));
    await save('r2/page.png', menu(words.slice(1)));
    const again = () => diff(join(folder, 'r1'), join(folder, 'r2'), '--out', join(folder, 'five'));
    await again();
    await save('r2/page.png', menu(words));
    await again();
    expect(await eventsIn('five')).toEqual([]);
  });

  it.each([
    ['an empty folder', 'empty', 'SOURCE_EMPTY', 3],
    ['what is not there', 'nowhere', 'SOURCE_NOT_FOUND', 3],
  ])('refuses %s', async (_, name, error, exitCode) => {
    await mkdir(join(folder, 'empty'), { recursive: true });
    await save('e2/page.png', menu(words));
    const { code, err } = await diff(join(folder, name), join(folder, 'e2'), '--out', join(folder, 'six'), '--json');
    expect(err).toContain(error);
    expect(code).toBe(exitCode);
  });

  it('refuses a screenshot of more pixels than allowed by its name', async () => {
    await save('l1/page.png', menu(words));
    await save('l2/page.png', menu(words.slice(1)));
    const { code, err } = await diff(
      join(folder, 'l1'),
      join(folder, 'l2'),
      '--out',
      join(folder, 'seven'),
      '--max-pixels',
      '1000',
    );
    expect(code).toBe(3);
    expect(err).toMatch(/page\.png.*1,000 pixels/);
  });
});
