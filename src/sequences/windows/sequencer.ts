import {
  type FramePoint,
  type FrameRef,
  type FrameSequence,
  pointOf,
  type Position,
  type SequenceFrame,
  type Tick,
} from '../../records/index.js';
import { isAfter, type EventOrder } from '../reorder.js';
import type { ClosedWindow, Window, WindowInput, WindowSpec } from './window.js';

/** A closed window, or a gap, in its place among the sequences of its source. */
export interface NumberedWindow extends ClosedWindow {
  readonly ordinal: number;
  readonly gap?: NonNullable<FrameSequence['gap']>;
}

export type SequencerInput = Exclude<WindowInput, { type: 'tick' | 'pause' }> | Tick;

/** Plain; lives in the checkpoint. */
export interface SequencerState<State> {
  ordinal: number;
  /** The last frame in event-time order. */
  last: FrameRef | undefined;
  /** Of all frames the one that the source gave last. */
  readTo: Position | undefined;
  /** Event time that has passed. */
  passedMs: number;
  /** The gap that goes on. */
  gap: { readonly first: FramePoint; readonly reason: string } | undefined;
  /** Without a frame for this long the next checkpoint is due. */
  idleMs: number;
  window: State;
}

/**
 * What is the same for every kind of window: numbers what it closes, tells the gaps in between, and lets an idle source
 * go. A reducer like the window inside.
 *
 * A gap pauses the window, and becomes a sequence of its own when it begins and when it is over. A source that is idle
 * for `idleMs` pauses the window too, and gets a checkpoint at which time has passed; the next is due after twice as
 * long, and so on. A tick that comes again after a restart changes nothing.
 */
export class Sequencer<State> {
  readonly #window: Window<State>;
  readonly #idleMs: number;
  readonly #state: Omit<SequencerState<State>, 'window'>;
  /** The last frame of a run before this one. */
  readonly #fedBefore: EventOrder | undefined;

  constructor(spec: WindowSpec<State>, idleMs: number, restored?: SequencerState<State>, roomBytes?: number) {
    this.#idleMs = idleMs;
    this.#window = spec.open(restored?.window, roomBytes);
    this.#fedBefore = restored?.last;
    this.#state = {
      ordinal: restored?.ordinal ?? 0,
      last: restored?.last,
      readTo: restored?.readTo,
      passedMs: restored?.passedMs ?? Number.NEGATIVE_INFINITY,
      gap: restored?.gap,
      idleMs: restored?.idleMs ?? idleMs,
    };
  }

  get state(): SequencerState<State> {
    return { ...this.#state, window: this.#window.state };
  }

  get readTo(): Position | undefined {
    return this.#state.readTo;
  }

  /** Whether a run before this one has fed the frame. */
  has(frame: EventOrder): boolean {
    return this.#fedBefore !== undefined && !isAfter(frame, this.#fedBefore);
  }

  /** Whether that time had passed already, in a run before this one too. */
  isPast(tick: Tick): boolean {
    return tick.eventTimeMs <= this.#state.passedMs;
  }

  get openWindows(): number {
    return this.#window.openWindows;
  }

  kept(): ReadonlySet<number> {
    return this.#window.kept();
  }

  keptSmall(): ReadonlySet<number> {
    return this.#window.keptSmall?.() ?? none;
  }

  keptPositions(): readonly Position[] {
    return this.#window.keptPositions();
  }

  baseline(): SequenceFrame | undefined {
    return this.#window.baseline();
  }

  push(input: SequencerInput): NumberedWindow[] {
    if (input.type === 'frame') return this.#numbered([...this.#back(input.ref), ...this.#window.push(input)]);
    if (input.type === 'tick') return this.#numbered(this.#tick(input));
    return this.#numbered(this.#window.push(input));
  }

  /** A picture: whatever was missing is back. */
  #back(ref: FrameRef): Unnumbered[] {
    const state = this.#state;
    const { gap } = state;
    state.idleMs = this.#idleMs;
    if (state.last === undefined || isAfter(ref, state.last)) state.last = ref;
    state.passedMs = Math.max(state.passedMs, ref.eventTimeMs);
    if (state.readTo === undefined || ref.index > state.readTo.index) state.readTo = ref.position;
    state.gap = undefined;
    return gap === undefined ? [] : [gapOf(gap.first, pointOf(ref), { reason: gap.reason, over: true })];
  }

  #tick(tick: Tick): Unnumbered[] {
    const state = this.#state;
    if (this.isPast(tick)) return [];
    state.passedMs = tick.eventTimeMs;
    if (tick.gap !== undefined) return this.#gap(tick, tick.gap);
    const { eventTimeMs, elapsedMs } = tick;
    const closed: Unnumbered[] = this.#window.push({ type: 'tick', eventTimeMs, elapsedMs });
    const { last } = state;
    if (last === undefined || state.gap !== undefined || tick.elapsedMs - last.elapsedMs < state.idleMs) return closed;
    state.idleMs *= 2;
    const now = this.#pointAt(tick.eventTimeMs, tick);
    const rest = { trigger: 'checkpoint' as const, first: now, last: now, frames: [], settled: [], thinnedFrames: 0 };
    return [...closed, ...this.#window.push({ type: 'pause' }), rest];
  }

  #gap(tick: Tick, { sinceMs, reason, over }: NonNullable<Tick['gap']>): Unnumbered[] {
    const state = this.#state;
    const known = state.gap;
    const closed: Unnumbered[] = known === undefined ? this.#window.push({ type: 'pause' }) : [];
    const first = known?.first ?? this.#pointAt(sinceMs, tick);
    state.gap = over ? undefined : { first, reason };
    if (known !== undefined && !over) return closed;
    return [...closed, gapOf(first, this.#pointAt(tick.eventTimeMs, tick), { reason, over })];
  }

  /** A moment without a frame of its own: that of the last one. */
  #pointAt(timeMs: number, { eventTimeMs, elapsedMs }: Tick): FramePoint {
    return { frame: this.#state.last?.index ?? 0, timeMs, elapsedMs: elapsedMs - (eventTimeMs - timeMs) };
  }

  #numbered(closed: readonly Unnumbered[]): NumberedWindow[] {
    return closed.map((window) => ({ ordinal: this.#state.ordinal++, ...window }));
  }
}

const none: ReadonlySet<number> = new Set();

type Unnumbered = Omit<NumberedWindow, 'ordinal'>;

const gapOf = (first: FramePoint, last: FramePoint, gap: NonNullable<FrameSequence['gap']>): Unnumbered => ({
  trigger: 'gap',
  first,
  last,
  frames: [],
  settled: [],
  thinnedFrames: 0,
  gap,
});
