import compare from '../../topologies/compare.js';
import { openLmdbLog } from '../log/lmdb.js';
import { memoryLog } from '../log/memory.js';
import type { ChangeLog } from '../log/index.js';
import { jsonLinesOutput } from '../outputs/jsonl.js';
import { BlinkstreamError, type FrameRef } from '../records/index.js';
import { pairSource, type Moment } from '../sources/moments.js';
import type { Source } from '../sources/index.js';
import { zoned } from '../sources/zoned.js';
import { loadZones } from '../topology/deployment/zones.js';
import { unreadableText } from '../operation/notes.js';
import { run } from '../topology/run.js';
import { createWorkerPool } from '../workers/pool.js';
import type { CommandIo } from './command.js';
import { comparedOf } from './compare-moments.js';
import type { CompareOptions } from './compare-options.js';
import { type ExitCode, exitCodes } from './exit-codes.js';
import { claimOutputFolder, makeOutputFolder, outputFolder } from './output-folder.js';
import { print, writeRunReport, type RunFigures } from './run-report.js';

/** Compares two moments and tells what differs; with `out` it leaves events, report and log there. */
export async function runCompare(options: CompareOptions, io: CommandIo): Promise<ExitCode> {
  const zones = options.zones === undefined ? [] : await loadZones(options.zones);
  const { name, moments } = await comparedOf(options, io);
  mustBeOfOneSize(moments);
  const source = zoned(pairSource(name, moments), zones);
  if (options.out === undefined) return compared(memoryLog({ partitions: 1 }), source, options, io);
  await makeOutputFolder(options.out);
  const log = await openLmdbLog({ path: outputFolder(options.out).logFolder });
  try {
    const input = options.other === undefined ? options.source : `${options.source} ${options.other}`;
    await claimOutputFolder(options.out, { topology: compare.name, source: name, input });
    return await compared(log, source, options, io);
  } finally {
    await log.close();
  }
}

async function compared(log: ChangeLog, source: Source, options: CompareOptions, io: CommandIo): Promise<ExitCode> {
  const pool = await createWorkerPool({ children: 1 });
  let figures: RunFigures;
  try {
    let lastFrame: FrameRef | undefined;
    const result = await run({
      topology: compare,
      options: { source, reasoner: options.reasoner },
      source,
      log,
      workers: pool,
      signal: io.signal,
      listener: {
        frame: (ref) => (lastFrame = ref),
        unreadable: (ref, error) => io.notes.line(unreadableText(ref, error)),
      },
    });
    if (result.unreadableFrames > 0) {
      throw new BlinkstreamError(`${source.name}: a picture cannot be decoded`, {
        code: 'PICTURE_DAMAGED',
        class: 'data',
        stage: 'source',
        hint: 'it is truncated or damaged: nothing was compared',
      });
    }
    figures = { ...result, lastFrame };
  } finally {
    await pool.close();
  }
  let changes = 0;
  for await (const entry of log.read({ start: 'earliest', untilEnd: true, signal: io.signal })) {
    if (entry.type !== 'event') continue;
    print(io, entry.event);
    if (entry.event.kind !== 'CONDITION') changes += 1;
  }
  if (options.out !== undefined) {
    const folder = outputFolder(options.out);
    await jsonLinesOutput({ path: folder.eventsFile, log, untilEnd: true, signal: io.signal });
    await writeRunReport(log, folder, { name: source.name }, figures);
    if (!io.json) io.notes.line(`report: ${folder.reportFile}`);
  }
  if (!io.json && changes === 0) io.notes.line('nothing of the scene differs');
  return options.failOnChange && changes > 0 ? exitCodes.changesFound : exitCodes.done;
}

/** @throws BlinkstreamError `PICTURES_OF_TWO_SIZES` (user) */
function mustBeOfOneSize([{ ref: a }, { ref: b }]: readonly [Moment, Moment]): void {
  if (a.width === b.width && a.height === b.height) return;
  throw new BlinkstreamError(
    `the pictures have two sizes, ${a.width} × ${a.height} and ${b.width} × ${b.height}, and so are not of one camera`,
    {
      code: 'PICTURES_OF_TWO_SIZES',
      class: 'user',
      stage: 'source',
      hint: 'give two pictures of one size; screenshots of two releases are for another command',
    },
  );
}
