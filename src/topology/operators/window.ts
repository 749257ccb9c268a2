import { Observable, type OperatorFunction } from 'rxjs';
import {
  BlinkstreamError,
  isTick,
  type Checkpoint,
  type Frame,
  type FrameEvidence,
  type FrameSequence,
  type Lease,
  type Position,
  type SequenceFrame,
  type SourceItem,
  type Tick,
} from '../../records/index.js';
import { shrunk, shrunkBytes } from '../../pixels/shrink.js';
import { leaseOf } from '../../sources/budget.js';
import { CLIP_WIDEST_PX } from '../../sequences/windows/clip-frames.js';
import { orderOf } from '../../sequences/reorder.js';
import {
  Sequencer,
  type NumberedWindow,
  type SequencerInput,
  type SequencerState,
} from '../../sequences/windows/sequencer.js';
import { withoutPixels, type WindowSpec } from '../../sequences/windows/window.js';
import { pipelineContext, restoredState } from '../context.js';
import type { GatedFrame, GatedItem } from './gate.js';
import { guarded } from './guarded.js';

export interface WindowOptions {
  /**
   * A source that gives no frame for so long, by its ticks, is idle: the window lets go of its frames, and a checkpoint
   * goes on behind the last of them; default 10,000 ms.
   */
  readonly idleMs: number;
}

export const windowDefaults: WindowOptions = { idleMs: 10_000 };

/** What a window may be given: with a gate before it, or without. */
type WindowItem<Needs> = Needs extends 'measured' ? GatedItem : GatedItem | SourceItem;

/**
 * Groups frames into sequences. Holds the leases of the frames that the window keeps, and gives each sequence the
 * state of everything up to here. A sequence's leases are valid while it is being emitted; `reason` retains them.
 *
 * Frames must come in event-time order, ticks in their place among them. A gap in the signal becomes a sequence of its
 * own when it is noticed and when it is over. Of a source that is not `replayable` a restart loses the pixels that the
 * window held, all but the settled scene; it goes on with what it has measured.
 */
