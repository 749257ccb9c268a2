/** Who writes a lane, and how far it got: what an index knows of it. See `lane.ts`. */
export interface LaneState {
  readonly owner?: Claim;
  readonly last?: Step;
}

/**
 * Says who writes a lane from here on. In the order of the log, a claim counts if its term is higher than that of the
 * claim before it; of two that were made at the same time the later one counts for nothing.
 */
export interface Claim {
  /** Random, one for each opening of a lane. */
  readonly incarnation: string;
  /** One more than that of the claim that its writer knew of. */
  readonly term: number;
  /** It writes no more: the next one need not wait. */
  readonly released: boolean;
}

/** Told with each transaction of a lane, as the last of its records. */
export interface Step {
  readonly incarnation: string;
  /** From 1, one more with each transaction of the incarnation. */
  readonly ordinal: number;
  /** What the transaction has written into the lane's partition of either topic is below these offsets; 0: nothing. */
  readonly eventsEnd: number;
  readonly contradictedEnd: number;
}
