import { formatKafkaOffset } from '../../kafka/position.js';
import type { DeadLetter, Position } from '../../records/index.js';
import { coveredTo, type Coverage } from './coverage.js';
import { deadLetterOf } from './dead-letter.js';
import type { InputPartition, Lane } from './lane.js';
import type { PoisonMessage } from './message.js';

/** Letters in one commit, and how many may wait before no more are taken. */
const MAX_LETTERS = 100;
/** The source without a name stands for a partition's dead letters; no camera is called so. */
const LETTERS = '';

export interface DiversionOptions {
  readonly lane: Lane;
  readonly coverage: Coverage;
  readonly input: InputPartition;
  /** Tries again what may pass. */
  readonly persist: <T>(attempt: () => Promise<T>) => Promise<T>;
  /** These are durable. */
  readonly told: (letters: readonly DeadLetter[]) => void;
  /** No more is diverted: the letters are found again by whoever has the partition next. */
  readonly failed: (error: unknown) => void;
}

/**
 * Dead letters of a partition on their way to where they are kept: in order, several in one commit, each once, which a
 * checkpoint of their own makes sure of.
 */
export class Diversion {
  readonly #options: DiversionOptions;
  readonly #waiting: { readonly letter: DeadLetter; readonly offset: bigint }[] = [];
  /** The first message that has not been diverted, if it is to be. */
  #wanted = 0n;
  #running: Promise<void> | undefined;

  constructor(options: DiversionOptions) {
    this.#options = options;
  }

  /** Finds out what was told before. To be called first. */
  async restore(): Promise<void> {
    const { lane, coverage } = this.#options;
    const position = (await lane.checkpoint(this.#key))?.positions[LETTERS];
    if (position === undefined) return;
    coverage.cover(LETTERS, coveredTo(position));
    this.#wanted = coveredTo(position).offset + 1n;
  }

  add(poison: PoisonMessage): void {
    const { coverage, input } = this.#options;
    const { offset } = poison.message;
    if (offset < this.#wanted) {
      coverage.pass(offset + 1n);
      poison.message.release();
      return;
    }
    this.#wanted = offset + 1n;
    coverage.take(LETTERS, offset);
    this.#waiting.push({ letter: deadLetterOf(poison, input), offset });
    poison.message.release();
    this.#running ??= this.#run().catch(this.#options.failed);
  }

  async untilRoom(): Promise<void> {
    if (this.#waiting.length >= MAX_LETTERS) await this.#running;
  }

  async #run(): Promise<void> {
    const { lane, coverage, persist, told } = this.#options;
    // Those that come at the same time go together.
    await Promise.resolve();
    for (;;) {
      const some = this.#waiting.splice(0, MAX_LETTERS);
      const last = some.at(-1);
      if (last === undefined) break;
      const letters = some.map(({ letter }) => letter);
      const upTo = this.#position(last.offset);
      const checkpoint = { states: {}, positions: { [LETTERS]: upTo } };
      await persist(() => lane.divert({ key: this.#key, checkpoint, letters }));
      coverage.cover(LETTERS, coveredTo(upTo));
      told(letters);
    }
    this.#running = undefined;
  }

  #position(offset: bigint): Position {
    const { topic, partition } = this.#options.input;
    return { index: 0, offset: formatKafkaOffset({ topic, partition, offset, firstMs: 0, timeMs: 0 }), after: true };
  }

  get #key(): string {
    const { group, topic, partition } = this.#options.input;
    return `dead-letters/${group}/${topic}/${partition}`;
  }
}
