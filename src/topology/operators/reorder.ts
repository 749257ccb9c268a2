import { Observable, type MonoTypeOperatorFunction } from 'rxjs';
import type { Frame, FrameRef } from '../../records/index.js';
import { isAfter, ReorderBuffer, type Reordered } from '../../sequences/reorder.js';
import { pipelineContext } from '../context.js';
import { guarded } from './guarded.js';

export interface ReorderOptions {
  /** How far behind the latest event time a frame may come, ms. */
  readonly allowedLatenessMs: number;
}

/** Brings frames into event-time order within a bound; what comes later than the bound goes to the late output. */
export function reorder({ allowedLatenessMs }: ReorderOptions): MonoTypeOperatorFunction<Frame> {
  const { listener, ahead } = pipelineContext('reorder');
  // Also those let through: they may still be on their way to the window.
  let given: FrameRef[] = [];
  ahead.push((last) => {
    given = given.filter((ref) => isAfter(ref, last));
    return given.map(({ position }) => position);
  });
  return (source) =>
    new Observable<Frame>((subscriber) => {
      const buffer = new ReorderBuffer<Frame>(allowedLatenessMs);
      const emit = ({ ready, late }: Reordered<Frame>): void => {
        for (const frame of late) {
          listener.late?.(frame.ref, buffer.watermarkMs);
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
            emit(buffer.push(frame));
          },
          complete: () => {
            emit(buffer.end());
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
