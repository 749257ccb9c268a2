import { Observable, type OperatorFunction } from 'rxjs';
import {
  BlinkstreamError,
  type Checkpoint,
  type FrameSequence,
  type Lease,
  type Position,
  type SequenceFrame,
} from '../../records/index.js';
import type { ClosedWindow, Window, WindowInput, WindowSpec } from '../../sequences/windows/window.js';
import { pipelineContext, restoredState } from '../context.js';
import type { GatedFrame } from './gate.js';
import { guarded } from './guarded.js';

/**
 * Groups frames into sequences. Holds the leases of the frames that the window keeps, and gives each sequence the
 * state of everything up to here. A sequence's leases are valid while it is being emitted; `reason` retains them.
 */
export function window<State>(spec: WindowSpec<State>): OperatorFunction<GatedFrame, FrameSequence> {
  const context = pipelineContext('window');
  const restored = restoredState(context, 'window') as State | undefined;
  return (source) =>
    new Observable<FrameSequence>((subscriber) => {
      const reducer = spec.open(restored);
      const held = new Map<number, Lease>();
      const scene = reducer.baseline()?.ref.index;
      if (scene !== undefined && context.restoredScene !== undefined) held.set(scene, context.restoredScene);

      const feed = (input: WindowInput, checkpoint: () => Checkpoint | undefined): void => {
        const closed = reducer.push(input);
        closed.forEach((one, i) => {
          const sequence: FrameSequence = sequenceOf(one, held, context.source.name);
          // State after the push is state after all that it closed, so the last of them carries it.
          if (i < closed.length - 1) return subscriber.next(sequence);
          const state = checkpoint();
          const scene = reducer.baseline();
          subscriber.next({
            ...sequence,
            ...(state && { checkpoint: state }),
            ...(state && scene && { settledScene: withLease(scene, held) }),
          });
        });
        letGo(reducer, held);
      };

      const subscription = source.subscribe(
        guarded<GatedFrame>(subscriber, {
          next: ({ frame: { ref, lease }, evidence, upstream }) => {
            if (evidence === undefined && !reducer.kept().has(ref.index)) return;
            lease.retain();
            held.get(ref.index)?.release();
            held.set(ref.index, lease);
            if (evidence === undefined) return;
            feed({ type: 'frame', ref, bytes: lease.bytes, evidence }, () => ({
              states: {
                ...Object.fromEntries(context.ahead.flatMap((step) => Object.entries(step.states()))),
                ...upstream(),
                window: structuredClone(reducer.state),
              },
              positions: {
                // At the least the frame just seen, which is then read again and passed over.
                [context.source.name]: earliest([
                  ref.position,
                  ...reducer.keptPositions(),
                  ...context.ahead.flatMap((step) => step.positionsAfter(ref)),
                ]),
              },
            }));
          },
          complete: () => {
            // Nothing follows the end: the run's own last step says that the source is done.
            if (context.report()?.suspended !== true) feed({ type: 'end' }, () => undefined);
            subscriber.complete();
          },
        }),
      );
      return () => {
        subscription.unsubscribe();
        for (const lease of held.values()) lease.release();
        held.clear();
      };
    });
}

function sequenceOf(closed: ClosedWindow, held: ReadonlyMap<number, Lease>, source: string): FrameSequence {
  const { baseline, frames, ...rest } = closed;
  return {
    source,
    ...rest,
    frames: frames.map((frame) => (frame.role === undefined ? plain(frame) : withLease(frame, held))),
    ...(baseline && { baseline: withLease(baseline, held) }),
  };
}

const plain = ({ ref, evidence }: SequenceFrame): SequenceFrame<Lease> => ({ ref, ...(evidence && { evidence }) });

function withLease(frame: SequenceFrame, held: ReadonlyMap<number, Lease>): SequenceFrame<Lease> {
  const lease = held.get(frame.ref.index);
  if (lease === undefined) {
    throw new BlinkstreamError(`the pixels of frame ${frame.ref.index} of ${frame.ref.source} were not kept`, {
      code: 'FRAME_NOT_KEPT',
      class: 'internal',
      stage: 'window',
    });
  }
  return {
    ref: frame.ref,
    ...(frame.evidence && { evidence: frame.evidence }),
    ...(frame.role && { role: frame.role }),
    lease,
  };
}

const earliest = (positions: readonly Position[]): Position =>
  positions.reduce((lowest, position) => (position.index < lowest.index ? position : lowest));

function letGo<State>(reducer: Window<State>, held: Map<number, Lease>): void {
  const kept = reducer.kept();
  const scene = reducer.baseline()?.ref.index;
  for (const [index, lease] of held) {
    if (kept.has(index) || index === scene) continue;
    held.delete(index);
    lease.release();
  }
}
