import type { ChangeEvent, FrameRef, SequenceTrigger } from '../records/index.js';
import type { InHand, PipelineListener } from '../topology/context.js';
import type { PipelineState, PipelineStatus, ServiceListener } from '../topology/pipeline.js';

const nothingInHand: InHand = { frames: 0, openWindows: 0, sequences: 0, usedBytes: 0, limitBytes: 0 };

/** Adds up what one pipeline tells, over all its attempts. */
export class PipelineTally {
  state: PipelineState = 'starting';
  framesRead = 0;
  lastFrame: FrameRef | undefined;
  lateFrames = 0;
  unreadableFrames = 0;
  framesReadAgain = 0;
  windowedFrames = 0;
  /** In hand when a run was over: on their way to a window that a later run makes anew. */
  abandonedFrames = 0;
  thinnedFrames = 0;
  deadLetters = 0;
  /** Changes outside of the source's schedule. */
  heldBack = 0;
  contradictedClaims = 0;
  commits = 0;
  /** Attempts that ended in an error. */
  failures = 0;
  readonly events = new Map<ChangeEvent['kind'], number>();
  readonly sequences = new Map<SequenceTrigger, number>();
  #lastFrameAtMs: number | undefined;
  #lastCommitAtMs: number;
  #inHand: () => InHand = () => nothingInHand;
  #dropped = 0;

  constructor(
    readonly topology: string,
    readonly source: string,
    private readonly nowMs: () => number,
  ) {
    this.#lastCommitAtMs = nowMs();
  }

  get inHand(): InHand {
    return this.#inHand();
  }

  /** Since this process read the last frame; undefined before the first. */
  get lastFrameAgeMs(): number | undefined {
    return this.#lastFrameAtMs === undefined ? undefined : this.nowMs() - this.#lastFrameAtMs;
  }

  /** Since the last commit; before the first, since there is the pipeline. */
  get commitAgeMs(): number {
    return this.nowMs() - this.#lastCommitAtMs;
  }

  /**
   * Frames read that were neither late, nor unreadable, nor read again, nor taken by a window, and that no step holds. An operator of
   * the topology's own that gives a frame twice hides one that is missing. Never falls.
   */
  get droppedFrames(): number {
    this.#dropped = Math.max(this.#dropped, this.#unaccounted - this.inHand.frames);
    return this.#dropped;
  }

  get #unaccounted(): number {
    const { framesRead, lateFrames, unreadableFrames, framesReadAgain, windowedFrames, abandonedFrames } = this;
    return framesRead - lateFrames - unreadableFrames - framesReadAgain - windowedFrames - abandonedFrames;
  }

  /** Plain, because it is spread into the listener of each attempt. */
  readonly listener: PipelineListener = {
    begun: (inHand) => (this.#inHand = inHand),
    frame: (ref) => {
      this.framesRead += 1;
      this.lastFrame = ref;
      this.#lastFrameAtMs = this.nowMs();
    },
    late: () => void (this.lateFrames += 1),
    unreadable: () => void (this.unreadableFrames += 1),
    readAgain: () => void (this.framesReadAgain += 1),
    windowed: () => void (this.windowedFrames += 1),
    deadLetter: () => void (this.deadLetters += 1),
    heldBack: (changes) => void (this.heldBack += changes),
    closed: ({ trigger, thinnedFrames }) => {
      this.thinnedFrames += thinnedFrames;
      this.sequences.set(trigger, (this.sequences.get(trigger) ?? 0) + 1);
    },
    committed: (events, contradicted) => {
      this.commits += 1;
      this.#lastCommitAtMs = this.nowMs();
      this.contradictedClaims += contradicted.length;
      for (const { kind } of events) this.events.set(kind, (this.events.get(kind) ?? 0) + 1);
    },
    over: (how) => {
      // Where a run breaks off its steps are taken apart, and what they held can be asked no more.
      this.abandonedFrames += how === 'broken' ? Math.max(0, this.#unaccounted - this.#dropped) : this.inHand.frames;
      this.#inHand = () => nothingInHand;
    },
  };
}

/** Adds up what the pipelines of a service tell. One that is suspended is forgotten: it is nobody's here any more. */
export class ServiceTally {
  readonly #pipelines = new Map<string, PipelineTally>();
  readonly #nowMs: () => number;
  /** All that is to start at once has been asked to. */
  isBegun = false;
  /** Subscribers that were let go because they took nothing. */
  stalledSubscribers = 0;

  constructor(nowMs: () => number = () => performance.now()) {
    this.#nowMs = nowMs;
  }

  get pipelines(): readonly PipelineTally[] {
    return [...this.#pipelines.values()];
  }

  readonly listener: Required<Pick<ServiceListener, 'pipeline' | 'state'>> = {
    pipeline: ({ topology, source }) => {
      const tally = new PipelineTally(topology, source, this.#nowMs);
      this.#pipelines.set(`${topology}/${source}`, tally);
      return tally.listener;
    },
    state: (status) => this.#enter(status),
  };

  #enter({ topology, source, state }: PipelineStatus): void {
    const key = `${topology}/${source}`;
    const tally = this.#pipelines.get(key);
    if (tally === undefined) return;
    if (state === 'waiting' || state === 'failed') tally.failures += 1;
    tally.state = state;
    if (state === 'suspended') this.#pipelines.delete(key);
  }
}
