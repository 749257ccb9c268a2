import { catchError, concatMap, EMPTY, finalize, from, Observable, tap, type OperatorFunction } from 'rxjs';
import type { MeasuredPicture } from '../../pixels/cells.js';
import { pictureOf } from '../../pixels/content.js';
import { toRgb8 } from '../../pixels/rgb8.js';
import {
  BlinkstreamError,
  isTick,
  type Frame,
  type FrameEvidence,
  type Lease,
  type SourceItem,
  type Tick,
} from '../../records/index.js';
import { killPoint } from '../../records/kill-points.js';
import { isAfter } from '../../sequences/reorder.js';
import { Gate } from '../../sequences/gate/gate.js';
import type { GateOptions } from '../../sequences/gate/options.js';
import type { GateState } from '../../sequences/gate/state.js';
import { pipelineContext, restoredState } from '../context.js';

/** A frame and what the gate measured of it. */
export interface GatedFrame {
  readonly frame: Frame;
  readonly evidence: FrameEvidence;
  /**
   * State of the steps so far, for a checkpoint. Only valid while this frame is being emitted.
   * @throws BlinkstreamError `STATE_PASSED` (internal) afterwards
   */
  readonly upstream: () => Readonly<Record<string, unknown>>;
}

/** Frames up to a checkpoint whose pictures could not be decoded. */
export interface DecodeState {
  readonly unreadableFrames: number;
}

/** A tick in its place among the gated frames. */
export interface GatedTick extends Tick, Pick<GatedFrame, 'upstream'> {}

/** What the gate gives. */
export type GatedItem = GatedFrame | GatedTick;

/**
 * Measures each frame: movement, nuisances, tracks, what has come to rest. Encoded frames are decoded for it. Ticks pass
 * in their place; after a gap the first frame is no movement, and what differs is left to the comparison of the scene
 * before with the scene after.
 *
 * A picture that cannot be decoded is told as `unreadable` and passed over: it must not end a camera for good.
 *
 * What a run before this one has gated is read again only for its pixels. It goes past whatever stands between here and
 * the window, which kept it or not after having seen its evidence then.
 */
export function gate(options: Partial<GateOptions> = {}): OperatorFunction<SourceItem, GatedItem> {
  const context = pipelineContext('gate');
  const reducer = new Gate(options, restoredState(context, 'gate') as GateState | undefined, context.source.zones);
  const { last } = reducer;
  let { unreadableFrames } = (restoredState(context, 'decode') ?? { unreadableFrames: 0 }) as DecodeState;
  const isGated = (frame: Frame): boolean => last !== undefined && !isAfter(frame.ref, last);
  const emit = (itemOf: () => Tick | Omit<GatedFrame, 'upstream'>): Observable<GatedItem> =>
    new Observable((subscriber) => {
      const item = itemOf();
      killPoint('gate');
      let passed = false;
      subscriber.next({
        ...item,
        upstream: () => {
          if (passed) throw statePassed();
          return { gate: reducer.snapshot(), decode: { unreadableFrames } satisfies DecodeState };
        },
      });
      passed = true;
      subscriber.complete();
    });
  const gated = (frame: Frame, picture: MeasuredPicture): Observable<GatedItem> =>
    emit(() => ({ frame, evidence: reducer.measure(frame.ref, picture) }));
  const ticked = (tick: Tick): Observable<GatedItem> =>
    emit(() => {
      if (tick.gap !== undefined) reducer.interrupt(tick.eventTimeMs);
      return tick;
    });
  const measured = (frame: Frame): Observable<GatedItem> => {
    if (isGated(frame)) {
      for (const takeAgain of context.gatedBefore) takeAgain(frame);
      return EMPTY;
    }
    const content = frame.lease.content();
    if (content.form === 'yuv420') return gated(frame, content.picture);
    if (content.form === 'pixels') return gated(frame, toRgb8(content.picture));
    return from(pictureOf(content)).pipe(
      catchError((error: unknown) => {
        if (!(error instanceof BlinkstreamError && error.class === 'data')) throw error;
        unreadableFrames += 1;
        context.listener.unreadable?.(frame.ref, error);
        return EMPTY;
      }),
      concatMap((picture) => gated(frame, toRgb8(picture))),
    );
  };
  return (source) =>
    new Observable<GatedItem>((subscriber) => {
      // Frames wait here while one before them is decoded.
      const held = new Set<Lease>();
      context.holders.push(() => ({ frames: held.size }));
      const letGo = (lease: Lease): void => {
        if (held.delete(lease)) lease.release();
      };
      const subscription = source
        .pipe(
          tap((item) => {
            if (isTick(item)) return;
            item.lease.retain();
            held.add(item.lease);
          }),
          concatMap((item) => (isTick(item) ? ticked(item) : measured(item).pipe(finalize(() => letGo(item.lease))))),
        )
        .subscribe(subscriber);
      return () => {
        subscription.unsubscribe();
        for (const lease of [...held]) letGo(lease);
      };
    });
}

const statePassed = (): BlinkstreamError =>
  new BlinkstreamError('a checkpoint was taken after the frame it belongs to had passed', {
    code: 'STATE_PASSED',
    class: 'internal',
    stage: 'gate',
    hint: 'put no operator between gate and window that delays frames',
  });
