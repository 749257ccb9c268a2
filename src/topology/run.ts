import { lastValueFrom } from 'rxjs';
import { BlinkstreamError, type Checkpoint } from '../records/index.js';
import { killPoint } from '../records/kill-points.js';
import type { Dismissal } from '../changes/feedback.js';
import type { ReasonSequence } from '../reasoning/index.js';
import type { Committer } from '../log/index.js';
import { ByteBudget } from '../sources/budget.js';
import type { Source, SourceReport } from '../sources/index.js';
import { committing } from './committing.js';
import { inPipeline, type InHand, type PipelineContext, type PipelineListener } from './context.js';
import type { Step } from './operators/track.js';
import type { DecodeState } from './operators/gate.js';
import { PictureKeeper, type KeptPictures } from './picture-keeper.js';
import { sceneLease } from './settled-scene.js';
import type { Topology } from './topology.js';

export interface RunOptions<Options> {
  readonly topology: Topology<Options>;
  readonly options: Options;
  readonly source: Source;
  readonly log: Committer;
  readonly workers: { readonly reason: ReasonSequence; readonly capacity: number };
  /** Bytes of frames in flight; default 384 MiB. */
  readonly budgetBytes?: number;
  /** Pictures of the scene as it was, kept for comparisons, go at this age; default: at 90 days. */
  readonly keyframesMaxAgeMs?: number | undefined;
  readonly listener?: PipelineListener;
  /** Changes, of any source, of which a person has said that they are none. */
  readonly dismissals?: readonly Dismissal[];
  /** Stops the run where it is; the next run goes on from its last checkpoint. */
  readonly signal: AbortSignal;
  /**
   * Stops the reading: what was read is worked on and committed, windows stay open, and the report says `suspended`.
   * The next run goes on from the last checkpoint.
   */
  readonly drain?: AbortSignal;
}

export interface RunResult {
  /** How the source ended; as stored where an earlier run had finished already. */
  readonly report: SourceReport;
  /** Nothing was done: an earlier run had reached the source's end. */
  readonly alreadyDone: boolean;
  readonly committedEvents: number;
  readonly contradicted: number;
  readonly lateFrames: number;
  /** Whose pictures could not be decoded. */
  readonly unreadableFrames: number;
  readonly deadLetters: number;
  /** Changes outside of the source's schedule. */
  readonly heldBack: number;
}

/** State of the runtime's own in the checkpoint. */
interface RunState extends KeptPictures {
  /** The source's end was reached, so. */
  readonly done?: SourceReport;
  /** Of what the checkpoint covers: the rest is met again after a restart. */
  readonly counts: Pick<RunResult, 'contradicted' | 'lateFrames' | 'unreadableFrames' | 'deadLetters' | 'heldBack'>;
}

/**
 * Runs one source through a topology: every step's events, checkpoint and pictures are committed together, one after
 * the other. Begins where the last run under the same key stopped.
 * @throws BlinkstreamError what the source, the workers or the log throw; the signal's reason on abort
 */
