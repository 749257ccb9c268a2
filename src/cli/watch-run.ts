import { once } from 'node:events';
import watch from '../../topologies/watch.js';
import type { Dismissal } from '../changes/feedback.js';
import { readFeedback } from '../log/feedback.js';
import { openLmdbLog } from '../log/lmdb.js';
import type { ChangeLog } from '../log/index.js';
import { startEventServer } from '../outputs/grpc/server.js';
import { jsonLinesOutput } from '../outputs/jsonl.js';
import { BlinkstreamError, requireTimeZone, Schedule, type ChangeEvent, type FrameRef } from '../records/index.js';
import { openSource } from '../sources/open.js';
import type { SourceReport } from '../sources/index.js';
import { scheduled } from '../sources/scheduled.js';
import { zoned } from '../sources/zoned.js';
import { loadZones } from '../topology/deployment/zones.js';
import { unreadableText } from '../operation/notes.js';
import { run } from '../topology/run.js';
import { createWorkerPool } from '../workers/pool.js';
import type { CommandIo } from './command.js';
import { type ExitCode, exitCodes } from './exit-codes.js';
import { usageError } from './failure.js';
import { claimOutputFolder, makeOutputFolder, outputFolder, type OutputFolder } from './output-folder.js';
import { print, writeRunReport, type RunFigures } from './run-report.js';
import { serverSecurityOf } from './security-options.js';
import { timesOf } from './times-asked.js';
import type { WatchOptions } from './watch-options.js';

/** What a caller in this process does beside a watch, while its events are served. */
export interface Companion {
  /** Events are served there from now on; the first frame has not been read yet. */
  served(address: string): void;
  /** Everything is committed and reported; the server closes once this has resolved. */
  told(changes: readonly (readonly ChangeEvent[])[]): Promise<void>;
}

/** Watches one input from end to end: log, events.jsonl, report, and gRPC where asked. Goes on where a run stopped. */
export const runWatch = async (options: WatchOptions, io: CommandIo, companion?: Companion): Promise<ExitCode> => {
  const { input, name, timeZone } = options;
  const times = timesOf(options);
  const security = await serverSecurityOf(options, io.env);
  if (options.listen === undefined && (security.tls ?? security.token) !== undefined) {
    throw usageError('--cert and a token protect what is served, and nothing is', 'give --listen');
  }
  const zones = options.zones === undefined ? [] : await loadZones(options.zones);
  if (timeZone !== undefined) requireTimeZone(timeZone);
  const schedule = options.schedule === undefined ? undefined : Schedule.parse(options.schedule, timeZone);
  const opened = await openSource(input, { ...(name !== undefined && { name }), ...(times && { times }) });
  const source = scheduled(zoned(opened, zones), schedule);
  if (schedule) io.notes.line(`changes are told ${schedule.words}`);
  await makeOutputFolder(options.out);
  const folder = outputFolder(options.out);
  const log = await openLmdbLog({ path: folder.logFolder });
  try {
    await claimOutputFolder(options.out, { topology: watch.name, source: source.name, input });
    const server =
      options.listen === undefined
        ? undefined
        : await startEventServer({
            log,
            address: options.listen,
            security,
            onProblem: (problem) => io.notes.line(problem.message),
          });
    try {
      if (server) {
        io.notes.line(`change events are served on ${server.address}`);
        companion?.served(server.address);
      }
      const pool = await createWorkerPool({
        ...(options.workers !== undefined && { children: options.workers }),
        addresses: options.workerAddress,
      });
      let figures: RunFigures;
      try {
        figures = await watchSource(io, { source, log, pool, folder, reasoner: options.reasoner });
      } finally {
        await pool.close();
      }
      const told = await writeRunReport(log, folder, { name: source.name, schedule, timeZone }, figures);
      const changes = told.filter((revisions) => revisions[0].kind !== 'CONDITION').length;
      tellEnd(io, options, figures, changes);
      await companion?.told(told);
      if (options.keepServing && server && !io.signal.aborted) await once(io.signal, 'abort');
      if (!figures.report.complete || figures.unreadableFrames > 0) throw partial(input, figures, options.out);
      return options.failOnChange && changes > 0 ? exitCodes.changesFound : exitCodes.done;
    } finally {
      await server?.close();
    }
  } finally {
    await log.close();
  }
};

