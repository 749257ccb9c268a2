import type { ConditionCause, EvidencePicture } from './evidence.js';
import type { FramePoint } from './frame.js';
import type { ChangeKind, Measure, Side, Subject, Verification } from './finding.js';

export const phases = ['STARTED', 'UPDATED', 'ENDED'] as const;
export type Phase = (typeof phases)[number];

/** One screenshot of several that show the same change. */
export interface Occurrence {
  readonly source: string;
  readonly before?: Side;
  readonly after?: Side;
}

/** One published step in the life of a change. Its proto3 JSON is what `events.jsonl` and gRPC give. */
export interface ChangeEvent {
  /** `changeId` and revision: the same input gives the same ids after any crash. */
  readonly eventId: string;
  readonly changeId: string;
  /** From 1, one more a step. */
  readonly revision: number;
  readonly phase: Phase;
  readonly topology: string;
  readonly source: string;
  readonly kind: ChangeKind;
  readonly condition?: ConditionCause;
  readonly statement: string;
  readonly subject: Subject;
  readonly interval: { readonly first: FramePoint; readonly last: FramePoint };
  readonly before?: Side;
  readonly after?: Side;
  readonly shift?: { readonly dx: number; readonly dy: number };
  readonly path?: readonly { readonly at: FramePoint; readonly x: number; readonly y: number }[];
  readonly occurrences?: readonly Occurrence[];
  readonly measures: readonly Measure[];
  readonly pictures: readonly EvidencePicture[];
  readonly verification: Verification;
  /** Ordinal of the sequence that it rests on. */
  readonly sequenceOrdinal: number;
  readonly reasoner: string;
  /** Named areas of the source's picture that it touches. */
  readonly zones?: readonly string[];
}
