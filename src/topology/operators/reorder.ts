import { Observable, type MonoTypeOperatorFunction } from 'rxjs';
import type { Frame, FrameRef } from '../../records/index.js';
import { isAfter, ReorderBuffer, type Reordered } from '../../sequences/reorder.js';
import { pipelineContext, restoredState } from '../context.js';
import { guarded } from './guarded.js';

export interface ReorderOptions {
  /** How far behind the latest event time a frame may come, ms. */
  readonly allowedLatenessMs: number;
}

/** What the frames of a checkpoint had come to; of those that a restart reads again, late ones are told already. */
interface ReorderState {
  readonly lateFrames: number;
  /** Index of the last frame that the source had given. */
  readonly readTo: number;
}

/** Brings frames into event-time order within a bound; what comes later than the bound goes to the late output. */
export function reorder({ allowedLatenessMs }: ReorderOptions): MonoTypeOperatorFunction<Frame> {
  const context = pipelineContext('reorder');
  const { listener, ahead } = context;
  const restored = restoredState(context, 'reorder') as ReorderState | undefined;
  let { lateFrames, readTo }: ReorderState = restored ?? { lateFrames: 0, readTo: -1 };
  // Also those let through: they may still be on their way to the window.
  let given: FrameRef[] = [];
  ahead.push({
    positionsAfter: (last) => {
      given = given.filter((ref) => isAfter(ref, last));
      return given.map(({ position }) => position);
    },
    states: () => ({ reorder: { lateFrames, readTo } satisfies ReorderState }),
  });
  return (source) =>
    new Observable<Frame>((subscriber) => {
      const buffer = new ReorderBuffer<Frame>(allowedLatenessMs);
      const emit = ({ ready, late }: Reordered<Frame>): void => {
        for (const frame of late) {
          if (frame.ref.index > (restored?.readTo ?? -1)) {
            lateFrames += 1;
            listener.late?.(frame.ref, buffer.watermarkMs);
          }
          frame.lease.release();
        }
        for (const frame of ready) {
          subscriber.next(frame);
          frame.lease.release();
        }
      };
      const subscription = source.subscribe(
        guarded<Frame>(subscriber, {
          next: (frame) => {
            frame.lease.retain();
            given.push(frame.ref);
            readTo = Math.max(readTo, frame.ref.index);
            emit(buffer.push(frame));
          },
          complete: () => {
            if (context.report()?.suspended !== true) emit(buffer.end());
            subscriber.complete();
          },
        }),
      );
      return () => {
        subscription.unsubscribe();
        for (const frame of buffer.waiting) frame.lease.release();
      };
    });
}
