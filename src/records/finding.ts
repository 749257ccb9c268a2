import type { Blob, ConditionCause, EvidencePicture } from './evidence.js';
import type { FramePoint } from './frame.js';
import type { Region } from './region.js';

/** What happened, as the event JSON names it. */
export const changeKinds = [
  'APPEARED',
  'DISAPPEARED',
  'MOVED',
  'REPLACED',
  'RESIZED',
  'RECOLORED',
  'TEXT_CHANGED',
  'LAYOUT_SHIFTED',
  'RESTYLED',
  'ACTIVITY',
  'TREND',
  'ONSET',
  'COUNT_CHANGED',
  'CONDITION',
] as const;
export type ChangeKind = (typeof changeKinds)[number];

export const verdicts = ['SUPPORTED', 'CONTRADICTED', 'UNVERIFIED'] as const;
export type Verdict = (typeof verdicts)[number];

/** One thing that verification held against the evidence. */
export interface Check {
  /** `region`, `interval`, `direction`, `text`, `color`, `count`, `cause`, … */
  readonly name: string;
  readonly verdict: Verdict;
  /** What was found, in words with figures. */
  readonly detail: string;
}

export interface Verification {
  readonly verdict: Verdict;
  readonly checks: readonly Check[];
}

/** A figure before and after; either side may be absent. */
export interface Measure {
  readonly name: string;
  readonly unit: string;
  readonly before?: number;
  readonly after?: number;
}

/** How one side of a change looks. */
export interface Side {
  readonly region?: Region;
  readonly text?: string;
  /** `#rrggbb` */
  readonly color?: string;
}

export interface Subject {
  /** Class or word: `bottle`, `car`, `text`; `object` where no class fits. */
  readonly label: string;
  /** As the sentence names it: "the left of three bottles". */
  readonly description: string;
  /** 0–1, how sure the label is; 0 where no class fits. */
  readonly confidence: number;
}

/** One claim about a change. */
export interface Finding {
  readonly kind: ChangeKind;
  readonly condition?: ConditionCause;
  readonly subject: Subject;
  readonly statement: string;
  readonly interval: { readonly first: FramePoint; readonly last: FramePoint };
  readonly before?: Side;
  readonly after?: Side;
  readonly shift?: { readonly dx: number; readonly dy: number };
  /** Where the thing went, centre of its box frame by frame; only `ACTIVITY`. */
  readonly path?: readonly { readonly at: FramePoint; readonly x: number; readonly y: number }[];
  readonly measures: readonly Measure[];
  readonly pictures: readonly EvidencePicture[];
  /** `ACTIVITY`, `CONDITION`: still going on where the sequence ends. */
  readonly ongoing: boolean;
  readonly identity: {
    /** Gate's track, the same over windows. */
    readonly trackId?: number;
    /** Look of the thing: a direction, of any length. */
    readonly embedding?: ArrayLike<number>;
  };
  readonly verification: Verification;
  /** Named areas of the source's picture that it touches. */
  readonly zones?: readonly string[];
}

/** What a worker makes of one sequence. */
export interface Reasoned {
  readonly findings: readonly Finding[];
  readonly blobs: readonly Blob[];
  /** Claims that verification contradicted, kept for `inspect` and counted; never published as fact. */
  readonly contradicted: readonly Finding[];
  readonly reasoner: string;
  readonly elapsedMs: number;
}
