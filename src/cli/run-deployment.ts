import { dirname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import watch from '../../topologies/watch.js';
import { openLmdbLog } from '../log/lmdb.js';
import type { ChangeLog } from '../log/index.js';
import {
  certificateUnusable,
  deadlinePassed,
  eventsServed,
  fatalNote,
  noteJson,
  serviceListener,
  subscriberStalled,
  type TellNote,
  workerDown,
  workerListener,
} from '../operation/notes.js';
import { type Operation, startOperation } from '../operation/operation.js';
import { ServiceTally } from '../operation/tally.js';
import { startEventServer } from '../outputs/grpc/server.js';
import { jsonLinesOutput } from '../outputs/jsonl.js';
import { changeEventToJson } from '../records/convert/change.js';
import { makeFolder } from '../records/files.js';
import { BlinkstreamError, messageOf, type ChangeEvent } from '../records/index.js';
import { openSource } from '../sources/open.js';
import type { Source } from '../sources/index.js';
import { pipelinesOf } from '../topology/deployment/contradictions.js';
import { DeploymentInvalid, loadDeployment, type LoadedDeployment } from '../topology/deployment/parse.js';
import { securityIn } from '../topology/deployment/security.js';
import type { SourceEntry } from '../topology/deployment/sources.js';
import type { TopologyEntry } from '../topology/deployment/topologies.js';
import { runService, type Pipeline, type PipelineStatus } from '../topology/service.js';
import type { Topology } from '../topology/topology.js';
import { createWorkerPool } from '../workers/pool.js';
import type { CommandIo } from './command.js';
import { eventLine } from './event-lines.js';
import { securityProblems, withSecretsHidden } from './deployment-secrets.js';
import { type ExitCode, exitCodes } from './exit-codes.js';

/** Tells all mistakes of a deployment file, and what it names that cannot be had. */
export async function checkDeployment(file: string, io: CommandIo): Promise<ExitCode> {
  let loaded: LoadedDeployment;
  try {
    loaded = await loadDeployment(file, io.env);
  } catch (error) {
    if (!(error instanceof DeploymentInvalid)) throw error;
    for (const mistake of error.mistakes) tellMistake(io, file, mistake);
    return exitCodes.usage;
  }
  return withSecretsHidden(loaded.secrets, io, (hiding) => checkLoaded(loaded, hiding));
}

async function checkLoaded(loaded: LoadedDeployment, io: CommandIo): Promise<ExitCode> {
  const { file, secrets } = loaded;
  const pipelines = await pipelinesFrom(loaded);
  let problems = 0;
  for (const { path, error } of await securityProblems(loaded)) {
    problems += 1;
    tellMistake(io, file, loaded.text.mistake(path, secrets.hide(error.message)));
  }
  for (const [i, entry] of loaded.deployment.sources.entries()) {
    try {
      await open(entry, loaded);
    } catch (error) {
      if (!(error instanceof BlinkstreamError)) throw error;
      problems += 1;
      tellMistake(
        io,
        file,
        loaded.text.mistake(['sources', i, entry.kind === 'camera' ? 'url' : 'input'], secrets.hide(error.message)),
      );
    }
  }
  if (problems > 0) return exitCodes.input;
  if (io.json)
    io.out.json(JSON.stringify({ pipelines: pipelines.map(({ topology, source }) => `${topology.name}/${source}`) }));
  else io.out.line(`${file} is in order: ${pipelines.length} ${pipelines.length === 1 ? 'pipeline' : 'pipelines'}`);
  return exitCodes.done;
}

function tellMistake(io: CommandIo, file: string, mistake: { line: number; column: number; message: string }): void {
  const { line, column, message } = mistake;
  if (io.json) io.out.json(JSON.stringify({ file, line, column, message }));
  else io.out.line(`${file}:${line}:${column}: ${message}`);
}

/** What `run` was asked for beside the file, which it takes precedence over. */
export interface RunWishes {
  readonly log?: 'text' | 'json';
}

/**
 * Runs a deployment until its sources have ended or the command is asked to stop: then what was read is finished, within
 * the deadline that the file sets, and committed. Where notes are wanted as JSON, what it fails by is one of them.
 */
export async function runDeployment(file: string, io: CommandIo, wishes: RunWishes = {}): Promise<ExitCode> {
  let format = wishes.log ?? 'text';
  const telling =
    ({ notes }: Pick<CommandIo, 'notes'>): TellNote =>
    (note) => {
      if (format === 'json') notes.json(noteJson(note, Date.now()));
      else notes.line(note.message);
    };
  try {
    const loaded = await loadDeployment(file, io.env);
    format = wishes.log ?? loaded.deployment.operation.log;
    return await withSecretsHidden(loaded.secrets, io, (hiding) => serve(loaded, hiding, telling(hiding)));
  } catch (error) {
    if (format === 'text' || !(error instanceof BlinkstreamError)) throw error;
    telling(io)(fatalNote(error));
    return error.exitCode as ExitCode;
  }
}

async function serve(loaded: LoadedDeployment, io: CommandIo, tell: TellNote): Promise<ExitCode> {
  const { workers, log: kept, outputs, limits, retention, shutdown, operation } = loaded.deployment;
  const pipelines = await pipelinesFrom(loaded);
  const log = await openLmdbLog({
    path: resolve(loaded.folder, kept.folder),
    retention: {
      ...(retention.maxEvents !== undefined && { maxEvents: retention.maxEvents }),
      ...(retention.maxAgeDays !== undefined && { maxAgeMs: retention.maxAgeDays * 86_400_000 }),
    },
  });
  const stop = new AbortController();
  const side = new SideWork(stop);
  const tally = new ServiceTally();
  const listener = serviceListener(tally, tell);
  const onStalled = (): void => {
    tally.stalledSubscribers += 1;
    tell(subscriberStalled);
  };
  try {
    const server =
      outputs.grpc &&
      (await startEventServer({
        log,
        address: outputs.grpc.listen,
        security: securityIn(loaded.folder, outputs.grpc),
        onProblem: (problem) => tell(certificateUnusable(problem)),
        onStalled,
      }));
    try {
      if (server) tell(eventsServed(server.address));
      const pool = await createWorkerPool({
        ...(workers.children !== undefined && { children: workers.children }),
        addresses: workers.addresses,
        security: securityIn(loaded.folder, workers),
        onDown: (problem) => tell(workerDown(problem)),
        deadlineMs: workers.deadlineMs,
        listener: workerListener(tell),
      });
      let watched: Operation | undefined;
      try {
        watched = await startOperation({
          ...operation,
          log,
          tally,
          workers: pool,
          server,
          draining: io.signal,
          tell,
        });
        side.begin((signal) => prune(log, retention.pruneEveryMs, signal));
        const lines = outputs.jsonLines && { log, path: resolve(loaded.folder, outputs.jsonLines.file) };
        if (lines) {
          await makeFolder(dirname(lines.path));
          side.begin((signal) => jsonLinesOutput({ ...lines, signal }).then(() => undefined));
        }
        const late = afterDeadline(io.signal, shutdown.deadlineMs, stop.signal);
        late.addEventListener('abort', () => tell(deadlinePassed(shutdown.deadlineMs)), { once: true });
        const running = runService({
          pipelines,
          log,
          workers: pool,
          budgetBytes: limits.budgetMiB * 2 ** 20,
          drain: io.signal,
          signal: AbortSignal.any([stop.signal, late]),
          listener: {
            ...listener,
            committed: (events) => {
              for (const event of events) tellEvent(io, event);
            },
          },
        });
        tally.isBegun = true;
        const ended = await running;
        await side.end();
        // What was committed last is in the file too.
        if (lines) await jsonLinesOutput({ ...lines, untilEnd: true, signal: new AbortController().signal });
        return exitCodeOf(ended);
      } finally {
        await side.end();
        await pool.close();
        await watched?.close();
      }
    } finally {
      await server?.close();
    }
  } finally {
    await log.close();
  }
}

/** What goes on beside the pipelines: where it fails, they stop, because nobody would see what they make. */
class SideWork {
  readonly #ending = new AbortController();
  readonly #work: Promise<void>[] = [];
  #failure: { readonly error: unknown } | undefined;

  constructor(readonly stop: AbortController) {}

  begin(work: (signal: AbortSignal) => Promise<void>): void {
    const failed = (error: unknown): void => {
      this.#failure ??= { error };
      this.stop.abort(error);
    };
    this.#work.push(work(this.#ending.signal).catch(failed));
  }

  /** @throws what any of it failed by, once */
  async end(): Promise<void> {
    this.#ending.abort();
    await Promise.all(this.#work);
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure) throw failure.error;
  }
}

async function prune(log: ChangeLog, everyMs: number, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await log.prune(Date.now());
    await new Promise<void>((wake) => {
      const done = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        wake();
      };
      const timer = setTimeout(done, everyMs);
      signal.addEventListener('abort', done);
    });
  }
}

