import { setTimeout as pause } from 'node:timers/promises';
import { isTick, type Frame } from '../records/index.js';
import { ByteBudget } from '../sources/budget.js';
import type { Source, SourceReport } from '../sources/index.js';

/** A frame and when it is to have been taken. */
export interface TimedFrame {
  readonly frame: Frame;
  readonly eventTimeMs: number;
}

export interface TimedFramesOptions {
  /** Event time of the first frame, ms since the epoch. */
  readonly startMs: number;
  /** Give each frame when as much time has passed as its event time says. */
  readonly isPaced: boolean;
  /** Begin again at the end; event time goes on. */
  readonly repeat: boolean;
  /** Ends it quietly. */
  readonly signal: AbortSignal;
}

const budgetBytes = 256 * 2 ** 20;
/** From the last frame of a round to the first of the next, where one alone tells no pace. */
const defaultStepMs = 1_000;

/**
 * The frames of a source with event times that begin at `startMs` and keep the source's own spacing. Whoever takes one
 * owns a hold on its lease. @returns how the source ended; undefined where the signal ended it
 */
export async function* timedFrames(
  source: Source,
  { startMs, isPaced, repeat, signal }: TimedFramesOptions,
): AsyncGenerator<TimedFrame, SourceReport | undefined, undefined> {
  const budget = new ByteBudget(budgetBytes);
  const beganMs = performance.now();
  let roundMs = 0;
  try {
    for (;;) {
      let [count, lastMs] = [0, 0];
      const reading = source.read({ budget, signal });
      let next = await reading.next();
      try {
        for (; !next.done; next = await reading.next()) {
          const item = next.value;
          if (isTick(item)) continue;
          const elapsedMs = roundMs + item.ref.elapsedMs;
          if (isPaced) await dueAt(beganMs + elapsedMs, signal, item);
          yield { frame: item, eventTimeMs: startMs + elapsedMs };
          [count, lastMs] = [count + 1, item.ref.elapsedMs];
        }
      } finally {
        // Whoever takes no more frames ends the reading too.
        if (!next.done) await reading.return(undefined as never);
      }
      if (!repeat) return next.value;
      roundMs += lastMs + (count > 1 ? lastMs / (count - 1) : defaultStepMs);
    }
  } catch (error) {
    if (signal.aborted) return undefined;
    throw error;
  }
}

/** A frame that will not be given any more, because the signal aborts, is given back. */
async function dueAt(dueMs: number, signal: AbortSignal, { lease }: Frame): Promise<void> {
  try {
    signal.throwIfAborted();
    const waitMs = dueMs - performance.now();
    if (waitMs > 0) await pause(waitMs, undefined, { signal });
  } catch (error) {
    lease.release();
    throw error;
  }
}
