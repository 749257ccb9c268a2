import { dirname, resolve } from 'node:path';
import { openLmdbLog } from '../../log/lmdb.js';
import type { Dismissal } from '../../changes/feedback.js';
import { readFeedback } from '../../log/feedback.js';
import type { ChangeLog } from '../../log/index.js';
import {
  certificateUnusable,
  deadlinePassed,
  eventsServed,
  fatalNote,
  feedFailed,
  kafkaNote,
  noteJson,
  pushNote,
  reloadNote,
  serviceListener,
  subscriberStalled,
  type TellNote,
  workerDown,
  workerListener,
} from '../../operation/notes.js';
import { type Operation, startOperation } from '../../operation/operation.js';
import { ServiceTally } from '../../operation/tally.js';
import { startEventServer } from '../../outputs/grpc/server.js';
import { jsonLinesOutput } from '../../outputs/jsonl.js';
import { changeEventToJson } from '../../records/convert/change.js';
import { makeFolder } from '../../records/files.js';
import { BlinkstreamError, type ChangeEvent } from '../../records/index.js';
import { persist } from '../../records/persist.js';
import { frameService } from '../../sources/push/service.js';
import { loadDeployment, type LoadedDeployment } from '../../topology/deployment/parse.js';
import { securityIn } from '../../topology/deployment/security.js';
import type { PipelineStatus } from '../../topology/pipeline.js';
import { Service } from '../../topology/service.js';
import type { CommandIo } from '../command.js';
import { eventLine } from '../event-lines.js';
import { type ExitCode, exitCodes } from '../exit-codes.js';
import { claimCheckStore, keepSwept } from './blobs.js';
import { Deployed } from './deployed.js';
import { eventSenders, sendTheRest } from './event-sender.js';
import { kafkaOf, logInKafka, type DeploymentKafka } from './kafka.js';
import { beginPart, partsOf, type PartsContext } from './parts.js';
import { hubOf } from './pushing.js';
import { withSecretsHidden } from './secrets.js';
import { afterDeadline, keepPruned, SideWork } from './side-work.js';
import { startWorkers } from './start-workers.js';

/** What `run` was asked for beside the file, which it takes precedence over. */
export interface RunWishes {
  readonly log?: 'text' | 'json';
}

