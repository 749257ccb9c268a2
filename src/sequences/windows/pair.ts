import { pointOf, type Position, type SequenceFrame } from '../../records/index.js';
import type { ClosedWindow, Window, WindowInput, WindowSpec } from './window.js';

export interface PairState {
  before: SequenceFrame | undefined;
  after: SequenceFrame | undefined;
}

/**
 * Two frames, however far apart: the first that a source gives against the last. Closes at the source's end; with fewer than
 * two frames it closes nothing.
 */
export const pair = (): WindowSpec<PairState, 'frames'> => ({
  name: 'pair',
  needs: 'frames',
  open: (restored) => new PairWindow(restored),
});

class PairWindow implements Window<PairState> {
  readonly state: PairState;

  constructor(restored?: PairState) {
    this.state = structuredClone(restored) ?? { before: undefined, after: undefined };
  }

  get openWindows(): number {
    return this.state.before === undefined ? 0 : 1;
  }

  kept(): ReadonlySet<number> {
    return new Set(this.keptPositions().map(({ index }) => index));
  }

  keptPositions(): Position[] {
    const { before, after } = this.state;
    return [before, after].flatMap((frame) => (frame === undefined ? [] : [frame.ref.position]));
  }

  baseline(): undefined {
    return undefined;
  }

  push(input: WindowInput): ClosedWindow[] {
    const { state } = this;
    if (input.type === 'frame') {
      const frame: SequenceFrame = { ref: input.ref, ...(input.evidence && { evidence: input.evidence }) };
      if (state.before === undefined) state.before = { ...frame, role: 'before' };
      else state.after = { ...frame, role: 'after' };
      return [];
    }
    const { before, after } = state;
    if (input.type !== 'end' || before === undefined || after === undefined) return [];
    return [
      {
        trigger: 'whole',
        first: pointOf(before.ref),
        last: pointOf(after.ref),
        frames: [before, after],
        settled: [],
        thinnedFrames: 0,
      },
    ];
  }
}
