import { dirname, resolve } from 'node:path';
import { openLmdbLog } from '../../log/lmdb.js';
import type { ChangeLog } from '../../log/index.js';
import { startEventServer } from '../../outputs/grpc/server.js';
import { jsonLinesOutput } from '../../outputs/jsonl.js';
import { changeEventToJson } from '../../records/convert/change.js';
import { makeFolder } from '../../records/files.js';
import type { BlinkstreamError, ChangeEvent } from '../../records/index.js';
import { frameService } from '../../sources/push/service.js';
import { loadDeployment, type LoadedDeployment } from '../../topology/deployment/parse.js';
import { securityIn } from '../../topology/deployment/security.js';
import type { PipelineStatus } from '../../topology/pipeline.js';
import { Service } from '../../topology/service.js';
import { createWorkerPool } from '../../workers/pool.js';
import type { CommandIo } from '../command.js';
import { eventLine } from '../event-lines.js';
import { type ExitCode, exitCodes } from '../exit-codes.js';
import { claimCheckStore, keepSwept } from './blobs.js';
import { Deployed } from './deployed.js';
import { eventSender } from './event-sender.js';
import { kafkaOf, logInKafka, type DeploymentKafka } from './kafka.js';
import { beginPart, partsOf, type PartsContext } from './parts.js';
import { hubOf } from './pushing.js';
import { withSecretsHidden } from './secrets.js';
import { afterDeadline, keepPruned, SideWork } from './side-work.js';

/**
 * Runs a deployment until its sources have ended or the command is asked to stop: then what was read is finished, within
 * the deadline that the file sets, and committed. On SIGHUP the file is read again.
 */
export async function runDeployment(file: string, io: CommandIo): Promise<ExitCode> {
  const loaded = await loadDeployment(file, io.env);
  return withSecretsHidden(loaded.secrets, io, (hiding) => runLoaded(loaded, hiding));
}

async function runLoaded(loaded: LoadedDeployment, io: CommandIo): Promise<ExitCode> {
  const { workers, outputs, limits, retention, shutdown, blobs } = loaded.deployment;
  const tell = (line: string): void => io.notes.line(line);
  const parts = await partsOf(loaded);
  const hub = hubOf(loaded, tell);
  const kafka = await kafkaOf(loaded, (error) => tell(error.message));
  const log = await logOf(loaded, kafka);
  const stop = new AbortController();
  const side = new SideWork(stop);
  try {
    const send = await eventSender(loaded, log, io);
    const server =
      outputs.grpc &&
      (await startEventServer({
        log,
        address: outputs.grpc.listen,
        services: [frameService(hub)],
        security: securityIn(loaded.folder, outputs.grpc),
        onProblem: (problem) => tell(problem.message),
      }));
    try {
      if (server) tell(`change events are served on ${server.address}`);
      const pool = await createWorkerPool({
        ...(workers.children !== undefined && { children: workers.children }),
        addresses: workers.addresses,
        deadlineMs: workers.deadlineMs,
        security: securityIn(loaded.folder, workers),
        onDown: (down) => tell(down.message),
      });
      try {
        side.begin((signal) => keepPruned(log, retention.pruneEveryMs, signal));
        const lines = outputs.jsonLines && { log, path: resolve(loaded.folder, outputs.jsonLines.file) };
        if (lines) {
          await makeFolder(dirname(lines.path));
          side.begin((signal) => jsonLinesOutput({ ...lines, signal }).then(() => undefined));
        }
        if (send) side.begin((signal) => send({ untilEnd: false, signal }));
        if (blobs) side.begin((signal) => keepSwept(blobs, loaded.folder, io, signal));
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
            late: (ref) => tell(`frame ${ref.index} of ${ref.source} came too late for its window and was left out`),
            deadLetter: (error) => tell(`not reasoned over: ${error.message}`),
          },
        });
        const failures: BlinkstreamError[] = [];
        const context: PartsContext = {
          ...{ service, log, hub, kafka },
          claims: blobs && claimCheckStore(blobs, loaded.folder),
          drain: AbortSignal.any([io.signal, stop.signal]),
          failed: ({ key }, error) => {
            failures.push(error);
            tell(`${key} failed: ${error.message}`);
          },
        };
        const deployed = new Deployed({
          ...{ loaded, service, hub, partsOf, tell },
          env: io.env,
          begin: (part, now) => beginPart(part, now, context),
        });
        deployed.begin(parts);
        // What it rejects by, the service ends by.
        const reload = (): void => void deployed.reload().catch(() => undefined);
        process.on('SIGHUP', reload);
        const ended = await service
          .ended()
          .catch((error: unknown) => {
            stop.abort(error);
            throw error;
          })
          .finally(() => process.off('SIGHUP', reload));
        await side.end();
        // What was committed last is in the file too, and in the topic where Kafka takes it; else the next start sends it.
        if (lines) await jsonLinesOutput({ ...lines, untilEnd: true, signal: new AbortController().signal });
        await send?.({ untilEnd: true, signal: AbortSignal.timeout(shutdown.deadlineMs) });
        return exitCodeOf(ended, failures);
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

async function logOf(loaded: LoadedDeployment, kafka: DeploymentKafka | undefined): Promise<ChangeLog> {
  const { retention, log } = loaded.deployment;
  const kept = {
    ...(retention.maxEvents !== undefined && { maxEvents: retention.maxEvents }),
    ...(retention.maxAgeDays !== undefined && { maxAgeMs: retention.maxAgeDays * 86_400_000 }),
  };
  const inKafka = kafka && (await logInKafka(loaded, kafka, kept));
  return inKafka ?? openLmdbLog({ path: resolve(loaded.folder, log.folder), retention: kept });
}

function tellEvent(io: CommandIo, event: ChangeEvent): void {
  if (io.json) io.out.json(changeEventToJson(event));
  else io.out.line(...eventLine(event));
}

function tellState(io: CommandIo, { topology, source, state, error, frames, events }: PipelineStatus): void {
  const why = error === undefined ? '' : `: ${error.message}`;
  io.notes.line(`${topology}/${source} ${state}, ${frames} frames, ${events} events${why}`);
}

/** That of the gravest error among what did not come to a good end. */
function exitCodeOf(ended: readonly PipelineStatus[], failures: readonly BlinkstreamError[]): ExitCode {
  const bad = ended.filter(({ state }) => state === 'failed' || state === 'ended').flatMap(({ error }) => error ?? []);
  const codes = [...bad, ...failures].map(({ exitCode }) => exitCode as ExitCode);
  return codes.length === 0 ? exitCodes.done : (Math.max(...codes) as ExitCode);
}
