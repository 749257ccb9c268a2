import { map, Observable, tap, type OperatorFunction } from 'rxjs';
import {
  BlinkstreamError,
  pointOf,
  type Finding,
  type FrameSequence,
  type Lease,
  type Reasoned,
  type SequenceFrame,
} from '../../records/index.js';
import { gapClaim } from '../../reasoning/measured/gap.js';
import { verifyGap } from '../../reasoning/verification/gap.js';
import { mapOrdered } from '../../workers/ordered.js';
import { pipelineContext, restoredState } from '../context.js';
import { isKeyframeDue, keyframesIn } from '../scene-keyframes.js';
import { settledSceneOf, withKeyframe, type SettledScene } from '../settled-scene.js';

export interface ReasonOperatorOptions {
  /** `What changed in this scene?`; models read it. */
  readonly question: string;
  /** Name of a reasoner; default `measured`. */
  readonly reasoner?: string;
}

/** A sequence without its pixels, and what a worker made of it. */
export interface ReasonedSequence extends Pick<
  FrameSequence,
  'source' | 'ordinal' | 'trigger' | 'first' | 'last' | 'checkpoint'
> {
  readonly reasoned: Reasoned;
  /** The settled scene that the checkpoint names, losslessly encoded. */
  readonly settledScene?: SettledScene;
}

/** Sequences up to a checkpoint that no worker could reason over. */
interface ReasonState {
  readonly deadLetters: number;
}

/** A sequence in its place in the order; `lost` where no worker could reason over it. */
interface Worked extends ReasonedSequence {
  readonly lost: boolean;
}

/**
 * Has workers turn sequences into findings: evidence, reasoner, verification. Works in parallel and keeps order; a
 * sequence without frames passes in its place, a gap as the condition `SIGNAL_GAP`. A sequence that no worker can reason
 * over goes to the dead-letter output with its coordinates, and its checkpoint goes on.
 */
export function reason({
  question,
  reasoner = 'measured',
}: ReasonOperatorOptions): OperatorFunction<FrameSequence, ReasonedSequence> {
  const context = pipelineContext('reason');
  return (source) =>
    new Observable<ReasonedSequence>((subscriber) => {
      /** Sequences that no worker has been given yet; one that has is let go by its own work, however that ends. */
      const waiting = new Set<FrameSequence>();
      context.holders.push(() => ({ sequences: waiting.size }));
      const letGo = (sequence: FrameSequence): void => {
        for (const lease of leasesOf(sequence)) lease.release();
      };
      // Sequences begin in order, each with its scene, however many are worked on at a time.
      let scene: { readonly index: number; readonly settled: Promise<SettledScene> } | undefined;
      let keyframeAt = keyframesIn(context.restored).at(-1)?.at;
      const sceneOf = (frame: SequenceFrame<Lease>): Promise<SettledScene> => {
        if (scene?.index === frame.ref.index) return scene.settled;
        const settled = settledSceneOf(frame);
        scene = { index: frame.ref.index, settled };
        const at = pointOf(frame.ref);
        if (!isKeyframeDue(keyframeAt, at)) return settled;
        keyframeAt = at;
        // Once: what follows names the same scene, but not the keyframe again.
        return settled.then(withKeyframe);
      };
      const work = async (sequence: FrameSequence, signal: AbortSignal): Promise<Worked> => {
        // Unsubscribed a moment ago: the leases are gone with all that waited.
        signal.throwIfAborted();
        waiting.delete(sequence);
        const scene = sequence.settledScene && sceneOf(sequence.settledScene);
        try {
          const [reasoned, settledScene] = await Promise.all([reasoning(sequence, signal), scene]);
          const { source: name, ordinal, trigger, first, last, checkpoint } = sequence;
          return {
            source: name,
            ordinal,
            trigger,
            first,
            last,
            reasoned: reasoned ?? nothing,
            lost: reasoned === undefined,
            ...(checkpoint && { checkpoint }),
            ...(settledScene && { settledScene }),
          };
        } finally {
          // Its pixels are read until it is encoded, also where the reasoner has failed by then.
          await Promise.allSettled([scene]);
          letGo(sequence);
        }
      };
      const nothing: Reasoned = { findings: [], contradicted: [], blobs: [], reasoner, elapsedMs: 0 };
      const reasoning = async (sequence: FrameSequence, signal: AbortSignal): Promise<Reasoned | undefined> => {
        if (sequence.trigger === 'checkpoint') return nothing;
        if (sequence.trigger === 'gap') return gapReasoned(sequence, nothing);
        try {
          return await context.reason(sequence, {
            question,
            reasoner,
            signal: AbortSignal.any([signal, context.signal]),
          });
        } catch (error) {
          const lost = error instanceof BlinkstreamError && (error.class === 'resource' || error.class === 'data');
          if (!lost || context.listener.deadLetter === undefined) throw error;
          context.listener.deadLetter(error);
          return undefined;
        }
      };
      let { deadLetters } = (restoredState(context, 'reason') ?? { deadLetters: 0 }) as ReasonState;
      const counted = ({ lost, ...sequence }: Worked): ReasonedSequence => {
        if (lost) deadLetters += 1;
        const { checkpoint } = sequence;
        if (checkpoint === undefined) return sequence;
        const reason: ReasonState = { deadLetters };
        return { ...sequence, checkpoint: { ...checkpoint, states: { ...checkpoint.states, reason } } };
      };
      const subscription = source
        .pipe(
          tap((sequence) => {
            for (const lease of leasesOf(sequence)) lease.retain();
            waiting.add(sequence);
          }),
          mapOrdered(work, context.capacity),
          // Once in order: what is lost later is not covered by the checkpoint.
          map(counted),
        )
        .subscribe(subscriber);
      return () => {
        subscription.unsubscribe();
        for (const sequence of waiting) letGo(sequence);
        waiting.clear();
      };
    });
}

/** No worker is asked: there is nothing to see. */
function gapReasoned(sequence: FrameSequence, nothing: Reasoned): Reasoned {
  const claim = gapClaim(sequence);
  const finding: Finding = { ...claim, pictures: [], verification: verifyGap(claim, sequence) };
  const published = finding.verification.verdict === 'SUPPORTED';
  return { ...nothing, ...(published ? { findings: [finding] } : { contradicted: [finding] }) };
}

const leasesOf = ({ frames, baseline, settledScene }: FrameSequence): Lease[] =>
  [...frames, ...(baseline ? [baseline] : []), ...(settledScene ? [settledScene] : [])].flatMap(
    ({ lease }) => lease ?? [],
  );