export async function run<Options>({
  topology,
  options,
  source,
  log,
  workers,
  budgetBytes = 384 * 2 ** 20,
  keyframesMaxAgeMs,
  listener = {},
  dismissals = [],
  signal,
  drain = new AbortController().signal,
}: RunOptions<Options>): Promise<RunResult> {
  const key = `${topology.name}/${source.name}`;
  const restored = await log.checkpoint(key);
  const before = restored?.states.run as RunState | undefined;
  const counts = {
    contradicted: 0,
    lateFrames: 0,
    unreadableFrames: 0,
    deadLetters: 0,
    heldBack: 0,
    ...before?.counts,
  };
  if (before?.done !== undefined) return { report: before.done, alreadyDone: true, committedEvents: 0, ...counts };

  const keeper = await PictureKeeper.restore(log, restored, before ?? {}, keyframesMaxAgeMs);
  let report: SourceReport | undefined;
  const budget = new ByteBudget(budgetBytes);
  const holders: PipelineContext['holders'] = [];
  const steps$ = inPipeline(
    {
      topology: topology.name,
      source,
      budget,
      signal,
      drain,
      report: () => report,
      restored,
      dismissals: dismissals.filter((one) => one.source === source.name),
      restoredScene: keeper.scene && sceneLease(keeper.scene),
      ...workers,
      ahead: [],
      holders,
      gatedBefore: [],
      listener: {
        ...listener,
        late: (ref, latestMs) => {
          counts.lateFrames += 1;
          source.late?.(ref);
          listener.late?.(ref, latestMs);
        },
        unreadable: (ref, error) => {
          counts.unreadableFrames += 1;
          listener.unreadable?.(ref, error);
        },
        deadLetter: (error) => {
          counts.deadLetters += 1;
          listener.deadLetter?.(error);
        },
        heldBack: (changes) => {
          counts.heldBack += changes;
          listener.heldBack?.(changes);
        },
        ended: (ended) => {
          report = ended;
          listener.ended?.(ended);
        },
      },
    },
    () => topology.build(options),
  );

  let committedEvents = 0;
  const commit = async (steps: readonly Step[], checkpoint: Checkpoint, done?: SourceReport): Promise<void> => {
    const events = steps.flatMap((step) => step.events);
    const contradicted = steps.flatMap((step) => step.contradicted);
    const { blobs, keeps } = keeper.take(steps);
    counts.contradicted += contradicted.length;
    const state: RunState = {
      counts: { ...counts, ...countsIn(checkpoint) },
      ...(done && { done }),
      ...keeper.kept,
    };
    killPoint('before-commit');
    const { appended } = await log.commit({
      key,
      events,
      contradicted,
      blobs,
      keeps,
      checkpoint: { ...checkpoint, states: { ...checkpoint.states, run: state } },
    });
    killPoint('after-commit');
    committedEvents += appended;
    const position = checkpoint.positions[source.name];
    if (position !== undefined) source.committed?.(position);
    listener.committed?.(events, contradicted);
  };

  let over: Parameters<NonNullable<PipelineListener['over']>>[0] = 'broken';
  listener.begun?.(() => inHandOf(budget, holders));
  try {
    const rest = await lastValueFrom(steps$.pipe(committing(commit)));
    signal.throwIfAborted();
    if (report === undefined) {
      throw new BlinkstreamError(`source ${source.name} ended without saying how`, {
        code: 'SOURCE_WITHOUT_REPORT',
        class: 'internal',
        stage: 'source',
      });
    }
    // What came after the last checkpoint will be met again.
    if (report.suspended !== true) await commit(rest, { states: {}, positions: {} }, report);
    over = report.suspended === true ? 'suspended' : 'ended';
    return { report, alreadyDone: false, committedEvents, ...counts };
  } finally {
    listener.over?.(over);
  }
}

function inHandOf(budget: ByteBudget, holders: PipelineContext['holders']): InHand {
  const held = holders.map((ask) => ask());
  const sum = (what: 'frames' | 'openWindows' | 'sequences'): number =>
    held.reduce((total, { [what]: count = 0 }) => total + count, 0);
  return {
    frames: sum('frames'),
    openWindows: sum('openWindows'),
    sequences: sum('sequences'),
    usedBytes: budget.inFlightBytes,
    limitBytes: budget.limitBytes,
  };
}

/** What `reorder`, `gate`, `reason` and `track` had counted up to the checkpoint: they are ahead of it by now. */
function countsIn({ states }: Checkpoint): Partial<RunState['counts']> {
  const reorder = states.reorder as { readonly lateFrames: number } | undefined;
  const decode = states.decode as DecodeState | undefined;
  const reason = states.reason as { readonly deadLetters: number } | undefined;
  const track = states.track as { readonly heldBack: number } | undefined;
  return {
    ...(reorder && { lateFrames: reorder.lateFrames }),
    ...(decode && { unreadableFrames: decode.unreadableFrames }),
    ...(reason && { deadLetters: reason.deadLetters }),
    ...(track && { heldBack: track.heldBack }),
  };
}
