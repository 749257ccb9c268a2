import type { FrameSequence, Reasoned } from '../records/index.js';

/** What a worker is asked about a sequence. */
export interface ReasonOptions {
  /** `What changed in this scene?` — models read it, `measured` does not need it. */
  readonly question: string;
  /** A name out of `reasoners`. */
  readonly reasoner: string;
  readonly signal: AbortSignal;
}

/** Turns a sequence into verified findings. Every frame with pixels has a live lease for as long as the promise runs. */
export type ReasonSequence = (sequence: FrameSequence, options: ReasonOptions) => Promise<Reasoned>;
