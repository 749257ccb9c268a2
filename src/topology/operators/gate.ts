import { concatMap, from, Observable, tap, type OperatorFunction } from 'rxjs';
import type { MeasuredPicture } from '../../pixels/cells.js';
import { pictureOf } from '../../pixels/content.js';
import { toRgb8 } from '../../pixels/rgb8.js';
import { BlinkstreamError, type Frame, type FrameEvidence } from '../../records/index.js';
import { killPoint } from '../../records/kill-points.js';
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
      frame.lease.release();
      subscriber.complete();
    });
  return (source) =>
    source.pipe(
      tap((frame) => frame.lease.retain()),
      concatMap((frame) => {
        if (frame.ref.index < reducer.nextIndex) return emit(frame, undefined);
        const content = frame.lease.content();
        if (content.form === 'yuv420') return emit(frame, content.picture);
        if (content.form === 'pixels') return emit(frame, toRgb8(content.picture));
        return from(pictureOf(content)).pipe(concatMap((picture) => emit(frame, toRgb8(picture))));
      }),
    );
}

const statePassed = (): BlinkstreamError =>
  new BlinkstreamError('a checkpoint was taken after the frame it belongs to had passed', {
    code: 'STATE_PASSED',
    class: 'internal',
    stage: 'gate',
    hint: 'put no operator between gate and window that delays frames',
  });
