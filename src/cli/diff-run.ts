import { rm } from 'node:fs/promises';
import diff from '../../topologies/diff.js';
import { openLmdbLog } from '../log/lmdb.js';
import type { ChangeLog } from '../log/index.js';
import { jsonLinesOutput } from '../outputs/jsonl.js';
import { changeEventToJson } from '../records/convert/change.js';
import { BlinkstreamError } from '../records/index.js';
import { openScreenshots, type ScreenshotSource } from '../sources/screenshots.js';
import { run, type RunResult } from '../topology/run.js';
import { createWorkerPool } from '../workers/pool.js';
import type { CommandIo } from './command.js';
import type { DiffOptions } from './diff-options.js';
import { type ExitCode, exitCodes } from './exit-codes.js';
import {
  claimOutputFolder,
  makeOutputFolder,
  outputFolder,
  readRunRecord,
  type OutputFolder,
} from './output-folder.js';
import { differenceLine } from './event-lines.js';

/** Compares the screenshots of two releases; leaves events and log in the output folder. */
export async function runDiff(options: DiffOptions, io: CommandIo): Promise<ExitCode> {
  const source = await openScreenshots(options);
  await makeOutputFolder(options.out);
  const folder = outputFolder(options.out);
  // Screenshots are made anew under the same names: an earlier diff in the folder is one of other pictures.
  // Held for a moment, so that what another run is writing is not taken from it.
  await (await openLmdbLog({ path: folder.logFolder })).close();
  if ((await readRunRecord(folder.recordFile))?.topology === diff.name) {
    for (const path of [folder.logFolder, folder.eventsFile, folder.recordFile])
      await rm(path, { recursive: true, force: true });
  }
  const log = await openLmdbLog({ path: folder.logFolder });
  try {
    const input = `${options.before} ${options.after}`;
    await claimOutputFolder(options.out, { topology: diff.name, source: source.name, input });
    const figures = await compared(source, log, options, io);
    const changes = await tell(source, log, folder, figures, io);
    if (!figures.report.complete || figures.problems.length > 0) throw incomplete(figures, options.out);
    return options.failOnChange && changes > 0 ? exitCodes.changesFound : exitCodes.done;
  } finally {
    await log.close();
  }
}

interface Figures extends RunResult {
  /** What was wrong with pairs that could not be compared. */
  readonly problems: readonly string[];
}

async function compared(
  source: ScreenshotSource,
  log: ChangeLog,
  options: DiffOptions,
  io: CommandIo,
): Promise<Figures> {
  const pool = await createWorkerPool({ ...(options.workers !== undefined && { children: options.workers }) });
  const problems: string[] = [];
  try {
    const result = await run({
      topology: diff,
      options: { source },
      source,
      log,
      workers: pool,
      signal: io.signal,
      listener: {
        frame: (ref) => {
          io.progress.update({ frames: ref.index + 1, events: 0 });
        },
        deadLetter: (error) => problems.push(error.message),
      },
    });
    return { ...result, problems };
  } finally {
    io.progress.end();
    await pool.close();
  }
}

async function tell(
  source: ScreenshotSource,
  log: ChangeLog,
  folder: OutputFolder,
  figures: Figures,
  io: CommandIo,
): Promise<number> {
  let changes = 0;
  for await (const entry of log.read({ start: 'earliest', untilEnd: true, signal: io.signal })) {
    if (entry.type !== 'event') continue;
    if (io.json) io.out.json(changeEventToJson(entry.event));
    else io.out.line(...differenceLine(entry.event));
    if (entry.event.kind !== 'CONDITION') changes += 1;
  }
  await jsonLinesOutput({ path: folder.eventsFile, log, untilEnd: true, signal: io.signal });
  const { report, problems } = figures;
  for (const { where, problem } of report.unreadable) io.notes.line(`not compared: ${where}: ${problem}`);
  for (const problem of problems) io.notes.line(`not compared: ${problem}`);
  if (io.json) return changes;
  const alone = source.onlyBefore.length + source.onlyAfter.length;
  io.notes.line(
    [
      `${source.pairs} ${source.pairs === 1 ? 'pair' : 'pairs'} of screenshots`,
      ...(alone === 0 ? [] : [`${alone} without a counterpart`]),
      changes === 1 ? '1 change' : `${changes} changes`,
      ...(figures.contradicted === 0
        ? []
        : [`${figures.contradicted} claims contradicted by the pixels and not published`]),
    ].join(', '),
  );
  io.notes.line(`events: ${folder.eventsFile}`);
  return changes;
}

const incomplete = ({ report, problems }: Figures, out: string): BlinkstreamError => {
  const count = report.unreadable.length + problems.length;
  return new BlinkstreamError(`${count === 1 ? 'a screenshot' : `${count} screenshots`} could not be compared`, {
    code: 'SOURCE_INCOMPLETE',
    class: 'data',
    stage: 'source',
    hint: `the result for the others is in ${out}`,
  });
};
