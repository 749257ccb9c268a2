import { Observable, type OperatorFunction } from 'rxjs';
import type { Checkpoint } from '../records/index.js';
import type { Step } from './operators/track.js';

/** So many writes may wait, a pipeline: each holds a copy of its whole state. */
export const MOST_WAITING = 8;

interface Write {
  readonly steps: Step[];
  readonly checkpoint: Checkpoint;
}

/**
 * Writes steps, in order, up to a checkpoint at a time. Where a log is so slow that `MOST_WAITING` writes wait for it, what
 * comes goes together with the last of them: then only the later checkpoint counts, and the one before is let go of.
 *
 * Emits once, at the end: the steps behind the last checkpoint, which were not written.
 * @param write its first part, up to the first `await`, runs before the next step comes where nothing waits
 */
export const committing =
  (write: (steps: readonly Step[], checkpoint: Checkpoint) => Promise<void>): OperatorFunction<Step, readonly Step[]> =>
  (source) =>
    new Observable((subscriber) => {
      const waiting: Write[] = [];
      let uncovered: Step[] = [];
      let isWriting = false;
      let isComplete = false;
      const end = (): void => {
        subscriber.next(uncovered);
        subscriber.complete();
      };
      const writeAll = async (): Promise<void> => {
        isWriting = true;
        for (let next = waiting.shift(); next !== undefined && !subscriber.closed; next = waiting.shift()) {
          await write(next.steps, next.checkpoint);
        }
        isWriting = false;
        if (isComplete) end();
      };
      return source.subscribe({
        next: ({ checkpoint, ...step }) => {
          uncovered.push(step);
          if (checkpoint === undefined) return;
          const before = waiting.length < MOST_WAITING ? undefined : waiting.pop();
          waiting.push({ steps: [...(before?.steps ?? []), ...uncovered], checkpoint });
          uncovered = [];
          if (!isWriting) writeAll().catch((error: unknown) => subscriber.error(error));
        },
        error: (error: unknown) => subscriber.error(error),
        complete: () => {
          isComplete = true;
          if (!isWriting) end();
        },
      });
    });
