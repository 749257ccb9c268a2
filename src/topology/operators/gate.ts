import { concatMap, finalize, from, Observable, tap, type OperatorFunction } from 'rxjs';
import type { MeasuredPicture } from '../../pixels/cells.js';
import { pictureOf } from '../../pixels/content.js';
import { toRgb8 } from '../../pixels/rgb8.js';
import { BlinkstreamError, type Frame, type FrameEvidence, type Lease } from '../../records/index.js';
import { killPoint } from '../../records/kill-points.js';
import { isAfter } from '../../sequences/reorder.js';
import { Gate, type GateOptions } from '../../sequences/gate/gate.js';
import type { GateState } from '../../sequences/gate/state.js';
import { pipelineContext, restoredState } from '../context.js';

/** A frame and what the gate measured of it; `evidence` is absent for a frame that a run before this one gated. */
export interface GatedFrame {
  readonly frame: Frame;
  readonly evidence: FrameEvidence | undefined;
  /**
   * State of the steps so far, for a checkpoint. Only valid while this frame is being emitted.
   * @throws BlinkstreamError `STATE_PASSED` (internal) afterwards
   */
  readonly upstream: () => Readonly<Record<string, unknown>>;
}

/** Measures each frame: movement, nuisances, tracks, what has come to rest. Encoded frames are decoded for it. */
export function gate(options: Partial<GateOptions> = {}): OperatorFunction<Frame, GatedFrame> {
  const context = pipelineContext('gate');
  const reducer = new Gate(options, restoredState(context, 'gate') as GateState | undefined);
  const { last } = reducer;
  const isGated = (frame: Frame): boolean => last !== undefined && !isAfter(frame.ref, last);
  const emit = (frame: Frame, picture: MeasuredPicture | undefined): Observable<GatedFrame> =>
    new Observable((subscriber) => {
      const evidence = picture === undefined ? undefined : reducer.measure(frame.ref, picture);
      killPoint('gate');
      let passed = false;
      subscriber.next({
        frame,
        evidence,
        upstream: () => {
          if (passed) throw statePassed();
          return { gate: reducer.snapshot() };
        },
      });
      passed = true;
      subscriber.complete();
    });
  const measured = (frame: Frame): Observable<GatedFrame> => {
    if (isGated(frame)) return emit(frame, undefined);
    const content = frame.lease.content();
    if (content.form === 'yuv420') return emit(frame, content.picture);
    if (content.form === 'pixels') return emit(frame, toRgb8(content.picture));
    return from(pictureOf(content)).pipe(concatMap((picture) => emit(frame, toRgb8(picture))));
  };
  return (source) =>
    new Observable<GatedFrame>((subscriber) => {
      // Frames wait here while one before them is decoded.
      const held = new Set<Lease>();
      const letGo = (lease: Lease): void => {
        if (held.delete(lease)) lease.release();
      };
      const subscription = source
        .pipe(
          tap(({ lease }) => {
            lease.retain();
            held.add(lease);
          }),
          concatMap((frame) => measured(frame).pipe(finalize(() => letGo(frame.lease)))),
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
