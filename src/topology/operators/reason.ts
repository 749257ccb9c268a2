import { Observable, tap, type OperatorFunction } from 'rxjs';
import { createHash } from 'node:crypto';
import { pictureOf } from '../../pixels/content.js';
import { encodePng } from '../../pixels/encode.js';
import {
  BlinkstreamError,
  type Blob,
  type FrameSequence,
  type Lease,
  type Reasoned,
  type SequenceFrame,
} from '../../records/index.js';
import { mapOrdered } from '../../workers/ordered.js';
import { pipelineContext } from '../context.js';

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
  /** The settled scene, losslessly encoded, where the sequence carried another one. */
  readonly settledScene?: Blob;
}

/**
 * Has workers turn sequences into findings: evidence, reasoner, verification. Works in parallel and keeps order; a
 * sequence without frames passes in its place. A sequence that no worker can reason over goes to the dead-letter output
 * with its coordinates, and its checkpoint goes on.
 */
export function reason({
  question,
  reasoner = 'measured',
}: ReasonOperatorOptions): OperatorFunction<FrameSequence, ReasonedSequence> {
  const context = pipelineContext('reason');
  return (source) =>
    new Observable<ReasonedSequence>((subscriber) => {
      const retained = new Set<FrameSequence>();
      const letGo = (sequence: FrameSequence): void => {
        if (retained.delete(sequence)) for (const lease of leasesOf(sequence)) lease.release();
      };
      const work = async (sequence: FrameSequence, signal: AbortSignal): Promise<ReasonedSequence> => {
        try {
          const reasoned = await reasoning(sequence, signal);
          const settledScene = sequence.settledScene && (await stored(sequence.settledScene));
          const { source: name, ordinal, trigger, first, last, checkpoint } = sequence;
          return {
            source: name,
            ordinal,
            trigger,
            first,
            last,
            reasoned,
            ...(checkpoint && { checkpoint }),
            ...(settledScene && { settledScene }),
          };
        } finally {
          letGo(sequence);
        }
      };
      const reasoning = async (sequence: FrameSequence, signal: AbortSignal): Promise<Reasoned> => {
        const nothing: Reasoned = { findings: [], contradicted: [], blobs: [], reasoner, elapsedMs: 0 };
        if (sequence.trigger === 'checkpoint') return nothing;
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
          return nothing;
        }
      };
      const subscription = source
        .pipe(
          tap((sequence) => {
            for (const lease of leasesOf(sequence)) lease.retain();
            retained.add(sequence);
          }),
          mapOrdered(work, context.capacity),
        )
        .subscribe(subscriber);
      return () => {
        subscription.unsubscribe();
        for (const sequence of [...retained]) letGo(sequence);
      };
    });
}

const leasesOf = ({ frames, baseline, settledScene }: FrameSequence): Lease[] =>
  [...frames, ...(baseline ? [baseline] : []), ...(settledScene ? [settledScene] : [])].flatMap(
    ({ lease }) => lease ?? [],
  );

/** A frame's pixels as PNG: a run that goes on from the checkpoint must see exactly what this one saw. */
async function stored({ ref, lease }: SequenceFrame<Lease>): Promise<Blob> {
  const content = lease?.content();
  if (content === undefined) throw new RangeError(`frame ${ref.index} has no pixels`);
  const bytes = await encodePng(await pictureOf(content));
  return { sha256: createHash('sha256').update(bytes).digest('hex'), mediaType: 'image/png', bytes };
}
