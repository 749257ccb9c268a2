import { BlinkstreamError, pointOf, type FrameRef, type Position, type SequenceFrame } from '../../records/index.js';
import { isAfter } from '../reorder.js';
import { type ClosedWindow, type Window, type WindowInput, type WindowSpec } from './window.js';

export interface TumblingOptions {
  /** Length of a window in event time, whole ms. */
  readonly sizeMs: number;
  /** Bytes of pixels or originals that the open windows may hold together; default 192 MiB. */
  readonly maxBytes: number;
}

export interface SlidingOptions extends TumblingOptions {
  /** A window begins this often, whole ms; at most `sizeMs`. */
  readonly everyMs: number;
}

export const timedDefaults = { maxBytes: 192 * 2 ** 20 } as const;

export interface TimedState {
  /** Frames of the windows that are open, in event-time order. */
  frames: SequenceFrame[];
  /** By index, bytes of those whose pixels are kept. */
  bytes: Record<number, number>;
  /** The window that closes next, counted from the one that begins at event time 0; undefined before the first frame. */
  next: number | undefined;
}

/**
 * Windows of `sizeMs` of event time, one after the other: each frame belongs to exactly one. They begin at multiples of
 * `sizeMs` since the epoch (since the source's beginning where it knows no wall clock), so boundaries are the same after
 * a crash, and everywhere. A window closes when time has reached its end, by a frame or a tick, or with the source; one
 * without frames is not told. Where frames exceed `maxBytes` those closest to their neighbours in time give up their
 * pixels, and the count is told.
 *
 * @throws BlinkstreamError `WINDOW_OPTIONS` (user) for sizes that are no whole ms
 */
export const tumbling = ({
  sizeMs,
  maxBytes = timedDefaults.maxBytes,
}: Pick<TumblingOptions, 'sizeMs'> & Partial<TumblingOptions>): WindowSpec<TimedState, 'frames'> =>
  timed('tumbling', { sizeMs, everyMs: sizeMs, maxBytes });

/**
 * As `tumbling`, but a window begins every `everyMs`: each frame belongs to all windows that are open at its time.
 *
 * @throws BlinkstreamError `WINDOW_OPTIONS` (user) for sizes that are no whole ms, and where frames would fall between
 * windows
 */
export const sliding = ({
  sizeMs,
  everyMs,
  maxBytes = timedDefaults.maxBytes,
}: Pick<SlidingOptions, 'sizeMs' | 'everyMs'> & Partial<SlidingOptions>): WindowSpec<TimedState, 'frames'> =>
  timed('sliding', { sizeMs, everyMs, maxBytes });

function timed(name: string, options: SlidingOptions): WindowSpec<TimedState, 'frames'> {
  for (const [option, value] of Object.entries({ sizeMs: options.sizeMs, everyMs: options.everyMs })) {
    if (!Number.isSafeInteger(value) || value < 1) throw wrong(`${option} of ${name}() is ${value}`, 'give whole ms');
  }
  if (options.everyMs > options.sizeMs) {
    const { sizeMs, everyMs } = options;
    throw wrong(`${name}() has windows of ${sizeMs} ms every ${everyMs} ms`, 'give an everyMs of at most sizeMs');
  }
  return {
    name,
    needs: 'frames',
    open: (restored, roomBytes = Infinity) =>
      new TimedWindow({ ...options, maxBytes: Math.min(options.maxBytes, roomBytes) }, restored),
  };
}

const wrong = (message: string, hint: string): BlinkstreamError =>
  new BlinkstreamError(message, { code: 'WINDOW_OPTIONS', class: 'user', stage: 'window', hint });

class TimedWindow implements Window<TimedState> {
  readonly state: TimedState;
  readonly #options: SlidingOptions;
  /** The frames whose pixels are kept, in their order: asked with every frame. */
  readonly #kept = new Map<number, FrameRef>();
  #keptBytes = 0;

  constructor(options: SlidingOptions, restored?: TimedState) {
    this.#options = options;
    this.state = structuredClone(restored) ?? { frames: [], bytes: {}, next: undefined };
    for (const { ref } of this.state.frames) {
      if (ref.index in this.state.bytes) this.#keep(ref, this.state.bytes[ref.index]);
    }
  }

