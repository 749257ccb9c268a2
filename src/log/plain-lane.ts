import type { DeadLetter } from '../records/index.js';
import { BlinkstreamError } from '../records/index.js';
import type { InputPartition, Lane, OpenLane } from '../sources/kafka/lane.js';
import type { Committer } from './index.js';

export interface PlainLaneOptions {
  readonly log: Committer;
  /** Makes dead letters durable; may be given one again after a crash. */
  readonly divert: (letters: readonly DeadLetter[]) => Promise<void>;
  /** Offsets that could not be committed; the next ones cover them. */
  readonly problem?: (error: BlinkstreamError) => void;
}

/**
 * The group's offset follows the log at this distance: it travels by the connection that frames are fetched by, each of
 * which waits for the answer to the other.
 */
const OFFSET_EVERY_MS = 100;

/**
 * Lanes for Kafka input and a log that is elsewhere: a step goes to the log, and then the offset to the group. A crash in
 * between only has messages read again that the log's checkpoints cover already. For one instance alone: nothing keeps
 * a second one, with a log of its own, from reading on where this one stopped without knowing what it saw.
 */
export const plainLanes =
  (options: PlainLaneOptions): OpenLane<Lane & Committer> =>
  (input) =>
    Promise.resolve(new PlainLane(input, options));

class PlainLane implements Lane, Committer {
  readonly lost = new AbortController().signal;
  readonly blobs: Committer['blobs'];
  readonly #input: InputPartition;
  readonly #options: PlainLaneOptions;
  /** The one under way; offsets that come meanwhile go together in the next. */
  #committing: Promise<void> | undefined;
  #isDue = false;
  #isReleased = false;
  #endRest: (() => void) | undefined;

  constructor(input: InputPartition, options: PlainLaneOptions) {
    this.#input = input;
    this.#options = options;
    this.blobs = options.log.blobs;
  }

  checkpoint: Committer['checkpoint'] = (key) => this.#options.log.checkpoint(key);

  commit: Committer['commit'] = async (step) => {
    this.#mustBeHeld();
    const appended = await this.#options.log.commit(step);
    this.#commitOffset();
    return appended;
  };

  divert: Lane['divert'] = async ({ key, checkpoint, letters }) => {
    this.#mustBeHeld();
    await this.#options.divert(letters);
    await this.#options.log.commit({ key, checkpoint, events: [], contradicted: [], blobs: [] });
    this.#commitOffset();
  };

  async release(): Promise<void> {
    this.#isReleased = true;
    this.#endRest?.();
    this.#commitOffset();
    await this.#committing;
  }

  #commitOffset(): void {
    this.#isDue = true;
    this.#committing ??= this.#run();
  }

  async #run(): Promise<void> {
    while (this.#isDue) {
      // The pipeline learns of its commit first, and the offset is then the one after it.
      await new Promise((resolve) => setImmediate(resolve));
      this.#isDue = false;
      try {
        await this.#input.commitOffset(this.#input.safeOffset(new Map()));
      } catch (error) {
        this.#options.problem?.(error as BlinkstreamError);
      }
      if (!this.#isReleased) await this.#rested();
    }
    this.#committing = undefined;
  }

  #rested(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, OFFSET_EVERY_MS);
      this.#endRest = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #mustBeHeld(): void {
    if (!this.#isReleased) return;
    throw new BlinkstreamError(`${this.#input.topic}/${this.#input.partition} was handed over`, {
      code: 'PARTITION_LOST',
      class: 'external',
      stage: 'commit',
    });
  }
}
