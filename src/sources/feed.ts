import type { Source } from './index.js';

/** One source of a feed, with what its pipeline needs to know. `L`: what it commits to. */
export interface Fed<L> {
  readonly source: Source;
  readonly committer: L;
  /**
   * Aborts when its pipeline must stop where it is: another instance has taken over, or the time to hand over is up. A
   * source that is merely to be handed over ends by its report, which says `suspended`.
   */
  readonly lost: AbortSignal;
  /**
   * To be called once when the pipeline is over. The partition is handed over when all of its pipelines are. With the
   * error that ended it, the source is offered anew after a pause that grows.
   */
  ended(error?: unknown): void;
}

/** Many sources that come and go: an input that is shared among instances. */
export interface SourceFeed<L> {
  readonly name: string;
  /**
   * Each source when it is first seen, and again after it was handed back. To be called once.
   * On abort nothing more is taken in, what is under way is handed over, and the iteration ends.
   * @throws BlinkstreamError what cannot be healed by trying again
   */
  sources(signal: AbortSignal): AsyncIterable<Fed<L>>;
}
