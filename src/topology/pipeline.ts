import type { Dismissal } from '../changes/feedback.js';
import type { Committer } from '../log/index.js';
import { BlinkstreamError, messageOf, type ChangeEvent, type FrameRef } from '../records/index.js';
import { pauseFor } from '../records/pause.js';
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
  /** Where its steps become durable; default: the log of the service. */
  readonly committer?: Committer;
  /** Stops it where it is, without a word to anybody: its source belongs to another process now. */
  readonly lost?: AbortSignal;
  /** False: an error that may pass leaves it `waiting` for whoever brought it to bring it again; default true. */
  readonly retries?: boolean;
}

/**
 * `waiting`: for another attempt. `ended`: its source is at its end. `suspended`: it was removed or lost, or the service
 * stops. `failed`: for good.
 */
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
}

export const keyOf = ({ topology, source }: Pick<Pipeline<never>, 'topology' | 'source'>): string =>
  `${topology.name}/${source}`;

/** What `keepGoing` works with. */
export interface KeepingOptions {
  readonly log: Committer;
  readonly workers: RunOptions<unknown>['workers'];
  /** What a person has said of changes, as it is at the beginning of an attempt. */
  readonly dismissals?: () => Promise<readonly Dismissal[]>;
  readonly budgetBytes: number;
  readonly keyframesMaxAgeMs?: number | undefined;
  readonly drain: AbortSignal;
  readonly signal: AbortSignal;
  readonly maxPauseMs: number;
  readonly listener: ServiceListener;
  /** That of this pipeline alone. */
  readonly own: PipelineListener;
  /** Each status as it comes. */
  readonly onStatus: (status: PipelineStatus) => void;
}

export const notStarted = ({ topology, source }: Pipeline<never>): PipelineStatus => ({
  topology: topology.name,
  source,
  state: 'starting',
  frames: 0,
  events: 0,
  lateFrames: 0,
  deadLetters: 0,
  failures: 0,
});

const firstPauseMs = 1_000;

/** Runs a pipeline again and again until it is over; an error becomes its status and is thrown to nobody. */
export async function keepGoing(pipeline: Pipeline<never>, options: KeepingOptions): Promise<PipelineStatus> {
  const { log, workers, budgetBytes, keyframesMaxAgeMs, drain, maxPauseMs, listener, own, onStatus } = options;
  const signal = pipeline.lost === undefined ? options.signal : AbortSignal.any([options.signal, pipeline.lost]);
  let status = notStarted(pipeline);
  const enter = (state: PipelineState, more: Partial<PipelineStatus> = {}): PipelineStatus => {
    status = { ...status, ...more, state };
    onStatus(status);
    listener.state?.(status);
    return status;
  };
  const attempt = async (): Promise<RunResult> => {
    const source = await pipeline.open();
    const dismissals = await options.dismissals?.();
    enter('running');
    return run({
      topology: pipeline.topology as Topology<{ readonly source: Source }>,
      options: { ...(pipeline.options as object), source },
      source,
      log: pipeline.committer ?? log,
      workers,
      budgetBytes,
      keyframesMaxAgeMs,
      ...(dismissals && { dismissals }),
      signal,
      drain,
      listener: {
        ...own,
        frame: (ref) => {
          onStatus((status = { ...status, frames: status.frames + 1, lastFrame: ref }));
          own.frame?.(ref);
        },
        committed: (events, contradicted) => {
          // Something came of it: what went wrong before is over.
          onStatus((status = { ...withoutError(status), events: status.events + events.length, failures: 0 }));
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
      const mayPass = error.class === 'external' || error.class === 'resource';
      if (!mayPass) return enter('failed', { failures, error });
      const waiting = enter('waiting', { failures, error });
      if (pipeline.retries === false) return waiting;
      await pauseFor(Math.min(maxPauseMs, firstPauseMs * 2 ** (failures - 1)), AbortSignal.any([drain, signal]));
    }
  }
}

function withoutError(status: PipelineStatus): PipelineStatus {
  const rest: { -readonly [K in keyof PipelineStatus]: PipelineStatus[K] } = { ...status };
  delete rest.error;
  return rest;
}

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