/** Aborts `deadlineMs` after `asked` did; holds no process that ends before. */
function afterDeadline(asked: AbortSignal, deadlineMs: number, over: AbortSignal): AbortSignal {
  const late = new AbortController();
  const begin = (): void => {
    const timer = setTimeout(() => late.abort(new Error('the time to end was up')), deadlineMs);
    timer.unref();
    over.addEventListener('abort', () => clearTimeout(timer), { once: true });
  };
  if (asked.aborted) begin();
  else asked.addEventListener('abort', begin, { once: true });
  return late.signal;
}

async function pipelinesFrom(loaded: LoadedDeployment): Promise<Pipeline<never>[]> {
  const { topologies, sources } = loaded.deployment;
  const built = await Promise.all(topologies.map((entry) => topologyOf(entry, loaded)));
  return pipelinesOf(loaded.deployment).map(({ topology, source }) => ({
    topology: built[topology],
    options: topologies[topology].options as never,
    source: sources[source].name,
    open: () => open(sources[source], loaded),
  }));
}

/** @throws BlinkstreamError `TOPOLOGY_NOT_LOADED` (user) */
async function topologyOf(entry: TopologyEntry, { file, folder }: LoadedDeployment): Promise<Topology<never>> {
  const found = entry.kind === 'watch' ? watch : await topologyIn(resolve(folder, entry.file), file);
  const { name = found.name } = entry;
  return { name, build: found.build };
}

