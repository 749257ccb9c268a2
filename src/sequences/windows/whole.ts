import { pointOf, type Position, type SequenceFrame } from '../../records/index.js';
import { withoutPixels, type ClosedWindow, type Window, type WindowInput, type WindowSpec } from './window.js';

export interface WholeOptions {
  /** Bytes of pixels or originals that the window may hold; default 192 MiB. */
  readonly maxBytes: number;
}

export const wholeDefaults: WholeOptions = { maxBytes: 192 * 2 ** 20 };

export interface WholeState {
  frames: SequenceFrame[];
  /** Every `stride`-th frame is kept with its pixels. */
  stride: number;
  seen: number;
  keptBytes: number;
  bytes: Record<number, number>;
}

/**
 * One window over everything that a source gives, closed at its end. Where the frames exceed `maxBytes` every second
 * one gives up its pixels, as often as needed; first and evenly spaced frames stay, and the count is told.
 */
export function whole(options: Partial<WholeOptions> = {}): WindowSpec<WholeState, 'frames'> {
  const { maxBytes } = { ...wholeDefaults, ...options };
  return {
    name: 'whole',
    needs: 'frames',
    open: (restored, roomBytes = Infinity) => new WholeWindow(Math.min(maxBytes, roomBytes), restored),
  };
}

class WholeWindow implements Window<WholeState> {
  readonly state: WholeState;
  readonly #maxBytes: number;

  constructor(maxBytes: number, restored?: WholeState) {
    this.#maxBytes = maxBytes;
    this.state = structuredClone(restored) ?? { frames: [], stride: 1, seen: 0, keptBytes: 0, bytes: {} };
  }

  get openWindows(): number {
    return this.state.frames.length > 0 ? 1 : 0;
  }

  kept(): ReadonlySet<number> {
    return new Set(this.keptPositions().map(({ index }) => index));
  }

  keptPositions(): Position[] {
    return this.state.frames.filter((frame) => frame.role === 'whole').map((frame) => frame.ref.position);
  }

  baseline(): undefined {
    return undefined;
  }

  push(input: WindowInput): ClosedWindow[] {
    switch (input.type) {
      case 'frame':
        this.#add(input);
        return [];
      case 'lost':
        this.#giveUp((frame) => input.frames.has(frame.ref.index));
        return [];
      case 'end':
        return this.#close();
      case 'tick':
      case 'pause':
        return [];
    }
  }

  #add(input: Extract<WindowInput, { type: 'frame' }>): void {
    const { state } = this;
    const keep = state.seen % state.stride === 0;
    state.seen += 1;
    state.frames.push({
      ref: input.ref,
      ...(input.evidence && { evidence: input.evidence }),
      ...(keep && { role: 'whole' as const }),
    });
    if (!keep) return;
    state.bytes[input.ref.index] = input.bytes;
    state.keptBytes += input.bytes;
    while (state.keptBytes > this.#maxBytes && this.kept().size > 2) {
      state.stride *= 2;
      this.#giveUp((_, i) => i % state.stride !== 0);
    }
  }

  /** Of the frames chosen the pixels go, what was measured stays. */
  #giveUp(chosen: (frame: SequenceFrame, i: number) => boolean): void {
    const { state } = this;
    state.frames = state.frames.map((frame, i) => {
      if (frame.role !== 'whole' || !chosen(frame, i)) return frame;
      state.keptBytes -= state.bytes[frame.ref.index];
      delete state.bytes[frame.ref.index];
      return withoutPixels(frame);
    });
  }

  #close(): ClosedWindow[] {
    const { frames } = this.state;
    const [first] = frames;
    const last = frames.at(-1);
    if (first === undefined || last === undefined) return [];
    return [
      {
        trigger: 'whole',
        first: pointOf(first.ref),
        last: pointOf(last.ref),
        frames: [...frames],
        settled: frames.flatMap((frame) => frame.evidence?.settled ?? []),
        thinnedFrames: frames.filter((frame) => frame.role !== 'whole').length,
      },
    ];
  }
}
