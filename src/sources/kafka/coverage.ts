import { parseKafkaOffset } from '../../kafka/position.js';
import type { Position } from '../../records/index.js';

/** What a committed position says of its source: everything before `offset` is done with, with `after` that one too. */
export interface CoveredTo {
  readonly offset: bigint;
  readonly after: boolean;
}

/**
 * Which messages of a partition no committed checkpoint covers yet, and so from where it must be read again after a
 * crash. Offsets alone: no clock, no input and output.
 *
 * Invariant: `safeOffset` is never beyond a message that was taken and is not covered, nor beyond `next`.
 */
export class Coverage {
  /** Taken and not covered, ascending, by source. */
  readonly #open = new Map<string, bigint[]>();
  /** The furthest that each source has committed. */
  readonly #covered = new Map<string, CoveredTo>();
  #next: bigint;

  /** @param start offset of the first message that is read */
  constructor(start: bigint) {
    this.#next = start;
  }

  /** Offset after the last message that was taken or passed. */
  get next(): bigint {
    return this.#next;
  }

  /** The message at `offset` belongs to `source`, which must cover it, unless it has done so in a run before this one. */
  take(source: string, offset: bigint): void {
    this.pass(offset + 1n);
    const covered = this.#covered.get(source);
    if (covered !== undefined && isCovered(offset, covered)) return;
    const open = this.#open.get(source);
    if (open === undefined) this.#open.set(source, [offset]);
    else open.push(offset);
  }

  /** Nothing below `next` is waited for, but for what was taken. */
  pass(next: bigint): void {
    if (next > this.#next) this.#next = next;
  }

  /** `source` goes on from there: what is before it needs no reading any more. */
  cover(source: string, to: CoveredTo): void {
    this.#covered.set(source, to);
    const open = this.#open.get(source);
    if (open === undefined) return;
    const left = open.findIndex((offset) => !isCovered(offset, to));
    if (left === -1) this.#open.delete(source);
    else if (left > 0) open.splice(0, left);
  }

  /** First message of `source` that no checkpoint covers. */
  firstOpen(source: string): bigint | undefined {
    return this.#open.get(source)?.[0];
  }

  /** Forgets what `source` has open, because it is about to be read again from `offset` on. */
  rewind(source: string, offset: bigint): void {
    this.#open.delete(source);
    this.#next = offset;
  }

  /** First offset to read again once `committing` is durable too. */
  safeOffset(committing: ReadonlyMap<string, CoveredTo> = new Map()): bigint {
    let safe = this.#next;
    for (const [source, open] of this.#open) {
      const to = committing.get(source);
      const first = to === undefined ? open[0] : open.find((offset) => !isCovered(offset, to));
      if (first !== undefined && first < safe) safe = first;
    }
    return safe;
  }
}

/** Whether the message at `offset` is done with. */
export const isCovered = (offset: bigint, to: CoveredTo): boolean =>
  offset < to.offset || (to.after && offset === to.offset);

export const coveredTo = ({ offset, after }: Position): CoveredTo => ({
  offset: parseKafkaOffset(offset).offset,
  after: after === true,
});