async function topologyIn(path: string, file: string): Promise<Topology<{ readonly source: Source }>> {
  const failed = (why: string, cause?: unknown): BlinkstreamError =>
    new BlinkstreamError(`topology ${path}, which ${file} names, cannot be loaded: ${why}`, {
      code: 'TOPOLOGY_NOT_LOADED',
      class: 'user',
      stage: 'topology',
      hint: 'give an ECMAScript module whose default export is made by topology()',
      cause,
    });
  let loaded: { readonly default?: unknown };
  try {
    loaded = (await import(pathToFileURL(path).href)) as typeof loaded;
  } catch (cause) {
    throw failed(messageOf(cause), cause);
  }
  const found = loaded.default as Partial<Topology<{ readonly source: Source }>> | undefined;
  if (typeof found?.name !== 'string' || typeof found.build !== 'function') throw failed('it exports no topology');
  return found as Topology<{ readonly source: Source }>;
}

function open(entry: SourceEntry, { folder, deployment }: LoadedDeployment): Promise<Source> {
  const { name } = entry;
  if (entry.kind === 'camera') {
    const { url, transport, videoStream, stallMs, freezeMs } = entry;
    const { maxPixels } = deployment.limits;
    return openSource(url, { name, live: true, transport, videoStream, stallMs, freezeMs, maxPixels });
  }
  const input = /^https?:\/\//i.test(entry.input) ? entry.input : resolve(folder, entry.input);
  const common = { name, maxPixels: deployment.limits.maxPixels };
  if (entry.kind === 'video') return openSource(input, { ...common, timeoutMs: entry.timeoutMs });
  const { intervalMs, timePattern: pattern } = entry;
  return openSource(input, {
    ...common,
    ...(intervalMs !== undefined && { times: { intervalMs } }),
    ...(pattern !== undefined && { times: { pattern } }),
  });
}

function tellEvent(io: CommandIo, event: ChangeEvent): void {
  if (io.json) io.out.json(changeEventToJson(event));
  else io.out.line(...eventLine(event));
}

/** That of the gravest error among pipelines that did not come to a good end. */
function exitCodeOf(ended: readonly PipelineStatus[]): ExitCode {
  const codes = ended.flatMap(({ error, state }) =>
    error !== undefined && (state === 'failed' || state === 'ended') ? [error.exitCode as ExitCode] : [],
  );
  return codes.length === 0 ? exitCodes.done : (Math.max(...codes) as ExitCode);
}
