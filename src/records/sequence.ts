import type { SequenceFrame, SettledRegion } from './evidence.js';
import type { FramePoint, Gap, Lease, Position } from './frame.js';
import type { Zone } from './zone.js';

/**
 * Why a window closed. `part`: the activity goes on. `activity`: it came to rest. `settled`: nothing moved, the scene is
 * held against itself as settled before. `condition`: a span with a nuisance and nothing else. `whole`: the source's end.
 * `gap`: no frames, because there were none: it begins, or is over. `pair`: two screenshots of one place, of two releases. `checkpoint`: no frames; it only carries state
 * onward.
 */
export const sequenceTriggers = [
  'part',
  'activity',
  'settled',
  'condition',
  'whole',
  'gap',
  'checkpoint',
  'pair',
] as const;
export type SequenceTrigger = (typeof sequenceTriggers)[number];

/** The state of everything upstream of a sequence, enough to go on after a crash. */
export interface Checkpoint {
  /** State by step name (`gate`, `window`, …), structured-clonable. */
  readonly states: Readonly<Record<string, unknown>>;
  /** Where to seek each source: the lowest position of any open window. */
  readonly positions: Readonly<Record<string, Position>>;
}

/** The frames of one closed window in event-time order. */
export interface FrameSequence {
  readonly source: string;
  /** Ordinal of this sequence in its source, from 0; the same after any crash. */
  readonly ordinal: number;
  readonly trigger: SequenceTrigger;
  readonly first: FramePoint;
  readonly last: FramePoint;
  readonly frames: readonly SequenceFrame<Lease>[];
  /** The scene as last settled, if it was. */
  readonly baseline?: SequenceFrame<Lease>;
  /** What came to rest since the frames before, parts told in between included. */
  readonly settled: readonly SettledRegion[];
  /** Keyframes whose pixels were given up because the window's budget of bytes was spent. */
  readonly thinnedFrames: number;
  /** Why there were no frames from `first` to `last`; with every `gap`, and only there. */
  readonly gap?: Pick<Gap, 'reason' | 'over'>;
  /** Areas of the source's picture. */
  readonly zones?: readonly Zone[];
  /** Absent where a later sequence of the same moment carries it: what belongs together is committed together. */
  readonly checkpoint?: Checkpoint;
  /**
   * The scene as settled now, which the checkpoint needs stored: its source may be past reading it again. Present with
   * every checkpoint that names one, so that whoever drops the sequences before it loses nothing.
   */
  readonly settledScene?: SequenceFrame<Lease>;
}
