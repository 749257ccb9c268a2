import { dirname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import watch from '../../topologies/watch.js';
import { openLmdbLog } from '../log/lmdb.js';
import type { ChangeLog } from '../log/index.js';
import { startEventServer } from '../outputs/grpc/server.js';
import { jsonLinesOutput } from '../outputs/jsonl.js';
import { changeEventToJson } from '../records/convert/change.js';
import { makeFolder } from '../records/files.js';
import { BlinkstreamError, messageOf, type ChangeEvent } from '../records/index.js';
import { openSource } from '../sources/open.js';
import { PushHub } from '../sources/push/hub.js';
import { frameService } from '../sources/push/service.js';
import type { Source } from '../sources/index.js';
import { pipelinesOf } from '../topology/deployment/contradictions.js';
import { DeploymentInvalid, loadDeployment, type LoadedDeployment } from '../topology/deployment/parse.js';
import type { SourceEntry } from '../topology/deployment/sources.js';
import type { TopologyEntry } from '../topology/deployment/topologies.js';
import type { Pipeline, PipelineStatus } from '../topology/pipeline.js';
import { Service } from '../topology/service.js';
import type { Topology } from '../topology/topology.js';
import { createWorkerPool } from '../workers/pool.js';
import type { CommandIo } from './command.js';
import { eventLine } from './event-lines.js';
import { type ExitCode, exitCodes } from './exit-codes.js';
import { Deployed, pushedIn } from './reload.js';

/** Tells all mistakes of a deployment file, and what it names that cannot be had. */
export async function checkDeployment(file: string, io: CommandIo): Promise<ExitCode> {
  let loaded: LoadedDeployment;
  try {
    loaded = await loadDeployment(file);
  } catch (error) {
    if (!(error instanceof DeploymentInvalid)) throw error;
    for (const mistake of error.mistakes) tellMistake(io, file, mistake);
    return exitCodes.usage;
  }
  const hub = hubOf(loaded, io);
  const pipelines = await pipelinesFrom(loaded, hub);
  let problems = 0;
  for (const [i, entry] of loaded.deployment.sources.entries()) {
    try {
      await open(entry, loaded, hub);
    } catch (error) {
      if (!(error instanceof BlinkstreamError)) throw error;
      problems += 1;
      tellMistake(
        io,
        file,
        loaded.text.mistake(['sources', i, entry.kind === 'camera' ? 'url' : 'input'], error.message),
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

/**
 * Runs a deployment until its sources have ended or the command is asked to stop: then what was read is finished, within
 * the deadline that the file sets, and committed. On SIGHUP the file is read again.
 */
export async function runDeployment(file: string, io: CommandIo): Promise<ExitCode> {
  const loaded = await loadDeployment(file);
  const { workers, log: kept, outputs, limits, retention, shutdown } = loaded.deployment;
  const hub = hubOf(loaded, io);
  const pipelines = await pipelinesFrom(loaded, hub);
  const log = await openLmdbLog({
    path: resolve(loaded.folder, kept.folder),
    retention: {
      ...(retention.maxEvents !== undefined && { maxEvents: retention.maxEvents }),
      ...(retention.maxAgeDays !== undefined && { maxAgeMs: retention.maxAgeDays * 86_400_000 }),
    },
  });
  const stop = new AbortController();
  const side = new SideWork(stop);
  try {
    const server =
      outputs.grpc && (await startEventServer({ log, address: outputs.grpc.listen, services: [frameService(hub)] }));
    try {
      if (server) io.notes.line(`change events are served on ${server.address}`);
      const pool = await createWorkerPool({
        ...(workers.children !== undefined && { children: workers.children }),
        addresses: workers.addresses,
        deadlineMs: workers.deadlineMs,
      });
      try {
        side.begin((signal) => prune(log, retention.pruneEveryMs, signal));
        const lines = outputs.jsonLines && { log, path: resolve(loaded.folder, outputs.jsonLines.file) };
        if (lines) {
          await makeFolder(dirname(lines.path));
          side.begin((signal) => jsonLinesOutput({ ...lines, signal }).then(() => undefined));
        }
        const service = new Service({
          log,
          workers: pool,
          budgetBytes: limits.budgetMiB * 2 ** 20,
          maxPipelines: limits.maxSources,
          drain: io.signal,
          signal: AbortSignal.any([stop.signal, afterDeadline(io.signal, shutdown.deadlineMs, stop.signal)]),
          listener: {
            state: (status) => tellState(io, status),
            committed: (events) => {
              for (const event of events) tellEvent(io, event);
            },
            late: (ref) =>
              io.notes.line(`frame ${ref.index} of ${ref.source} came too late for its window and was left out`),
            deadLetter: (error) => io.notes.line(`not reasoned over: ${error.message}`),
          },
        });
        const deployed = new Deployed({
          loaded,
          service,
          hub,
          pipelinesFrom: (now) => pipelinesFrom(now, hub),
          tell: (line) => io.notes.line(line),
        });
        deployed.begin(pipelines);
        // What it rejects by, the service ends by.
        const reload = (): void => void deployed.reload().catch(() => undefined);
        process.on('SIGHUP', reload);
        const ended = await service.ended().finally(() => process.off('SIGHUP', reload));
        await side.end();
        // What was committed last is in the file too.
        if (lines) await jsonLinesOutput({ ...lines, untilEnd: true, signal: new AbortController().signal });
        return exitCodeOf(ended);
      } finally {
        await side.end();
        await pool.close();
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

async function pipelinesFrom(loaded: LoadedDeployment, hub: PushHub): Promise<Pipeline<never>[]> {
  const { topologies, sources } = loaded.deployment;
  const built = await Promise.all(topologies.map((entry) => topologyOf(entry, loaded)));
  return pipelinesOf(loaded.deployment).map(({ topology, source }) => ({
    topology: built[topology],
    options: topologies[topology].options as never,
    source: sources[source].name,
    open: () => open(sources[source], loaded, hub),
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

/** The cameras of a deployment that clients push. */
function hubOf({ deployment }: LoadedDeployment, io: CommandIo): PushHub {
  const hub = new PushHub({
    maxPixels: deployment.limits.maxPixels,
    onRefused: ({ source, sequence, problem }, count) => {
      // A client may send nothing else: the first of a kind is told, the tenth, the hundredth, and so on.
      if (!/^10*$/.test(String(count))) return;
      io.notes.line(`frame ${sequence} of ${source} was refused: ${problem}${count > 1 ? ` (${count} so far)` : ''}`);
    },
    onError: (error) => io.notes.line(`a client that pushes frames was let go: ${messageOf(error)}`),
  });
  // Before anybody can ask: a client that is told that there is no such camera gives up.
  hub.declare(pushedIn(deployment));
  return hub;
}

async function open(entry: SourceEntry, { folder, deployment }: LoadedDeployment, hub: PushHub): Promise<Source> {
  const { name } = entry;
  if (entry.kind === 'push') return hub.source(name, { stallMs: entry.stallMs });
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

function tellState(io: CommandIo, { topology, source, state, error, frames, events }: PipelineStatus): void {
  const why = error === undefined ? '' : `: ${error.message}`;
  io.notes.line(`${topology}/${source} ${state}, ${frames} frames, ${events} events${why}`);
}

/** That of the gravest error among pipelines that did not come to a good end. */
function exitCodeOf(ended: readonly PipelineStatus[]): ExitCode {
  const codes = ended.flatMap(({ error, state }) =>
    error !== undefined && (state === 'failed' || state === 'ended') ? [error.exitCode as ExitCode] : [],
  );
  return codes.length === 0 ? exitCodes.done : (Math.max(...codes) as ExitCode);
}
