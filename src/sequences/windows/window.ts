import type {
  FrameEvidence,
  FramePoint,
  FrameRef,
  Position,
  SequenceFrame,
  SequenceTrigger,
  SettledRegion,
} from '../../records/index.js';

/** What goes into a window. `elapsedMs` is event time since the source's first frame. */
export type WindowInput =
  | {
      readonly type: 'frame';
      readonly ref: FrameRef;
      readonly bytes: number;
      /** Bytes of a smaller copy, see `keptSmall`; absent where none can be made. */
      readonly smallBytes?: number | undefined;
      /** Absent where no gate has measured it. */
      readonly evidence?: FrameEvidence;
    }
  /** Time has passed without a frame. */
  | { readonly type: 'tick'; readonly eventTimeMs: number; readonly elapsedMs: number }
  /** No picture is to be expected for a while: nothing is waited for, and no pixels need be kept for what comes after. */
  | { readonly type: 'pause' }
  /** The pixels of these frames, by index, are gone: a source that cannot give them again was restarted. */
  | { readonly type: 'lost'; readonly frames: ReadonlySet<number> }
  | { readonly type: 'end' };

/** A closed window; frames with a role had their pixels kept. */
export interface ClosedWindow {
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
  /** Windows that have begun and not closed. */
  readonly openWindows: number;
  push(input: WindowInput): ClosedWindow[];
  /** Frames to hold, by index. */
  kept(): ReadonlySet<number>;
  /** Frames to hold smaller copies of, by index. */
  keptSmall?(): ReadonlySet<number>;
  /** Where to find them in the source, but for the baseline. */
  keptPositions(): readonly Position[];
  /** The scene as last settled, stored with the checkpoint because its source may be past reading again. */
  baseline(): SequenceFrame | undefined;
}

/**
 * How a kind of window is begun, or gone on with. `measured`: it groups by what the gate measured, so the compiler wants
 * a gate before it.
 */
export interface WindowSpec<State = unknown, Needs extends 'measured' | 'frames' = 'measured' | 'frames'> {
  readonly name: string;
  readonly needs: Needs;
  /** @param roomBytes it holds no more pixels than that either, whatever its own options allow; default: no bound */
  open(restored?: State, roomBytes?: number): Window<State>;
}

/** A frame whose pixels are given up; what was measured of it stays. */
export const withoutPixels = ({ ref, evidence }: SequenceFrame): SequenceFrame<never> => ({
  ref,
  ...(evidence && { evidence }),
});
