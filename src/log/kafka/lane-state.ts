/** Who writes a lane, and how far it got: what an index knows of it. See `lane.ts`. */
export interface LaneState {
  readonly owner?: Claim;
  readonly last?: Step;
}

/** Says who writes a lane from here on. */
export interface Claim {
  /** Random, one for each claim. */
  readonly incarnation: string;
  /** It writes no more: the next one need not wait. */
  readonly released: boolean;
}

/** Told with each transaction of a lane, as the last of its records. */
export interface Step {
  readonly incarnation: string;
  /** From 1, one more with each transaction of the incarnation. */
  readonly ordinal: number;
  /** The lane's events up to here are below this offset of its partition of the events. */
  readonly eventsEnd: number;
}
