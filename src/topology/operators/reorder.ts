import { Observable, type MonoTypeOperatorFunction } from 'rxjs';
import { isTick, type FrameRef, type SourceItem } from '../../records/index.js';
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

/**
 * Brings frames into event-time order within a bound; what comes later than the bound goes to the late output. Ticks keep
 * their place: each is let through once every frame that may still come before it has.
 */
export function reorder({ allowedLatenessMs }: ReorderOptions): MonoTypeOperatorFunction<SourceItem> {
  const context = pipelineContext('reorder');
  const { listener, ahead, holders } = context;
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
    new Observable<SourceItem>((subscriber) => {
      const buffer = new ReorderBuffer<SourceItem>(allowedLatenessMs);
      holders.push(() => ({ frames: buffer.waiting.filter((item) => !isTick(item)).length }));
      const emit = ({ ready, late }: Reordered<SourceItem>): void => {
        for (const frame of late) {
          // Sources give no tick behind a frame; time that is past already would change nothing.
          if (isTick(frame)) continue;
          if (frame.ref.index > (restored?.readTo ?? -1)) {
            lateFrames += 1;
            listener.late?.(frame.ref, buffer.watermarkMs);
          } else {
            listener.readAgain?.(frame.ref);
          }
          frame.lease.release();
        }
        for (const item of ready) {
          subscriber.next(item);
          if (!isTick(item)) item.lease.release();
        }
      };
      const subscription = source.subscribe(
        guarded<SourceItem>(subscriber, {
          next: (item) => {
            if (!isTick(item)) {
              item.lease.retain();
              given.push(item.ref);
              readTo = Math.max(readTo, item.ref.index);
            }
            emit(buffer.push(item));
          },
          complete: () => {
            if (context.report()?.suspended !== true) emit(buffer.end());
            subscriber.complete();
          },
        }),
      );
      return () => {
        subscription.unsubscribe();
        for (const item of buffer.waiting) if (!isTick(item)) item.lease.release();
      };
    });
}