interface Parts {
  readonly source: Awaited<ReturnType<typeof openSource>>;
  readonly log: ChangeLog;
  readonly pool: Awaited<ReturnType<typeof createWorkerPool>>;
  readonly folder: OutputFolder;
  readonly reasoner: string;
}

/** The run proper, with events.jsonl following the log beside it; both have ended when it returns or throws. */
async function watchSource(io: CommandIo, { source, log, pool, folder, reasoner }: Parts): Promise<RunFigures> {
  const following = new AbortController();
  const lines = { path: folder.eventsFile, log };
  const output = jsonLinesOutput({ ...lines, signal: following.signal });
  // An output that fails ends the run: without it events would be made that nobody sees.
  const outputFailed = output.then(
    () => undefined,
    (error: unknown) => {
      following.abort(error);
      throw error;
    },
  );
  let frames = 0;
  let events = 0;
  let lastFrame: FrameRef | undefined;
  try {
    const running = run({
      topology: watch,
      options: { source, reasoner },
      source,
      log,
      dismissals: await readFeedback<Dismissal>(folder.logFolder),
      workers: pool,
      signal: AbortSignal.any([io.signal, following.signal]),
      listener: {
        frame: (ref) => {
          frames = ref.index + 1;
          lastFrame = ref;
          io.progress.update({ frames, events });
        },
        committed: (committed) => {
          events += committed.length;
          for (const event of committed) print(io, event);
        },
        late: (ref) =>
          io.notes.line(`frame ${ref.index} of ${ref.source} came too late for its window and was left out`),
        unreadable: (ref, error) => io.notes.line(unreadableText(ref, error)),
        deadLetter: (error) => io.notes.line(`not reasoned over: ${error.message}`),
      },
    });
    const result = await Promise.race([running, outputFailed.then(() => running)]);
    return { ...result, lastFrame };
  } finally {
    io.progress.end();
    following.abort();
    await outputFailed;
    await jsonLinesOutput({ ...lines, untilEnd: true, signal: new AbortController().signal });
  }
}

function tellEnd(io: CommandIo, { out }: WatchOptions, figures: RunFigures, changes: number): void {
  if (io.json) return;
  const { report: source, alreadyDone, lateFrames, unreadableFrames, deadLetters, contradicted, heldBack } = figures;
  const counted = (n: number, what: string) => (n === 0 ? [] : [`${n} ${what}`]);
  io.notes.line(
    [
      `${alreadyDone ? 'already done: ' : ''}${source.framesRead} frames, ${changes === 1 ? '1 change' : `${changes} changes`}`,
      ...counted(
        contradicted,
        `claims contradicted by the pixels and not published (blinkstream inspect ${out} --contradicted)`,
      ),
      ...counted(heldBack, 'held back because they lay outside of the schedule'),
      ...counted(lateFrames, 'late frames left out'),
      ...counted(unreadableFrames, 'frames that cannot be decoded left out'),
      ...counted(deadLetters, 'sequences not reasoned over'),
    ].join(', '),
  );
  for (const { where, problem } of source.unreadable) io.notes.line(`unreadable: ${where}: ${problem}`);
  io.notes.line(`report: ${outputFolder(out).reportFile}`);
}

/** What was read is told and kept; that it is not all is an error of the input. */
const partial = (input: string, { report, unreadableFrames }: RunFigures, out: string): BlinkstreamError =>
  new BlinkstreamError(report.problem ?? `${input} is incomplete: ${whatIsThere(report, unreadableFrames)}`, {
    code: 'SOURCE_INCOMPLETE',
    class: 'data',
    stage: 'source',
    hint: `the result up to there is in ${out}`,
  });

const whatIsThere = ({ framesRead }: SourceReport, unreadableFrames: number): string =>
  unreadableFrames === 0
    ? `${framesRead} frames were read`
    : `of ${framesRead} frames ${unreadableFrames} cannot be decoded`;
