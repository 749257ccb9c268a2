import { kafkaNote, certificateUnusable, workerDown } from '../../operation/notes.js';
import { changeEventToJson } from '../../records/convert/change.js';
import { BlinkstreamError } from '../../records/index.js';
import { kafkaReplay } from '../../sources/kafka/replay/feed.js';
import { stretchOf } from '../../sources/kafka/replay/stretch.js';
import { TopicOffsets } from '../../sources/kafka/topic-offsets.js';
import { loadDeployment, type LoadedDeployment } from '../../topology/deployment/parse.js';
import { securityIn } from '../../topology/deployment/security.js';
import type { KafkaSourceEntry } from '../../topology/deployment/sources.js';
import { feedService } from '../../topology/feeding.js';
import { Service } from '../../topology/service.js';
import { createWorkerPool } from '../../workers/pool.js';
import type { CommandIo } from '../command.js';
import { eventLine } from '../event-lines.js';
import { type ExitCode, exitCodes } from '../exit-codes.js';
import type { ReplayOptions } from '../replay-options.js';
import { claimCheckStore } from './blobs.js';
import { kafkaOf, type DeploymentKafka } from './kafka.js';
import { asAsked, partsOf, type Part } from './parts.js';
import { sourceOf, withReasoner } from './replay-asked.js';
import { changesOf, compared, nameInRun, tellOutcome } from './replay-comparison.js';
import { writeEvents, writeRunReport } from './replay-folder.js';
import { keepRecord, mustBeOfSame, recordedRun, type Asked, type RunRecord, type Watched } from './replay-record.js';
import { newRunId, openResults, type Results } from './replay-results.js';
import { withSecretsHidden } from './secrets.js';
import { afterDeadline } from './side-work.js';

/**
 * Looks at a stretch of a topic again and holds what it tells against what the deployment told. Goes on where the same run
 * stopped. Neither joins a group of the deployment nor commits an offset.
 */
export async function runReplay(file: string, options: ReplayOptions, io: CommandIo): Promise<ExitCode> {
  const read = await loadDeployment(file, io.env);
  return withSecretsHidden(read.secrets, io, async (hiding) => {
    const entry = sourceOf(read, options.source);
    const loaded = withReasoner(read, entry.name, options);
    const kafka = await kafkaOf(loaded, (error) => hiding.notes.line(kafkaNote(error).message));
    if (kafka === undefined) throw new RangeError(`${entry.name} needs Kafka, of which the deployment does not speak`);
    const parts = (await partsOf(loaded)).filter(({ entry: { name } }) => name === entry.name);
    return new Replay({ loaded, entry, kafka, parts, options, io: hiding }).run();
  });
}

interface ReplayParts {
  readonly loaded: LoadedDeployment;
  readonly entry: KafkaSourceEntry;
  readonly kafka: DeploymentKafka;
  /** The source as each topology reads it. */
  readonly parts: readonly Part[];
  readonly options: ReplayOptions;
  readonly io: CommandIo;
}

class Replay {
  readonly #watched = new Map<string, Watched>();

  constructor(private readonly given: ReplayParts) {}

  async run(): Promise<ExitCode> {
    const { loaded, kafka, options, io } = this.given;
    const newRun = options.run ?? newRunId(Date.now());
    const results = await openResults(loaded, { out: options.out, run: newRun }, kafka);
    let isDone = false;
    try {
      const record = await this.#takeUp(results, newRun);
      try {
        isDone = record.watched !== undefined || (await this.#lookAgain(record, results));
      } finally {
        if (options.out !== undefined) await writeEvents(results.log, options.out);
      }
      if (!isDone) {
        io.notes.line(`run ${record.run} is not at its end: the same command with --run ${record.run} goes on`);
        return exitCodes.interrupted;
      }
      await this.#tell(record, results);
      return exitCodes.done;
    } finally {
      await results.close(isDone);
    }
  }

  /** The run as it was begun, or as it begins now. */
  async #takeUp({ record: place, place: where }: Results, newRun: string): Promise<RunRecord> {
    const { entry, kafka, parts, options, io } = this.given;
    const asked: Asked = {
      source: entry.name,
      topic: entry.topic,
      cameras: [...options.camera].sort(),
      from: options.from,
      to: options.to,
      topologies: parts.map(({ topology: { name }, options: of }) => ({ name, options: of })),
    };
    const recorded = await recordedRun(place);
    if (recorded !== undefined) {
      mustBeOfSame(recorded, asked, options.run, where);
      const { run, watched } = recorded;
      io.notes.line(watched === undefined ? `run ${run} goes on` : `run ${run} was at its end already`);
      return recorded;
    }
    const { topic, group } = entry;
    const offsets = new TopicOffsets({ kafka: kafka.client, topic, group });
    try {
      const stretch = await stretchOf(options.from, options.to, offsets);
      for (const { partition, isCut } of stretch.partitions) {
        if (isCut) io.notes.line(`${topic}/${partition} may have held more of it: earlier messages have expired`);
      }
      const record = { run: newRun, asked, stretch };
      await keepRecord(place, record);
      io.notes.line(`run ${newRun} begins`);
      return record;
    } finally {
      await offsets.close();
    }
  }

