import type { FrameContent } from './picture.js';

/**
 * Where a frame stands in its source, enough to seek the source and read it again.
 * `index` counts decoded frames or images from 0; `offset` is the driver's own (a video's presentation time
 * in its time base, a file name, a Kafka offset) and is only read by the driver that wrote it.
 */
export interface Position {
  readonly index: number;
  readonly offset: string;
  /** Everything up to and including that frame is done with: the first one wanted is the one after it. */
  readonly after?: true;
}

/** A frame without its pixels: what may be kept, serialised and sent. */
export interface FrameRef {
  readonly source: string;
  /** 0-based number of the decoded frame or image; of a pushed camera, the client's sequence number. */
  readonly index: number;
  /** Event time in ms: since the epoch where the source knows the wall clock, else since its own beginning. */
  readonly eventTimeMs: number;
  /** Event time relative to the source's first frame, in ms; exact, may be fractional; negative where an older one came later. */
  readonly elapsedMs: number;
  readonly position: Position;
  readonly width: number;
  readonly height: number;
}

/**
 * A counted hold on a frame's bytes. The source holds it while it emits; an operator that needs the content after it
 * returned calls `retain` and later `release` once for each. At zero the bytes go back to the source's budget, and
 * any further use throws.
 */
export interface Lease {
  readonly bytes: number;
  /** The content. @throws BlinkstreamError `LEASE_RELEASED` when every hold is gone. */
  content(): FrameContent;
  /** @throws BlinkstreamError `LEASE_RELEASED` when every hold is gone. */
  retain(): void;
  /** @throws BlinkstreamError `LEASE_RELEASED` when every hold is gone already. */
  release(): void;
}

/** One image of a source, with a lease on its bytes. */
export interface Frame {
  readonly ref: FrameRef;
  readonly lease: Lease;
}

/**
 * Event time that passed without a frame: what a source gives while nothing comes, so that what waits for time need not
 * wait for a picture. It travels between the frames and keeps its place among them.
 */
export interface Tick {
  readonly type: 'tick';
  readonly source: string;
  /** No earlier than that of any frame or tick given before. */
  readonly eventTimeMs: number;
  /** As `FrameRef.elapsedMs`. */
  readonly elapsedMs: number;
  /** There has been no fresh picture, and why. Absent: it is only quiet, and frames may still be on their way. */
  readonly gap?: Gap;
  /**
   * Of all frames given before it the one that was given last, be it that it was late or that an operator left it out:
   * with nothing waiting for it, a checkpoint at this tick is after that one. Set by `frames`.
   */
  readonly readTo?: Position;
}

/** A stretch in which pictures should have come and did not: told as the condition `SIGNAL_GAP`. */
export interface Gap {
  /** Event time of the last picture before it. */
  readonly sinceMs: number;
  /** A clause that a person reads, without secrets: `the camera did not answer`. */
  readonly reason: string;
  /** Pictures are back: the tick stands where the first of them follows. */
  readonly over: boolean;
}

/** What a source gives. */
export type SourceItem = Frame | Tick;

/** Tells ticks from frames, before the gate and after it. */
export const isTick = (item: object): item is Tick => 'type' in item && item.type === 'tick';

/** A moment of a source as events tell it. */
export interface FramePoint {
  readonly frame: number;
  /** As `FrameRef.eventTimeMs`. */
  readonly timeMs: number;
  readonly elapsedMs: number;
}

/** Event times before this are counted from the source's own beginning, not from the epoch. */
const WALL_CLOCK_FROM_MS = Date.UTC(1980, 0, 1);

/** Whether an event time is one of the wall clock. */
export const knowsWallClock = (eventTimeMs: number): boolean => eventTimeMs >= WALL_CLOCK_FROM_MS;

/** The moment at which `ref` was taken. */
export const pointOf = (ref: FrameRef): FramePoint => ({
  frame: ref.index,
  timeMs: ref.eventTimeMs,
  elapsedMs: ref.elapsedMs,
});