  /** Those that the last frame is in: what ended before it is closed. */
  get openWindows(): number {
    const { frames, next } = this.state;
    const last = frames.at(-1);
    if (last === undefined || next === undefined) return 0;
    return Math.floor(last.ref.eventTimeMs / this.#options.everyMs) - next + 1;
  }

  kept(): ReadonlySet<number> {
    return new Set(this.#kept.keys());
  }

  keptPositions(): Position[] {
    return [...this.#kept.values()].map(({ position }) => position);
  }

  baseline(): undefined {
    return undefined;
  }

  push(input: WindowInput): ClosedWindow[] {
    switch (input.type) {
      case 'frame': {
        const closed = this.#closeUntil(input.ref.eventTimeMs);
        this.#add(input);
        return closed;
      }
      case 'tick':
        return this.#closeUntil(input.eventTimeMs);
      case 'lost':
        for (const index of input.frames) this.#giveUp(index);
        return [];
      case 'end':
        return this.#closeUntil(Number.POSITIVE_INFINITY);
      // Windows are a matter of time: also one that a gap lies in closes at its own end.
      case 'pause':
        return [];
    }
  }

  #add({ ref, bytes, evidence }: Extract<WindowInput, { type: 'frame' }>): void {
    const { state } = this;
    const { sizeMs, everyMs, maxBytes } = this.#options;
    // The first window that has not ended at that time.
    const first = Math.floor((ref.eventTimeMs - sizeMs) / everyMs) + 1;
    const last = state.frames.at(-1)?.ref;
    const hasClosed = Math.floor(ref.eventTimeMs / everyMs) < (state.next ?? first);
    if (hasClosed || (last !== undefined && !isAfter(ref, last))) {
      throw new BlinkstreamError(`frame ${ref.index} of ${ref.source} came to its window out of order`, {
        code: 'FRAMES_OUT_OF_ORDER',
        class: 'user',
        stage: 'window',
        hint: 'put reorder({ allowedLatenessMs }) before the window',
      });
    }
    state.next = Math.max(first, state.next ?? first);
    state.frames.push({ ref, ...(evidence && { evidence }) });
    this.#keep(ref, bytes);
    while (this.#keptBytes > maxBytes && this.#kept.size > 2) this.#giveUp(closestOf([...this.#kept.values()]));
  }

  #keep(ref: FrameRef, bytes: number): void {
    this.state.bytes[ref.index] = bytes;
    this.#kept.set(ref.index, ref);
    this.#keptBytes += bytes;
  }

  /** The pixels of a frame go, what was measured stays. */
  #giveUp(index: number): void {
    if (!this.#kept.delete(index)) return;
    this.#keptBytes -= this.state.bytes[index];
    delete this.state.bytes[index];
  }

  /** Closes the windows that end by then, in their order, and lets go of frames that none of the others has. */
  #closeUntil(eventTimeMs: number): ClosedWindow[] {
    const { state } = this;
    const { sizeMs, everyMs } = this.#options;
    const closed: ClosedWindow[] = [];
    while (state.next !== undefined && state.frames.length > 0 && state.next * everyMs + sizeMs <= eventTimeMs) {
      const startMs = state.next * everyMs;
      const endMs = startMs + sizeMs;
      state.next += 1;
      const frames = state.frames
        .filter(({ ref }) => ref.eventTimeMs >= startMs && ref.eventTimeMs < endMs)
        .map((frame): SequenceFrame => (this.#kept.has(frame.ref.index) ? { ...frame, role: 'whole' } : frame));
      const [first] = frames;
      const last = frames.at(-1);
      if (first !== undefined && last !== undefined) {
        closed.push({
          trigger: 'whole',
          first: pointOf(first.ref),
          last: pointOf(last.ref),
          frames,
          settled: frames.flatMap(({ evidence }) => evidence?.settled ?? []),
          thinnedFrames: frames.filter(({ role }) => role === undefined).length,
        });
      }
      const past = state.frames.filter(({ ref }) => ref.eventTimeMs < startMs + everyMs);
      for (const { ref } of past) this.#giveUp(ref.index);
      state.frames = state.frames.slice(past.length);
    }
    return closed;
  }
}

/** Of frames in order, first and last aside, the one whose neighbours are nearest to each other in time. */
function closestOf(refs: readonly FrameRef[]): number {
  const apartMs = (i: number): number => refs[i + 1].eventTimeMs - refs[i - 1].eventTimeMs;
  let closest = 1;
  for (let i = 2; i < refs.length - 1; i++) if (apartMs(i) < apartMs(closest)) closest = i;
  return refs[closest].index;
}
