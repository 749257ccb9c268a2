import type { FrameRef, Position, Schedule, SourceItem, Zone } from '../records/index.js';
import type { ByteBudget } from './budget.js';

export interface ReadOptions {
  /**
   * The first frame wanted, or the one before it where it says `after`, which only follows on ticks and on sources that
   * are not `replayable`; without it, the beginning.
   */
  readonly from?: Position;
  /** Bytes in flight: `read` waits for credit before it reads on. */
  readonly budget: ByteBudget;
  readonly signal: AbortSignal;
}

/** How a source ended. */
export interface SourceReport {
  /** Frames given, those before `from` included. */
  readonly framesRead: number;
  /** Frames that the container announced, if it did; may be off by a few. */
  readonly framesExpected?: number;
  readonly complete: boolean;
  /** Why it is not complete, as a person reads it. */
  readonly problem?: string;
  /** There is more: what was read is worked on, windows stay open, and a later run goes on from the last checkpoint. */
  readonly suspended?: true;
  /** Single items that could not be read, with where and why. */
  readonly unreadable: readonly { readonly where: string; readonly problem: string }[];
}

/** Where frames come from. One file a kind in this room. What is recorded gives frames alone, no ticks. */
export interface Source<Item extends SourceItem = SourceItem> {
  readonly name: string;
  /**
   * Whether `from` gives the same frames once more; default true. A camera does not: what was missed is gone. `in part`:
   * it does as far as they are still there.
   */
  readonly replayable?: boolean | 'in part';
  /** Areas of its pictures; private ones are black in every frame that it gives. */
  readonly zones?: readonly Zone[];
  /** Hours in which changes of it are told; without it, always. Then it knows the time of day. */
  readonly schedule?: Schedule;
  /**
   * Frames in source order, pulled one at a time, and ticks between them where time passes without any. The consumer
   * owns one hold on each frame's lease and releases it. Ends by returning its report; throws where nothing at all can
   * be read.
   * @throws BlinkstreamError class `user` or `data`
   */
  read(options: ReadOptions): AsyncGenerator<Item, SourceReport, undefined>;
  /** Called when a checkpoint that goes on from `position` is durable: nothing before it will be asked for again. */
  committed?(position: Position): void;
  /** Called for a frame that came too late for its window, and was left out. */
  late?(ref: FrameRef): void;
}
