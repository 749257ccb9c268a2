import { rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Writable } from 'node:stream';
import { makeDemoClip } from '../../fixtures/clip.js';
import { demoTruth } from '../../fixtures/truth.js';
import { openLmdbLog } from '../log/lmdb.js';
import { BlinkstreamError, type ChangeEvent } from '../records/index.js';
import { findFfmpeg } from '../sources/ffmpeg-binary.js';
import type { CommandIo } from './command.js';
import { checkTelling, type Telling } from './demo-check.js';
import { type DemoSubscriber, startSubscriber } from './demo-subscriber.js';
import { type ExitCode, exitCodes } from './exit-codes.js';
import { makeOutputFolder, outputFolder, readRunRecord } from './output-folder.js';
import { StatusLine, styled, Terminal } from './terminal.js';
import { runWatch } from './watch-run.js';

/** What `demo` was asked for. */
export interface DemoOptions {
  readonly out: string;
}

/** The whole way on a drawn clip, held against what was drawn. */
export const runDemo = async ({ out }: DemoOptions, io: CommandIo): Promise<ExitCode> => {
  const startedMs = performance.now();
  const clip = join(out, 'demo.mp4');
  await clearEarlierDemo(out, clip);
  await makeOutputFolder(out);
  note(io, `drawing a scene of ${demoTruth.frames / demoTruth.fps} s into ${clip}`);
  await makeDemoClip(clip, (await findFfmpeg(io.env)).path);

  const changes = await watchAndSubscribe(clip, out, io);
  const telling = checkTelling(demoTruth, changes);
  const end = { report: outputFolder(out).reportFile, seconds: Math.round((performance.now() - startedMs) / 1000) };
  if (io.json) io.out.json(JSON.stringify({ demo: { ...summaryOf(telling), ...end } }));
  else print(io, telling, end);
  if (telling.missed.length + telling.madeUp.length > 0) throw notTrue(telling);
  return exitCodes.done;
};

/**
 * Removes what an earlier demo left there, and nothing else.
 * @throws BlinkstreamError class `user`: `OUTPUT_OF_OTHER_INPUT`, `LOG_IN_USE` while a demo runs there, and those of
 * reading the record
 */
async function clearEarlierDemo(out: string, clip: string): Promise<void> {
  const { eventsFile, reportFile, logFolder, recordFile } = outputFolder(out);
  const earlier = await readRunRecord(recordFile);
  if (earlier === undefined) return;
  if (earlier.input !== resolve(clip)) {
    throw new BlinkstreamError(`${out} holds other results than those of a demo`, {
      code: 'OUTPUT_OF_OTHER_INPUT',
      class: 'user',
      stage: 'cli',
      hint: 'name another folder with --out',
    });
  }
  await (await openLmdbLog({ path: logFolder })).close();
  for (const path of [logFolder, eventsFile, reportFile, clip, recordFile])
    await rm(path, { recursive: true, force: true });
}

/** Watches the clip while a subscriber in another process prints; returns all changes, each as its revisions. */
async function watchAndSubscribe(
  clip: string,
  out: string,
  io: CommandIo,
): Promise<readonly (readonly ChangeEvent[])[]> {
  let subscriber: DemoSubscriber | undefined;
  let changes: readonly (readonly ChangeEvent[])[] = [];
  const onLine = (line: string): void =>
    io.json ? io.out.json(line) : io.out.line(styled('green', 'subscriber │ '), line);
  try {
    await runWatch(
      { input: clip, out, listen: '127.0.0.1:0', workerAddress: [], reasoner: 'measured' },
      { ...io, out: nowhere(io.env) },
      {
        served(address) {
          subscriber = startSubscriber(address, { json: io.json, onLine });
          note(io, `process ${subscriber.pid ?? '?'} subscribes to them and prints what it receives`);
        },
        async told(all) {
          changes = all;
          await subscriber?.received(all.flat().length);
        },
      },
    );
  } finally {
    await subscriber?.stop();
  }
  return changes;
}

/** What the watch itself would print: the subscriber prints it, so that one sees that it came the whole way. */
function nowhere(env: NodeJS.ProcessEnv): Terminal {
  const stream = new Writable({ write: (_chunk, _encoding, done) => done() });
  return new Terminal(stream, new StatusLine(stream), env);
}

function note(io: CommandIo, text: string): void {
  if (!io.json) io.notes.line(text);
}

interface End {
  readonly report: string;
  readonly seconds: number;
}

function print(io: CommandIo, { told, missed, madeUp }: Telling, { report, seconds }: End): void {
  io.out.line('');
  io.out.line(styled('bold', 'What was drawn, and what was told'));
  const width = Math.max(...told.map(({ what }) => what.length));
  for (const { what, event } of told) {
    io.out.line(styled('green', '  ✓ '), what.padEnd(width + 2), styled('dim', event.statement));
  }
  for (const what of missed) io.out.line(styled('red', '  ✗ '), `${what}: not told`);
  for (const { statement } of madeUp) io.out.line(styled('red', '  ✗ '), `never happened: ${statement}`);
  io.out.line(
    `${told.length} of ${demoTruth.events.length} things that happened were told, ${madeUp.length} that did not, in ${seconds} s.`,
  );
  io.out.line('');
  io.out.line('Look at  ', styled('bold', report));
  io.out.line('Then try ', styled('bold', 'blinkstream watch your.mp4 --out out/your'));
}

const summaryOf = ({ told, missed, madeUp }: Telling) => ({
  happened: demoTruth.events.length,
  told: told.length,
  missed,
  madeUp: madeUp.map(({ changeId, statement }) => ({ changeId, statement })),
});

const notTrue = ({ missed, madeUp }: Telling): BlinkstreamError =>
  new BlinkstreamError(
    `the demo is not told as it was drawn: ${[...missed.map((what) => `missed: ${what}`), ...madeUp.map(({ statement }) => `made up: ${statement}`)].join('; ')}`,
    { code: 'DEMO_NOT_TRUE', class: 'internal', stage: 'cli' },
  );
