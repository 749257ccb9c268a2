import type { Dismissal } from '../changes/feedback.js';
import type { ReasonSequence } from '../reasoning/index.js';
import {
  BlinkstreamError,
  type ChangeEvent,
  type Checkpoint,
  type Frame,
  type FrameRef,
  type FrameSequence,
  type Lease,
  type Position,
} from '../records/index.js';
import type { EventOrder } from '../sequences/reorder.js';
import type { ByteBudget } from '../sources/budget.js';
import type { Source, SourceReport } from '../sources/index.js';

/**
 * What a pipeline tells while it runs: the only place where progress, logs and metrics come from. Each frame that was
 * told by `frame` is told once more by `late`, `unreadable`, `readAgain` or `windowed`, or is in hand still, or an operator
 * of the topology's own left it out.
 */
export interface PipelineListener {
  /** A run begins; `inHand` may be asked until `over`. */
  begun?(inHand: () => InHand): void;
  frame?(ref: FrameRef): void;
  /** A frame that came later than allowed; it went to no window. */
  late?(ref: FrameRef, latestMs: number): void;
  /** A frame whose picture cannot be decoded; it went to no window. */
  unreadable?(ref: FrameRef, error: BlinkstreamError): void;
  /** A frame that a run before this one was done with, read once more on the way to others or for its pixels. */
  readAgain?(ref: FrameRef): void;
  /** A frame that the window has taken. */
  windowed?(ref: FrameRef): void;
  /** A window has closed, or there is state to pass on. Its leases are valid until this returns. */
  closed?(sequence: FrameSequence): void;
  /** A sequence that no worker could reason over: it is told with its coordinates and passed over. */
  deadLetter?(error: BlinkstreamError): void;
  ended?(report: SourceReport): void;
  /** So many changes will never be told, because they lay outside of the source's schedule. */
  heldBack?(changes: number): void;
  /** A step is durable; `contradicted` are the claims that are kept and not published. */
  committed?(events: readonly ChangeEvent[], contradicted: readonly ChangeEvent[]): void;
  /** The run is over. `broken`: by an error or an abort, and what it had in hand is gone. */
  over?(how: 'ended' | 'suspended' | 'broken'): void;
}

/** What the steps of a pipeline hold at a moment. */
export interface InHand {
  /** Frames that have been read and have come to no window yet. */
  readonly frames: number;
  /** Windows that have begun and not closed. */
  readonly openWindows: number;
  /** Sequences that wait for their turn at the workers. */
  readonly sequences: number;
  /** Bytes of frames in flight, and how many there may be. */
  readonly usedBytes: number;
  readonly limitBytes: number;
}

/** What the operators of one pipeline share. One pipeline is one source in one topology. */
export interface PipelineContext {
  readonly topology: string;
  readonly source: Source;
  readonly budget: ByteBudget;
  readonly signal: AbortSignal;
  /** Aborts when no more frames are to be read. */
  readonly drain: AbortSignal;
  /** How the source ended; once the stream completes. An operator that is `suspended` neither closes nor ends anything. */
  readonly report: () => SourceReport | undefined;
  /** Where the last run stopped. */
  readonly restored: Checkpoint | undefined;
  /** Pixels of the settled scene that the restored checkpoint names. */
  readonly restoredScene: Lease | undefined;
  /** Changes of which a person has said that they are none. */
  readonly dismissals: readonly Dismissal[];
  readonly reason: ReasonSequence;
  /** Sequences that workers take at a time. */
  readonly capacity: number;
  readonly listener: PipelineListener;
  /** An operator that changes the order of frames adds itself here. */
  readonly ahead: ReadAhead[];
  /** An operator that holds any of these adds itself; asked between two frames, never while one is on its way. */
  readonly holders: (() => Partial<Pick<InHand, 'frames' | 'openWindows' | 'sequences'>>)[];
  /** Given the frames that are read again although a run before this one has gated them; who keeps pixels adds itself. */
  readonly gatedBefore: ((frame: Frame) => void)[];
}

/** An operator that may have read on beyond the frame at which a checkpoint is taken; asked then. */
export interface ReadAhead {
  /** Where to find the frames that come after `last` in event time although the source has given them already. */
  positionsAfter(last: EventOrder): readonly Position[];
  /** Its state, as it is now, by the name of its step. */
  states(): Readonly<Record<string, unknown>>;
}

let current: PipelineContext | undefined;

/** Builds a pipeline: operators made inside `build` belong to `context`. Building is synchronous, so one at a time. */
export function inPipeline<T>(context: PipelineContext, build: () => T): T {
  const outer = current;
  current = context;
  try {
    return build();
  } finally {
    current = outer;
  }
}

/**
 * The context of the pipeline that is being built.
 * @throws BlinkstreamError `NO_PIPELINE` outside of a topology's build function
 */
export function pipelineContext(operator: string): PipelineContext {
  if (current !== undefined) return current;
  throw new BlinkstreamError(`operator ${operator} was made outside of a topology`, {
    code: 'NO_PIPELINE',
    class: 'internal',
    stage: 'topology',
    hint: 'make operators inside the function that is given to topology()',
  });
}

/** State of a step as the last run left it; the step's own type is the caller's word for what it stored. */
export const restoredState = (context: PipelineContext, step: string): unknown => context.restored?.states[step];
