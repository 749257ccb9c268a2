import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ffmpeg } from '../support/clips.js';

const command = fileURLToPath(new URL('../../bin/blinkstream.js', import.meta.url));

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'blinkstream-run-'));
  // A box comes and stays, another goes: something to tell in each.
  const box = (at: string, colour: string) =>
    ffmpeg(
      ...['-f', 'lavfi', '-i', 'color=c=gray:size=160x120:rate=10,noise=alls=3:allf=t', '-frames:v', '150'],
      ...['-vf', `drawbox=x=50:y=40:w=40:h=30:color=${colour}:t=fill:enable='${at}'`, '-pix_fmt', 'yuv420p'],
      join(folder, `${colour}.mp4`),
    );
  await box('gte(t,5)', 'red');
  await box('lt(t,5)', 'blue');
});
afterAll(() => rm(folder, { recursive: true }));

const deployment = (name: string, sources: readonly string[]): string => `topologies:
  - kind: watch
sources:
${sources.map((source) => `  - { name: ${source}, kind: video, input: ${source}.mp4 }`).join('\n')}
log: { folder: ${name}/log }
outputs: { jsonLines: { file: ${name}/events.jsonl } }
`;

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the built command; `termAt`: sends SIGTERM at the first line of standard error that holds it. */
async function blinkstream(args: readonly string[], termAt?: string): Promise<Ended> {
  const child = spawn(process.execPath, [command, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let [stdout, stderr] = ['', ''];
  let isAsked = false;
  child.stdout.on('data', (data: Buffer) => (stdout += data.toString()));
  createInterface({ input: child.stderr }).on('line', (line) => {
    stderr += `${line}\n`;
    // Once: a second one would end it at once.
    if (termAt === undefined || isAsked || !line.includes(termAt)) return;
    isAsked = true;
    child.kill('SIGTERM');
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stdout, stderr };
}

/** What was told, without ids of the order in which sources took turns. */
async function told(name: string): Promise<string[]> {
  const lines = (await readFile(join(folder, name, 'events.jsonl'), 'utf8')).trim().split('\n');
  return lines.filter((line) => line !== '').sort();
}

describe('blinkstream run', () => {
  it('tells what changes in each of its sources, and the same where it was stopped in the middle', async () => {
    const whole = join(folder, 'whole.yaml');
    await writeFile(whole, deployment('whole', ['red', 'blue']));
    expect(await blinkstream(['run', whole])).toMatchObject({ code: 0 });
    const expected = await told('whole');
    const sources = expected.map((line) => (JSON.parse(line) as { source: string }).source);
    expect(new Set(sources)).toEqual(new Set(['red', 'blue']));

    const stopped = join(folder, 'stopped.yaml');
    await writeFile(stopped, deployment('stopped', ['red', 'blue']));
    const first = await blinkstream(['run', stopped], 'running');
    expect(first).toMatchObject({ code: 0 });
    expect(first.stderr).toContain('suspended');
    expect(await blinkstream(['run', stopped])).toMatchObject({ code: 0 });
    expect(await told('stopped')).toEqual(expected);
  });

  it('goes on without a source that is not there, and says so', async () => {
    const file = join(folder, 'missing.yaml');
    await writeFile(file, deployment('missing', ['red', 'green']));
    const { code, stderr } = await blinkstream(['run', file]);
    expect(stderr).toMatch(/watch\/green failed.*there is no .*green\.mp4/);
    expect(code).toBe(3);
    const whole = (await told('whole')).filter((line) => (JSON.parse(line) as { source: string }).source === 'red');
    expect(await told('missing')).toEqual(whole);
  });

  it('--check tells all mistakes with their places, and what the file names and is not there', async () => {
    const file = join(folder, 'wrong.yaml');
    await writeFile(
      file,
      deployment('wrong', ['red']).replace('kind: video', 'kind: vidoe').replace('outputs', 'output'),
    );
    expect(await blinkstream(['run', file, '--check'])).toEqual({
      code: 2,
      stdout:
        `${file}:4:24: "vidoe" is no sources[0].kind; did you mean "video"?\n` +
        `${file}:6:1: there is no "output" at the top; did you mean "outputs"?\n`,
      stderr: '',
    });
    await writeFile(file, deployment('wrong', ['red', 'green']));
    const { code, stdout } = await blinkstream(['run', file, '--check']);
    expect({ code, stdout }).toEqual({
      code: 3,
      stdout: `${file}:5:40: there is no ${join(folder, 'green.mp4')}\n`,
    });
  });
});
