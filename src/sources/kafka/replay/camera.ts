import type { Frame } from '../../../records/index.js';
import type { ReadOptions, Source, SourceReport } from '../../index.js';
import { CameraClock } from '../camera-clock.js';
import type { FrameMessage } from '../message.js';

/** What a camera of a replay asks of the partition that it is in. */
export interface ReplayCameraHost {
  readonly topic: string;
  readonly partition: number;
  /** Bytes that are no longer waiting here. */
  given(bytes: number): void;
}

/**
 * One camera in a stretch that is looked at again: a recorded source. Its frames are counted from the first of the
 * stretch, and no time passes but that of the frames, so that a replay tells the same however fast it is read.
 */
export class ReplayCamera implements Source {
  readonly name: string;
  readonly #host: ReplayCameraHost;
  readonly #frames: FrameMessage[] = [];
  #state: 'open' | 'ended' | 'over' = 'open';
  #wake: (() => void) | undefined;

  constructor(name: string, host: ReplayCameraHost) {
    this.name = name;
    this.#host = host;
  }

  /** @returns bytes that wait now */
  push(frame: FrameMessage): number {
    if (this.#state !== 'open') {
      frame.message.release();
      return 0;
    }
    this.#frames.push(frame);
    this.#wake?.();
    return frame.picture.bytes.byteLength;
  }

  /** There are no more frames. */
  end(): void {
    if (this.#state === 'open') this.#state = 'ended';
    this.#wake?.();
  }

  /** Nobody reads it any more: what comes is dropped. */
  over(): void {
    this.#state = 'over';
    const dropped = this.#frames.splice(0);
    const bytes = dropped.reduce((sum, { picture }) => sum + picture.bytes.byteLength, 0);
    for (const { message } of dropped) message.release();
    if (bytes > 0) this.#host.given(bytes);
  }

  async *read({ from, budget, signal }: ReadOptions): AsyncGenerator<Frame, SourceReport, undefined> {
    const clock = new CameraClock(this.name, from);
    for (;;) {
      signal.throwIfAborted();
      const message = this.#frames.shift();
      if (message === undefined) {
        if (this.#state !== 'open') break;
        await this.#woken(signal);
        continue;
      }
      const bytes = message.picture.bytes.byteLength;
      try {
        if (clock.isDone(message.message.offset)) {
          message.message.release();
          continue;
        }
        await budget.take(bytes, signal);
      } finally {
        this.#host.given(bytes);
      }
      yield clock.frame(message, this.#host, () => budget.give(bytes));
    }
    return { framesRead: clock.framesRead, complete: true, unreadable: [] };
  }

  #woken(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        signal.removeEventListener('abort', wake);
        this.#wake = undefined;
        resolve();
      };
      this.#wake = wake;
      signal.addEventListener('abort', wake, { once: true });
    });
  }
}
