import { readFile, rename, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { ifThere, makeFolder } from '../records/files.js';
import { BlinkstreamError, messageOf } from '../records/index.js';
import { statInput } from '../sources/input-path.js';

/** What an output folder holds. */
export interface OutputFolder {
  readonly eventsFile: string;
  readonly reportFile: string;
  readonly logFolder: string;
  /** Whose results these are. */
  readonly recordFile: string;
}

/** Whose results a folder holds; kept beside them, so that another input is not mixed in. */
export interface RunRecord {
  readonly topology: string;
  readonly source: string;
  readonly input: string;
  /** Size and time of change of a file; absent for what is no single file. */
  readonly bytes?: number;
  readonly changedMs?: number;
}

export const outputFolder = (dir: string): OutputFolder => ({
  eventsFile: join(dir, 'events.jsonl'),
  reportFile: join(dir, 'report.html'),
  logFolder: join(dir, 'log'),
  recordFile: join(dir, 'run.json'),
});

/**
 * Makes the folder, or takes up the one in which a run of the same input stopped or ended. Call it while the folder's
 * log is held, so that of two runs only one gets here.
 * @throws BlinkstreamError class `user`: `OUTPUT_OF_OTHER_INPUT`, `OUTPUT_NOT_WRITABLE`, `OUTPUT_NOT_READABLE`,
 * `OUTPUT_DAMAGED`, `SOURCE_UNREADABLE`
 */
export async function claimOutputFolder(
  dir: string,
  run: { topology: string; source: string; input: string },
): Promise<void> {
  const file = outputFolder(dir).recordFile;
  const record = await recordOf(run);
  const before = await readRunRecord(file);
  if (before === undefined) {
    await writable(dir, async () => {
      await writeFile(`${file}.unfinished`, `${JSON.stringify(record, null, 2)}\n`);
      await rename(`${file}.unfinished`, file);
    });
    return;
  }
  const same = (['topology', 'source', 'input', 'bytes', 'changedMs'] as const).every(
    (key) => before[key] === record[key],
  );
  if (same) return;
  const what =
    before.input === record.input ? `an earlier state of ${before.input}` : `${before.topology} of ${before.input}`;
  throw new BlinkstreamError(`${dir} holds the results of ${what}`, {
    code: 'OUTPUT_OF_OTHER_INPUT',
    class: 'user',
    stage: 'output',
    hint: 'name another folder with --out, or remove this one',
  });
}

/** @throws BlinkstreamError `OUTPUT_NOT_WRITABLE` (user) */
export async function makeOutputFolder(dir: string): Promise<void> {
  await writable(dir, () => makeFolder(dir));
}

async function recordOf({
  topology,
  source,
  input,
}: {
  topology: string;
  source: string;
  input: string;
}): Promise<RunRecord> {
  const isUrl = /^[a-z][a-z0-9+.-]+:\/\//i.test(input);
  const info = isUrl ? undefined : await statInput(input);
  return {
    topology,
    source,
    input: isUrl ? withoutCredentials(input) : resolve(input),
    ...(info?.isFile() && { bytes: info.size, changedMs: Math.round(info.mtimeMs) }),
  };
}

function withoutCredentials(input: string): string {
  const url = new URL(input);
  url.username = '';
  url.password = '';
  return url.href;
}

/**
 * What an earlier run left in `recordFile`; undefined where none was there.
 * @throws BlinkstreamError `OUTPUT_NOT_READABLE`, `OUTPUT_DAMAGED` (user)
 */
export async function readRunRecord(file: string): Promise<RunRecord | undefined> {
  let text: string | undefined;
  try {
    text = await ifThere(readFile(file, 'utf8'));
  } catch (cause) {
    throw new BlinkstreamError(`${file} cannot be read: ${messageOf(cause)}`, {
      code: 'OUTPUT_NOT_READABLE',
      class: 'user',
      stage: 'output',
      hint: 'check its permissions, or name another folder with --out',
      cause,
    });
  }
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as RunRecord;
  } catch (cause) {
    throw new BlinkstreamError(`${file} is not the record of a run: ${messageOf(cause)}`, {
      code: 'OUTPUT_DAMAGED',
      class: 'user',
      stage: 'output',
      hint: 'name another folder with --out',
      cause,
    });
  }
}

async function writable(dir: string, write: () => Promise<unknown>): Promise<void> {
  try {
    await write();
  } catch (cause) {
    throw new BlinkstreamError(`cannot write into ${dir}: ${messageOf(cause)}`, {
      code: 'OUTPUT_NOT_WRITABLE',
      class: 'user',
      stage: 'output',
      hint: 'name a folder with --out that can be written to and has room',
      cause,
    });
  }
}