export function window<State, Needs extends 'measured' | 'frames'>(
  spec: WindowSpec<State, Needs>,
  options: Partial<WindowOptions> = {},
): OperatorFunction<WindowItem<Needs>, FrameSequence> {
  const context = pipelineContext('window');
  const { idleMs } = { ...windowDefaults, ...options };
  const restored = restoredState(context, 'window') as SequencerState<State> | undefined;
  const { name, replayable = true, zones } = context.source;
  return (source) =>
    new Observable<FrameSequence>((subscriber) => {
      // The other half is for sequences that are reasoned over, and for the frame to come: without it nothing would close.
      const reducer = new Sequencer(spec, idleMs, restored, context.budget.limitBytes / 2);
      context.holders.push(() => ({ openWindows: reducer.openWindows }));
      const held = new Map<number, Lease>();
      const scene = reducer.baseline()?.ref.index;
      if (scene !== undefined && context.restoredScene !== undefined) held.set(scene, context.restoredScene);

      /** Smaller copies of frames for a clip, of which few are wanted and the bytes are bounded. */
      const small = new Map<number, Lease>();
      const holdSmall = (index: number, lease: Lease): void => {
        const content = lease.content();
        const copy = shrunk(content, CLIP_WIDEST_PX);
        if (copy === undefined) return;
        small.get(index)?.release();
        if (copy === content) lease.retain();
        const bytes = shrunkBytes(content, CLIP_WIDEST_PX) ?? 0;
        small.set(index, copy === content ? lease : leaseOf(copy, bytes, () => undefined));
      };
      /** A new frame, where it is for a clip: of a window that it closes, or of one to come. */
      const takeSmall = (input: SequencerInput, closed: readonly NumberedWindow[]): void => {
        if (input.type !== 'frame') return;
        const { index } = input.ref;
        const isShown = closed.some(({ frames }) => frames.some((f) => f.role === 'clip' && f.ref.index === index));
        const lease = held.get(index);
        if (lease !== undefined && (isShown || reducer.keptSmall().has(index))) holdSmall(index, lease);
      };
      const give = (sequence: FrameSequence): void => {
        context.listener.closed?.(sequence);
        subscriber.next(sequence);
      };
      const feed = (input: SequencerInput, checkpoint: () => Checkpoint | undefined): void => {
        const closed = reducer.push(input);
        takeSmall(input, closed);
        closed.forEach((one, i) => {
          const sequence: FrameSequence = { ...sequenceOf(one, { held, small }, name), ...(zones && { zones }) };
          // State after the push is state after all that it closed, so the last of them carries it.
          if (i < closed.length - 1) return give(sequence);
          const state = checkpoint();
          const scene = reducer.baseline();
          give({
            ...sequence,
            ...(state && { checkpoint: state }),
            ...(state && scene && { settledScene: withLease(scene, held) }),
          });
        });
        letGo(reducer, held, small);
      };
      const checkpointAt = (item: Frame | Tick, upstream: Readonly<Record<string, unknown>>): Checkpoint => {
        const position = positionAt(item);
        return {
          states: {
            ...Object.fromEntries(context.ahead.flatMap((step) => Object.entries(step.states()))),
            ...upstream,
            window: structuredClone(reducer.state),
          },
          positions: position === undefined ? {} : { [name]: position },
        };
      };
      /** Undefined where no frame has come yet. */
      const positionAt = (item: Frame | Tick): Position | undefined => {
        const readTo = isTick(item) ? latest(item.readTo, reducer.readTo) : reducer.readTo;
        const behind: Position | undefined = readTo && { ...readTo, after: true };
        if (replayable === false) return behind;
        const needed = [
          ...reducer.keptPositions(),
          ...context.ahead.flatMap((step) => step.positionsAfter(orderOf(item))),
        ];
        // At the least the frame just seen, which is then read again and passed over.
        if (!isTick(item)) return earliest([item.ref.position, ...needed]);
        return needed.length > 0 ? earliest(needed) : behind;
      };
      /** Whether a frame may be missing where the source is read again. */
      let lossy = replayable !== true;
      /** What was kept comes again before anything new does, or never. */
      const giveUpMissing = (): void => {
        if (!lossy) return;
        lossy = false;
        const missing = new Set([
          ...[...reducer.kept()].filter((index) => !held.has(index)),
          ...[...reducer.keptSmall()].filter((index) => !small.has(index)),
        ]);
        if (missing.size > 0) feed({ type: 'lost', frames: missing }, () => undefined);
      };
      const hold = ({ ref, lease }: Frame): void => {
        lease.retain();
        held.get(ref.index)?.release();
        held.set(ref.index, lease);
      };
      const isKept = ({ ref: { position } }: Frame): boolean =>
        reducer.keptPositions().some(({ index, offset }) => index === position.index && offset === position.offset);
      const take = (frame: Frame, evidence: FrameEvidence | undefined, upstream: Upstream): void => {
        giveUpMissing();
        context.listener.windowed?.(frame.ref);
        hold(frame);
        const { ref, lease } = frame;
        const smallBytes = shrunkBytes(lease.content(), CLIP_WIDEST_PX);
        feed({ type: 'frame', ref, bytes: lease.bytes, smallBytes, ...(evidence && { evidence }) }, () =>
          checkpointAt(frame, upstream()),
        );
      };
      const takeAgain = (frame: Frame): void => {
        context.listener.readAgain?.(frame.ref);
        if (!isKept(frame)) return;
        const { index } = frame.ref;
        if (reducer.keptSmall().has(index)) holdSmall(index, frame.lease);
        if (reducer.kept().has(index)) hold(frame);
      };
      context.gatedBefore.push(takeAgain);
      const subscription = source.subscribe(
        guarded<GatedItem | SourceItem>(subscriber, {
          next: (item) => {
            if (isTick(item)) {
              lossy ||= item.gap !== undefined;
              if (!reducer.isPast(item)) giveUpMissing();
              const { upstream = none, ...tick }: Tick & { readonly upstream?: Upstream } = item;
              feed(tick, () => checkpointAt(tick, upstream()));
            } else if ('frame' in item) {
              take(item.frame, item.evidence, item.upstream);
            } else if (reducer.has(item.ref)) {
              takeAgain(item);
            } else {
              take(item, undefined, none);
            }
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
        for (const lease of [...held.values(), ...small.values()]) lease.release();
        held.clear();
        small.clear();
      };
    });
}

type Upstream = GatedFrame['upstream'];
const none: Upstream = () => ({});

function sequenceOf(
  closed: NumberedWindow,
  { held, small }: Readonly<Record<'held' | 'small', ReadonlyMap<number, Lease>>>,
  source: string,
): FrameSequence {
  const { baseline, frames, ...rest } = closed;
  return {
    source,
    ...rest,
    frames: frames.map((frame) =>
      frame.role === undefined ? withoutPixels(frame) : withLease(frame, frame.role === 'clip' ? small : held),
    ),
    ...(baseline && { baseline: withLease(baseline, held) }),
  };
}

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

const latest = (a: Position | undefined, b: Position | undefined): Position | undefined =>
  a === undefined || (b !== undefined && b.index > a.index) ? b : a;

const earliest = (positions: readonly Position[]): Position =>
  positions.reduce((lowest, position) => (position.index < lowest.index ? position : lowest));

function letGo<State>(reducer: Sequencer<State>, held: Map<number, Lease>, small: Map<number, Lease>): void {
  const wanted = reducer.keptSmall();
  for (const [index, lease] of small) {
    if (wanted.has(index)) continue;
    small.delete(index);
    lease.release();
  }
  const kept = reducer.kept();
  const scene = reducer.baseline()?.ref.index;
  for (const [index, lease] of held) {
    if (kept.has(index) || index === scene) continue;
    held.delete(index);
    lease.release();
  }
}
