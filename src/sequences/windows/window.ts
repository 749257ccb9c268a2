import type {
  FrameEvidence,
  FramePoint,
  FrameRef,
  Position,
  SequenceFrame,
  SequenceTrigger,
  SettledRegion,
} from '../../records/index.js';

/** What goes into a window: a frame that was gated, one read again after a restart, or time passing without one. */
export type WindowInput =
  | {
      readonly type: 'frame';
      readonly ref: FrameRef;
      readonly bytes: number;
      readonly evidence: FrameEvidence | undefined;
    }
  | { readonly type: 'tick'; readonly elapsedMs: number }
  | { readonly type: 'end' };

/** A closed window; the frames in `roles` had their pixels kept. */
export interface ClosedWindow {
  readonly ordinal: number;
  readonly trigger: SequenceTrigger;
  readonly first: FramePoint;
  readonly last: FramePoint;
  readonly frames: readonly SequenceFrame[];
  readonly baseline?: SequenceFrame;
  readonly settled: readonly SettledRegion[];
  readonly thinnedFrames: number;
}

/**
 * A window over the frames of one source: a reducer `(state, input) → (state, closed windows)` without a clock.
 * The state is plain, and changes only in `push`. `kept` are the frames whose pixels the state or the next closed window
 * needs; the operator holds their leases and lets go of all others.
 */
export interface Window<State> {
  readonly state: State;
  push(input: WindowInput): ClosedWindow[];
  /** Frames to hold, by index. */
  kept(): ReadonlySet<number>;
  /** Where to find them in the source. */
  keptPositions(): readonly Position[];
  /** The scene as last settled, stored with the checkpoint because its source may be past reading again. */
  baseline(): SequenceFrame | undefined;
}

/** How a kind of window is begun, or gone on with. */
export interface WindowSpec<State = unknown> {
  readonly name: string;
  open(restored?: State): Window<State>;
}
