import type { FetchedBatch } from '../../kafka/consumer.js';
import { takeMessage, type FrameMessage, type PoisonMessage, type RawMessage } from './message.js';

/** What comes out of an intake, in the order of the log. */
export type Taken =
  | FrameMessage
  | PoisonMessage
  /** There is nothing more below `next`. */
  | { readonly type: 'passed'; readonly next: bigint }
  /** Messages below `before` were gone before they were read. */
  | { readonly type: 'expired'; readonly before: bigint; readonly reason: string };

/** Never rejects; undefined where it was given up because the intake has ended. Called in the order of the log. */
export type ReadMessage = (message: RawMessage) => Promise<Taken | undefined>;

type Waiting = RawMessage | Exclude<Taken, FrameMessage | PoisonMessage>;

/** Messages that are read at a time: a claim check waits for the blob store. */
const READ_AT_A_TIME = 8;

/**
 * Messages of one partition between the fetch, which must not wait, and the pipelines, which take their time. Gives them
 * read and in order.
 */
export class Intake {
  readonly #read: ReadMessage;
  readonly #waiting: Waiting[] = [];
  #next: bigint;
  #bytes = 0;
  /** One more with each `restart`: what was taken before is of no use. */
  #epoch = 0;
  #isEnded = false;
  #wake: (() => void) | undefined;

  constructor(start: bigint, read: ReadMessage) {
    this.#next = start;
    this.#read = read;
  }

  /** The offset to fetch next. */
  get next(): bigint {
    return this.#next;
  }

  /** Bytes of messages that wait here. */
  get bytes(): number {
    return this.#bytes;
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0 && this.#bytes === 0;
  }

  /** Takes what is new in the batch. Never waits. */
  take({ messages, next }: FetchedBatch): void {
    for (const message of messages) {
      if (BigInt(message.offset) < this.#next) continue;
      const own = takeMessage(message);
      this.#bytes += own.value.byteLength;
      this.#waiting.push(own);
    }
    this.pass(next);
  }

  /** There is nothing for anybody from where it stands to before `next`. */
  pass(next: bigint): void {
    if (next <= this.#next) return;
    this.#next = next;
    this.#add({ type: 'passed', next });
  }

  /** What is below `before` cannot be read any more. */
  expire(before: bigint, reason: string): void {
    this.#next = before;
    this.#add({ type: 'expired', before, reason });
  }

  /** Forgets all that waits, because it is fetched again from `offset` on. */
  restart(offset: bigint): void {
    this.#epoch += 1;
    this.#drop();
    this.#bytes = 0;
    this.#next = offset;
  }

  end(): void {
    this.#isEnded = true;
    this.#drop();
    this.#wake?.();
  }

  /** Everything that is taken in, until `end`. */
  async *items(): AsyncGenerator<Taken, void, undefined> {
    const reading: {
      readonly epoch: number;
      readonly bytes: number;
      readonly taken: Taken | Promise<Taken | undefined>;
    }[] = [];
    while (!this.#isEnded) {
      while (reading.length < READ_AT_A_TIME) {
        const waiting = this.#waiting.shift();
        if (waiting === undefined) break;
        const isMessage = 'value' in waiting;
        reading.push({
          epoch: this.#epoch,
          bytes: isMessage ? waiting.value.byteLength : 0,
          taken: isMessage ? this.#read(waiting) : waiting,
        });
      }
      const first = reading.shift();
      if (first === undefined) {
        await new Promise<void>((resolve) => (this.#wake = resolve));
        this.#wake = undefined;
        continue;
      }
      const taken = await first.taken;
      // Ended or begun anew meanwhile.
      if (this.#isEnded || taken === undefined) return;
      if (first.epoch !== this.#epoch) {
        if ('message' in taken) taken.message.release();
        continue;
      }
      this.#bytes -= first.bytes;
      yield taken;
    }
  }

  #drop(): void {
    for (const waiting of this.#waiting.splice(0)) if ('value' in waiting) waiting.release();
  }

  #add(waiting: Waiting): void {
    this.#waiting.push(waiting);
    this.#wake?.();
  }
}
