import { pointOf, type Position, type SequenceFrame } from '../../records/index.js';
import type { ClosedWindow, Window, WindowInput, WindowSpec } from './window.js';

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
export function whole(options: Partial<WholeOptions> = {}): WindowSpec<WholeState> {
  const { maxBytes } = { ...wholeDefaults, ...options };
  return { name: 'whole', open: (restored) => new WholeWindow(maxBytes, restored) };
}

class WholeWindow implements Window<WholeState> {
  readonly state: WholeState;
  readonly #maxBytes: number;

  constructor(maxBytes: number, restored?: WholeState) {
    this.#maxBytes = maxBytes;
    this.state = structuredClone(restored) ?? { frames: [], stride: 1, seen: 0, keptBytes: 0, bytes: {} };
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
    if (input.type === 'tick') return [];
    if (input.type === 'end') return this.#close();
    const { state } = this;
    if (state.frames.some((frame) => frame.ref.index === input.ref.index)) return [];
    const keep = state.seen % state.stride === 0;
    state.seen += 1;
    state.frames.push({
      ref: input.ref,
      ...(input.evidence && { evidence: input.evidence }),
      ...(keep && { role: 'whole' as const }),
    });
    if (!keep) return [];
    state.bytes[input.ref.index] = input.bytes;
    state.keptBytes += input.bytes;
    while (state.keptBytes > this.#maxBytes && this.kept().size > 2) this.#thin();
    return [];
  }

  #thin(): void {
    const { state } = this;
    state.stride *= 2;
    state.frames = state.frames.map((frame, i) => {
      if (frame.role !== 'whole' || i % state.stride === 0) return frame;
      state.keptBytes -= state.bytes[frame.ref.index];
      delete state.bytes[frame.ref.index];
      return { ref: frame.ref, ...(frame.evidence && { evidence: frame.evidence }) };
    });
  }

  #close(): ClosedWindow[] {
    const { frames } = this.state;
    const [first] = frames;
    const last = frames.at(-1);
    if (first === undefined || last === undefined) return [];
    return [
      {
        ordinal: 0,
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
