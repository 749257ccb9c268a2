import { pointOf, type Position, type SequenceFrame } from '../../records/index.js';
import type { ClosedWindow, Window, WindowInput, WindowSpec } from './window.js';

export interface ScreenshotsState {
  before: SequenceFrame | undefined;
}

/** Each two frames that follow each other: two screenshots of one place. A last one without its like closes nothing. */
export const screenshotPairs = (): WindowSpec<ScreenshotsState, 'frames'> => ({
  name: 'screenshots',
  needs: 'frames',
  open: (restored) => new ScreenshotsWindow(restored),
});

class ScreenshotsWindow implements Window<ScreenshotsState> {
  readonly state: ScreenshotsState;

  constructor(restored?: ScreenshotsState) {
    this.state = structuredClone(restored) ?? { before: undefined };
  }

  get openWindows(): number {
    return this.state.before === undefined ? 0 : 1;
  }

  kept(): ReadonlySet<number> {
    return new Set(this.keptPositions().map(({ index }) => index));
  }

  keptPositions(): Position[] {
    return this.state.before === undefined ? [] : [this.state.before.ref.position];
  }

  baseline(): undefined {
    return undefined;
  }

  push(input: WindowInput): ClosedWindow[] {
    if (input.type !== 'frame') return [];
    const { before } = this.state;
    if (before === undefined) {
      this.state.before = { ref: input.ref, role: 'before' };
      return [];
    }
    this.state.before = undefined;
    const after: SequenceFrame = { ref: input.ref, role: 'after' };
    return [
      {
        trigger: 'pair',
        first: pointOf(before.ref),
        last: pointOf(after.ref),
        frames: [before, after],
        settled: [],
        thinnedFrames: 0,
      },
    ];
  }
}