  /** @returns whether it came to its end @throws what any of it failed by */
  async #lookAgain(record: RunRecord, results: Results): Promise<boolean> {
    const { loaded, parts, io } = this.given;
    const { workers, limits, shutdown } = loaded.deployment;
    const stop = new AbortController();
    const pool = await createWorkerPool({
      ...(workers.children !== undefined && { children: workers.children }),
      addresses: workers.addresses,
      security: securityIn(loaded.folder, workers),
      onDown: (problem) => io.notes.line(workerDown(problem).message),
      onCertificateUnusable: (problem) => io.notes.line(certificateUnusable(problem).message),
      deadlineMs: workers.deadlineMs,
    });
    try {
      const late = afterDeadline(io.signal, shutdown.deadlineMs, stop.signal);
      let [frames, events] = [0, 0];
      const service = new Service({
        log: results.log,
        workers: pool,
        budgetBytes: limits.budgetMiB * 2 ** 20,
        maxPipelines: limits.maxSources,
        drain: io.signal,
        signal: AbortSignal.any([stop.signal, late]),
        listener: {
          pipeline: ({ source }) => ({
            frame: () => io.progress.update({ frames: (frames += 1), events }),
            late: (ref) =>
              io.notes.line(`frame ${ref.index} of ${source} came too late for its window and was left out`),
            deadLetter: (error) => io.notes.line(`not reasoned over: ${error.message}`),
          }),
          committed: (committed) => {
            events += committed.length;
            for (const event of committed) {
              if (io.json) io.out.json(changeEventToJson(event));
              else io.out.line(...eventLine(event));
            }
          },
        },
      });
      const reading = AbortSignal.any([io.signal, stop.signal]);
      parts.forEach((part, i) =>
        service.during(this.#feed(service, part, { record, results, reading, isFirst: i === 0 })),
      );
      await service.ended().catch((error: unknown) => {
        stop.abort(error);
        throw error;
      });
    } finally {
      io.progress.end();
      await pool.close();
    }
    if (io.signal.aborted) return false;
    if (this.#watched.size === 0) throw nothingThere(this.given);
    await keepRecord(results.record, { ...record, watched: this.#watched });
    return true;
  }

  #feed(
    service: Service,
    { topology, options }: Part,
    given: { record: RunRecord; results: Results; reading: AbortSignal; isFirst: boolean },
  ): Promise<void> {
    const { loaded, entry, kafka, io } = this.given;
    const { record, results, reading, isFirst } = given;
    const { limits, blobs } = loaded.deployment;
    const { topic, group, maxFrameBytes, partitionMiB, maxCameras } = entry;
    const feed = kafkaReplay({
      ...{ client: kafka.client, topic, group },
      stretch: record.stretch,
      cameras: record.asked.cameras,
      committer: results.log,
      ...(blobs && { blobs: claimCheckStore(blobs, loaded.folder) }),
      limits: { maxFrameBytes, maxPixels: limits.maxPixels, partitionBytes: partitionMiB * 2 ** 20, maxCameras },
      listener: {
        problem: kafka.problem,
        // All topologies are given the same.
        ...(isFirst && {
          frame: (camera, timeMs) => this.#saw(camera, timeMs),
          passedOver: (where, error) => io.notes.line(`passed over: ${where}: ${error.message}`),
        }),
      },
    });
    const inRun = { name: nameInRun(topology.name, record.run), build: topology.build };
    // What is private is so whenever it is looked at.
    return feedService(service, { feed: asAsked(feed, entry), topology: inRun, options }, reading);
  }

  #saw(camera: string, timeMs: number): void {
    const { firstMs = timeMs, lastMs = timeMs, frames = 0 } = this.#watched.get(camera) ?? {};
    this.#watched.set(camera, {
      firstMs: Math.min(firstMs, timeMs),
      lastMs: Math.max(lastMs, timeMs),
      frames: frames + 1,
    });
  }

  async #tell({ run, watched = this.#watched }: RunRecord, { log, before, place }: Results): Promise<void> {
    const { parts, options, io } = this.given;
    const topologies = parts.map(({ topology: { name } }) => name);
    if (options.out !== undefined) {
      const names = topologies.map((name) => nameInRun(name, run));
      await writeRunReport({ log, out: options.out, run }, watched, await changesOf(log, names, watched));
    }
    const comparison = before && (await compared({ run, topologies, log, before, watched }));
    tellOutcome({ run, place, watched, comparison }, io);
  }
}

const nothingThere = ({ entry: { topic }, options: { camera } }: ReplayParts): BlinkstreamError =>
  new BlinkstreamError(`no frame of ${camera.length === 0 ? `topic ${topic}` : camera.join(', ')} is in that stretch`, {
    code: 'REPLAY_EMPTY',
    class: 'user',
    stage: 'source',
    hint: 'times are those at which frames were taken; frames that were sent much later are found by offsets',
  });
