import type { Checkpoint, DeadLetter, Position } from '../../records/index.js';

/** One partition of an input topic, as what commits its offsets sees it. */
export interface InputPartition {
  readonly topic: string;
  readonly partition: number;
  /** The consumer group to which the offset is committed. */
  readonly group: string;
  /**
   * First offset that must be read again once these positions, by source, are committed too: what belongs into the same
   * transaction. To be asked when that transaction is written, and again when it is written anew.
   */
  safeOffset(committing: ReadonlyMap<string, Position>): bigint;
  /**
   * Commits the offset to the group on its own, for lanes whose log cannot do it in one transaction. Does nothing where
   * the partition is not this instance's any more.
   * @throws BlinkstreamError of `kafkaError`
   */
  commitOffset(offset: bigint): Promise<void>;
}

/** Dead letters with the checkpoint that says that they were told, so that none is told twice. */
export interface Diverted {
  readonly key: string;
  readonly checkpoint: Checkpoint;
  readonly letters: readonly DeadLetter[];
}

/**
 * What the pipelines of one input partition commit to. Their steps become durable together with the partition's
 * `safeOffset`, or before it where both cannot be one transaction.
 */
export interface Lane {
  checkpoint(key: string): Promise<Checkpoint | undefined>;
  /** Makes letters, checkpoint and offset durable. @throws BlinkstreamError where the partition was lost */
  divert(diverted: Diverted): Promise<void>;
  /** Aborts when somebody else took the partition over. */
  readonly lost: AbortSignal;
  /** Hands over: what is in flight has been committed or given up, and nothing is committed from then on. */
  release(): Promise<void>;
}

/**
 * Opens the lane of a partition that this instance was assigned. Resolves when the instance before it has handed over, or
 * can commit nothing any more.
 * @throws BlinkstreamError class `external` where it may be tried again
 */
export type OpenLane<L extends Lane> = (input: InputPartition, signal: AbortSignal) => Promise<L>;
