import { BlinkstreamError } from '../../records/index.js';

export interface FrameToPush {
  /** From 1 to 2^53 − 1, ascending, gaps allowed: time stamps will do. */
  readonly sequence?: number;
  /** Since 1970, ms. */
  readonly eventTimeMs: number;
  /** JPEG or PNG. */
  readonly picture: Uint8Array;
}

/** Time has passed, and no frame from before that will follow. */
export interface IdleToPush {
  readonly idleUntilMs: number;
}

type Numbered = FrameToPush & { readonly sequence: number };

/** Frames that are not durable yet, in their order, and how far they were sent. */
export class PushBuffer {
  readonly #limitBytes: number;
  readonly #items: (Numbered | IdleToPush)[] = [];
  #bytes = 0;
  /** Of the item to be sent next; undefined while the camera is not open. */
  #sendAt: number | undefined;
  /** Above all numbers that the server knows, and all that were given. */
  #nextSequence: number | undefined;
  #lastSequence = 0;
  #isFed = false;
  #waiting: (() => void)[] = [];

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /** Everything was given, and is durable, refused or said. */
  get isDone(): boolean {
    return this.#isFed && this.#items.length === 0;
  }

  /** Takes frames in as there is room, until there are no more; the largest is let through alone. */
  async fill(
    frames: AsyncIterable<FrameToPush | IdleToPush> | Iterable<FrameToPush | IdleToPush>,
    signal: AbortSignal,
    { maxBytes, tooLarge }: { maxBytes: number; tooLarge: (frame: Numbered, bytes: number) => void },
  ): Promise<void> {
    for await (const item of frames) {
      signal.throwIfAborted();
      if (!('picture' in item)) {
        this.#items.push(item);
        this.wake();
        continue;
      }
      const frame = { ...item, sequence: await this.#numberOf(item, signal) };
      const bytes = frame.picture.byteLength;
      if (bytes > maxBytes) {
        tooLarge(frame, bytes);
        continue;
      }
      while (this.#bytes > 0 && this.#bytes + bytes > this.#limitBytes) await this.#change(signal);
      this.#items.push(frame);
      this.#bytes += bytes;
      this.wake();
    }
    this.#isFed = true;
    this.wake();
  }

  /** What to send next, once there is something; undefined when everything is done. Returns at once on abort. */
  async next(over: AbortSignal): Promise<Numbered | IdleToPush | undefined> {
    while (!over.aborted) {
      if (this.isDone) return undefined;
      const item = this.#sendAt === undefined ? undefined : this.#items[this.#sendAt];
      if (item !== undefined && this.#sendAt !== undefined) {
        this.#sendAt += 1;
        this.#dropSaid();
        return item;
      }
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    return undefined;
  }

  /** The server takes frames from here on. */
  open(nextSequence: number): void {
    this.#nextSequence = Math.max(nextSequence, this.#lastSequence + 1);
    this.#sendAt = this.#items.findLastIndex((item) => 'picture' in item && item.sequence < nextSequence) + 1;
    this.wake();
  }

  close(): void {
    this.#sendAt = undefined;
  }

  /** Everything up to that frame is durable. */
  forget(throughSequence: number): void {
    this.#remove((sequence) => sequence <= throughSequence);
  }

  drop(refusedSequence: number): void {
    this.#remove((sequence) => sequence === refusedSequence);
  }

  wake(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }

  #remove(isGone: (sequence: number) => boolean): void {
    for (let i = this.#items.length - 1; i >= 0; i--) {
      const item = this.#items[i];
      if (!('picture' in item) || !isGone(item.sequence)) continue;
      this.#items.splice(i, 1);
      this.#bytes -= item.picture.byteLength;
      if (this.#sendAt !== undefined && i < this.#sendAt) this.#sendAt -= 1;
    }
    this.#dropSaid();
  }

  /** That time has passed is said again with the frames before, as long as there are any. */
  #dropSaid(): void {
    while (this.#sendAt !== undefined && this.#sendAt > 0 && !('picture' in this.#items[0])) {
      this.#items.shift();
      this.#sendAt -= 1;
    }
    this.wake();
  }

  async #numberOf({ sequence }: FrameToPush, signal: AbortSignal): Promise<number> {
    while (sequence === undefined && this.#nextSequence === undefined) await this.#change(signal);
    const number = sequence ?? Math.max(this.#nextSequence ?? 1, this.#lastSequence + 1);
    if (!Number.isSafeInteger(number) || number <= this.#lastSequence) {
      throw new BlinkstreamError(`a frame has sequence number ${number}, and the one before ${this.#lastSequence}`, {
        code: 'PUSH_SEQUENCE',
        class: 'user',
        stage: 'source',
        hint: 'give whole numbers from 1 on that ascend, or none',
      });
    }
    this.#lastSequence = number;
    return number;
  }

  /** Resolves when anything has changed. @throws the signal's reason on abort */
  #change(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (action: () => void) => (): void => {
        signal.removeEventListener('abort', onAbort);
        action();
      };
      const onAbort = settle(() => reject(signal.reason as Error));
      signal.addEventListener('abort', onAbort, { once: true });
      this.#waiting.push(settle(resolve));
    });
  }
}
