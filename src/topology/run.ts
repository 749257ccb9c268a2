import { lastValueFrom } from 'rxjs';
import { BlinkstreamError, type Blob, type Checkpoint } from '../records/index.js';
import { killPoint } from '../records/kill-points.js';
import type { Dismissal } from '../changes/feedback.js';
import type { ReasonSequence } from '../reasoning/index.js';
import type { Committer } from '../log/index.js';
import { ByteBudget } from '../sources/budget.js';
import type { Source, SourceReport } from '../sources/index.js';
import { committing } from './committing.js';
import { inPipeline, type InHand, type PipelineContext, type PipelineListener } from './context.js';
import type { Step } from './operators/track.js';
import { sceneLease } from './settled-scene.js';
import type { DecodeState } from './operators/gate.js';
import type { Topology } from './topology.js';

export interface RunOptions<Options> {
  readonly topology: Topology<Options>;
  readonly options: Options;
  readonly source: Source;
  readonly log: Committer;
  readonly workers: { readonly reason: ReasonSequence; readonly capacity: number };
  /** Bytes of frames in flight; default 384 MiB. */
  readonly budgetBytes?: number;
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
interface RunState {
  /** The source's end was reached, so. */
  readonly done?: SourceReport;
  readonly sceneSha256?: string;
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

  const keeper = await PictureKeeper.restore(log, restored, before?.sceneSha256);
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
    const blobs = keeper.take(steps);
    counts.contradicted += contradicted.length;
    const state: RunState = {
      counts: { ...counts, ...countsIn(checkpoint) },
      ...(done && { done }),
      ...(keeper.scene && { sceneSha256: keeper.scene.sha256 }),
    };
    killPoint('before-commit');
    const { appended } = await log.commit({
      key,
      events,
      contradicted,
      blobs,
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

/** Holds the pictures that later commits must name again: of the settled scene, and of changes that are still open. */
class PictureKeeper {
  scene: Blob | undefined;
  #open = new Map<string, Blob>();

  static async restore(
    log: Committer,
    checkpoint: Checkpoint | undefined,
    sceneSha256: string | undefined,
  ): Promise<PictureKeeper> {
    const keeper = new PictureKeeper();
    if (sceneSha256 !== undefined) keeper.scene = await stored(log, sceneSha256);
    for (const sha256 of openPicturesOf(checkpoint)) keeper.#open.set(sha256, await stored(log, sha256));
    return keeper;
  }

  /** The blobs that a commit of these steps must name. */
  take(steps: readonly Step[]): Blob[] {
    const blobs = new Map(this.#open);
    for (const step of steps) {
      for (const blob of step.blobs) blobs.set(blob.sha256, blob);
      this.scene = step.settledScene ?? this.scene;
    }
    const open = new Set(steps.at(-1)?.openPictures ?? []);
    this.#open = new Map([...blobs].filter(([sha256]) => open.has(sha256)));
    if (this.scene !== undefined) blobs.set(this.scene.sha256, this.scene);
    return [...blobs.values()];
  }
}

/** What `track` put into its state, as far as pictures go. */
function openPicturesOf(checkpoint: Checkpoint | undefined): Set<string> {
  const state = checkpoint?.states.track as
    | { readonly open: readonly { readonly finding: { readonly pictures: readonly { readonly sha256: string }[] } }[] }
    | undefined;
  return new Set(state?.open.flatMap(({ finding }) => finding.pictures.map(({ sha256 }) => sha256)));
}

async function stored(log: Committer, sha256: string): Promise<Blob> {
  const blob = await log.blobs.get(sha256);
  if (blob !== undefined) return blob;
  throw new BlinkstreamError(`the log's checkpoint names picture ${sha256}, which the log does not hold`, {
    code: 'LOG_INCOMPLETE',
    class: 'internal',
    stage: 'log',
    hint: 'the log was damaged from outside: restore it, or begin anew with another output folder',
  });
}