/**
 * Runs a deployment until its sources have ended or the command is asked to stop: then what was read is finished, within
 * the deadline that the file sets, and committed. On SIGHUP the file is read again. Where notes are wanted as JSON, what
 * it fails by is one of them.
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
  const { workers, outputs, limits, retention, shutdown, blobs, operation } = loaded.deployment;
  const parts = await partsOf(loaded);
  const hub = hubOf(loaded, (line) => tell(pushNote(line)));
  const kafka = await kafkaOf(loaded, (error) => tell(kafkaNote(error)));
  const log = await logOf(loaded, kafka, io.signal);
  if (log === undefined) return exitCodes.done;
  const stop = new AbortController();
  const side = new SideWork(stop);
  const tally = new ServiceTally();
  const listener = serviceListener(tally, tell);
  const onStalled = (): void => {
    tally.stalledSubscribers += 1;
    tell(subscriberStalled);
  };
  try {
    const senders = await eventSenders(loaded, log, tell);
    const server =
      outputs.grpc &&
      (await startEventServer({
        log,
        address: outputs.grpc.listen,
        services: [frameService(hub)],
        security: securityIn(loaded.folder, outputs.grpc),
        onProblem: (problem) => tell(certificateUnusable(problem)),
        onStalled,
      }));
    try {
      if (server) tell(eventsServed(server.address));
      const pool = await startWorkers({
        ...(workers.children !== undefined && { children: workers.children }),
        addresses: workers.addresses,
        security: securityIn(loaded.folder, workers),
        onCertificateUnusable: (problem) => tell(certificateUnusable(problem)),
        onDown: (problem) => tell(workerDown(problem)),
        deadlineMs: workers.deadlineMs,
        listener: workerListener(tell),
        signal: io.signal,
      });
      let watched: Operation | undefined;
      try {
        watched = await startOperation({
          ...operation,
          ...{ log, tally, server, tell },
          workers: pool,
          draining: io.signal,
        });
        const operated = watched;
        side.begin((signal) => keepPruned(log, { everyMs: retention.pruneEveryMs, tell }, signal));
        const lines = outputs.jsonLines && { log, path: resolve(loaded.folder, outputs.jsonLines.file) };
        if (lines) {
          await makeFolder(dirname(lines.path));
          side.begin((signal) => jsonLinesOutput({ ...lines, signal }).then(() => undefined));
        }
        for (const send of senders) side.begin((signal) => send({ untilEnd: false, signal }));
        if (blobs) side.begin((signal) => keepSwept(blobs, loaded.folder, tell, signal));
        const late = afterDeadline(io.signal, shutdown.deadlineMs, stop.signal);
        late.addEventListener('abort', () => tell(deadlinePassed(shutdown.deadlineMs)), { once: true });
        const service = new Service({
          log,
          workers: pool,
          dismissals: () => readFeedback<Dismissal>(resolve(loaded.folder, loaded.deployment.log.folder)),
          budgetBytes: limits.budgetMiB * 2 ** 20,
          keyframesMaxAgeMs: maxAgeMsOf(retention),
          maxPipelines: limits.maxSources,
          drain: io.signal,
          signal: AbortSignal.any([stop.signal, late]),
          listener: {
            ...listener,
            committed: (events) => {
              for (const event of events) tellEvent(io, event);
            },
          },
        });
        const failures: BlinkstreamError[] = [];
        const context: PartsContext = {
          ...{ service, log, hub, kafka },
          addInputLag: (provider) => operated.addInputLag(provider),
          claims: blobs && claimCheckStore(blobs, loaded.folder),
          drain: AbortSignal.any([io.signal, stop.signal]),
          failed: ({ key }, error) => {
            failures.push(error);
            tell(feedFailed(key, error));
          },
        };
        const deployed = new Deployed({
          ...{ loaded, service, hub, partsOf },
          env: io.env,
          tell: (line) => tell(reloadNote(line)),
          begin: (part, now) => beginPart(part, now, context),
        });
        deployed.begin(parts);
        tally.isBegun = true;
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
        // What was committed last is in the file too, and sent where it is taken now; else the next start sends it.
        if (lines) await jsonLinesOutput({ ...lines, untilEnd: true, signal: new AbortController().signal });
        await sendTheRest(senders, shutdown.deadlineMs);
        return exitCodeOf(ended, failures);
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

const maxAgeMsOf = ({ maxAgeDays }: { readonly maxAgeDays?: number | undefined }): number | undefined =>
  maxAgeDays === undefined ? undefined : maxAgeDays * 86_400_000;

/** A cluster that cannot be reached is waited for, as it would be later on; undefined where it is asked to stop before. */
async function logOf(
  loaded: LoadedDeployment,
  kafka: DeploymentKafka | undefined,
  stop: AbortSignal,
): Promise<ChangeLog | undefined> {
  const { retention, log } = loaded.deployment;
  const maxAgeMs = maxAgeMsOf(retention);
  const kept = {
    ...(retention.maxEvents !== undefined && { maxEvents: retention.maxEvents }),
    ...(maxAgeMs !== undefined && { maxAgeMs }),
  };
  if (kafka === undefined || log.kafka === undefined) {
    return openLmdbLog({ path: resolve(loaded.folder, log.folder), retention: kept });
  }
  try {
    return await persist(async () => logInKafka(loaded, kafka, kept), { signal: stop, failed: kafka.problem });
  } catch (error) {
    if (stop.aborted) return undefined;
    throw error;
  }
}

function tellEvent(io: CommandIo, event: ChangeEvent): void {
  if (io.json) io.out.json(changeEventToJson(event));
  else io.out.line(...eventLine(event));
}

/** That of the gravest error among what did not come to a good end. */
function exitCodeOf(ended: readonly PipelineStatus[], failures: readonly BlinkstreamError[]): ExitCode {
  const bad = ended.filter(({ state }) => state === 'failed' || state === 'ended').flatMap(({ error }) => error ?? []);
  const codes = [...bad, ...failures].map(({ exitCode }) => exitCode as ExitCode);
  return codes.length === 0 ? exitCodes.done : (Math.max(...codes) as ExitCode);
}
