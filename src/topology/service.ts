import { setTimeout as pause } from 'node:timers/promises';
import type { Committer } from '../log/index.js';
import { BlinkstreamError, messageOf, type ChangeEvent, type FrameRef } from '../records/index.js';
import type { Source } from '../sources/index.js';
import type { PipelineListener } from './context.js';
import { run, type RunOptions, type RunResult } from './run.js';
import type { Topology } from './topology.js';

/** One source in one topology, as a service keeps it going. */
export interface Pipeline<Options extends { readonly source: Source } = { readonly source: Source }> {
  readonly topology: Topology<Options>;
  /** Those of the topology, without the source. */
  readonly options: Omit<Options, 'source'>;
  /** Name of the source; with the topology's it is the key of the checkpoint. */
  readonly source: string;
  /** Called for each attempt, so that an input that was not there may be there the next time. */
  open(): Promise<Source>;
}

/** `waiting`: for another attempt. `ended`: its source is at its end. `suspended`: the service stops. `failed`: for good. */
export type PipelineState = 'starting' | 'running' | 'waiting' | 'ended' | 'suspended' | 'failed';

/** How a pipeline is doing. */
export interface PipelineStatus {
  readonly topology: string;
  readonly source: string;
  readonly state: PipelineState;
  /** Frames read by this process. */
  readonly frames: number;
  readonly lastFrame?: FrameRef;
  /** Events committed by this process. */
  readonly events: number;
  readonly lateFrames: number;
  readonly deadLetters: number;
  /** Attempts that ended in an error, one after the other. */
  readonly failures: number;
  readonly error?: BlinkstreamError;
}

export interface ServiceListener {
  state?(status: PipelineStatus): void;
  /** Asked once for each pipeline, when it is begun: who listens to all that this one tells, over all its attempts. */
  pipeline?(pipeline: Pick<PipelineStatus, 'topology' | 'source'>): PipelineListener;
  committed?(events: readonly ChangeEvent[]): void;
  late?(ref: FrameRef): void;
  deadLetter?(error: BlinkstreamError): void;
}

export interface ServiceOptions {
  readonly pipelines: readonly Pipeline<never>[];
  readonly log: Committer;
  readonly workers: RunOptions<unknown>['workers'];
  /** Bytes of frames in flight, all pipelines together; each has an equal share, so that none can starve another. */
  readonly budgetBytes: number;
  /** Stops the reading; what was read is worked on and committed. */
  readonly drain: AbortSignal;
  /** Stops at once; the next start goes on from the last checkpoints. */
  readonly signal: AbortSignal;
  readonly listener?: ServiceListener;
  /** Longest pause before another attempt, ms; default 60,000. */
  readonly maxPauseMs?: number;
}

const firstPauseMs = 1_000;

/**
 * Keeps pipelines going until each of them has ended or failed, or the service is drained. They share log and workers
 * and nothing else: one that stalls or breaks neither delays nor ends another.
 *
 * What an error means is its class's: `external` and `resource` are tried again after pauses that double up to
 * `maxPauseMs` and begin anew once something was committed; `user`, `data` and `internal` end that pipeline alone, whose
 * checkpoint stays where it was.
 * @returns how each of them ended, in the order given
 */
export async function runService(options: ServiceOptions): Promise<readonly PipelineStatus[]> {
  const budgetBytes = Math.floor(options.budgetBytes / Math.max(1, options.pipelines.length));
  return Promise.all(options.pipelines.map((pipeline) => keepGoing(pipeline, budgetBytes, options)));
}

async function keepGoing(
  pipeline: Pipeline<never>,
  budgetBytes: number,
  { log, workers, drain, signal, listener = {}, maxPauseMs = 60_000 }: ServiceOptions,
): Promise<PipelineStatus> {
  let status: PipelineStatus = {
    topology: pipeline.topology.name,
    source: pipeline.source,
    state: 'starting',
    frames: 0,
    events: 0,
    lateFrames: 0,
    deadLetters: 0,
    failures: 0,
  };
  const own = listener.pipeline?.(status) ?? {};
  const enter = (state: PipelineState, more: Partial<PipelineStatus> = {}): PipelineStatus => {
    status = { ...status, ...more, state };
    listener.state?.(status);
    return status;
  };
  const attempt = async (): Promise<RunResult> => {
    const source = await pipeline.open();
    enter('running');
    return run({
      topology: pipeline.topology as Topology<{ readonly source: Source }>,
      options: { ...(pipeline.options as object), source },
      source,
      log,
      workers,
      budgetBytes,
      signal,
      drain,
      listener: {
        ...own,
        frame: (ref) => {
          status = { ...status, frames: status.frames + 1, lastFrame: ref };
          own.frame?.(ref);
        },
        late: (ref, latestMs) => {
          listener.late?.(ref);
          own.late?.(ref, latestMs);
        },
        deadLetter: (error) => {
          listener.deadLetter?.(error);
          own.deadLetter?.(error);
        },
        committed: (events, contradicted) => {
          // Something came of it: what went wrong before is over.
          status = { ...withoutError(status), events: status.events + events.length, failures: 0 };
          listener.committed?.(events);
          own.committed?.(events, contradicted);
        },
      },
    });
  };

  for (;;) {
    if (drain.aborted || signal.aborted) return enter('suspended');
    try {
      const { report, lateFrames, deadLetters } = await attempt();
      if (report.suspended === true) return enter('suspended', { lateFrames, deadLetters });
      return enter('ended', {
        lateFrames,
        deadLetters,
        ...(!report.complete && { error: incomplete(status, report) }),
      });
    } catch (thrown) {
      if (signal.aborted) return enter('suspended');
      const error = asBlinkstreamError(thrown);
      const failures = status.failures + 1;
      if (error.class !== 'external' && error.class !== 'resource') return enter('failed', { failures, error });
      enter('waiting', { failures, error });
      await paused(Math.min(maxPauseMs, firstPauseMs * 2 ** (failures - 1)), AbortSignal.any([drain, signal]));
    }
  }
}

function withoutError(status: PipelineStatus): PipelineStatus {
  const rest: { -readonly [K in keyof PipelineStatus]: PipelineStatus[K] } = { ...status };
  delete rest.error;
  return rest;
}

/** Resolves early when the signal aborts. */
const paused = (ms: number, signal: AbortSignal): Promise<void> =>
  pause(ms, undefined, { signal }).catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });

const incomplete = ({ source }: PipelineStatus, report: RunResult['report']): BlinkstreamError =>
  new BlinkstreamError(report.problem ?? `${source} is incomplete: ${report.framesRead} frames were read`, {
    code: 'SOURCE_INCOMPLETE',
    class: 'data',
    stage: 'source',
    hint: 'what was read is told',
  });

const asBlinkstreamError = (thrown: unknown): BlinkstreamError =>
  thrown instanceof BlinkstreamError
    ? thrown
    : new BlinkstreamError(messageOf(thrown), {
        code: 'INTERNAL',
        class: 'internal',
        stage: 'topology',
        hint: 'please report this with the command that led to it',
        cause: thrown,
      });
