import { BlinkstreamError, type FrameContent, type Lease } from '../records/index.js';

/**
 * Bytes of frames in flight. RxJS has no backpressure, so a source takes credit before it reads on, and leases give it
 * back. One frame larger than the whole budget is let through alone rather than never.
 */
export class ByteBudget {
  #inFlight = 0;
  readonly #waiting: { bytes: number; grant: () => void }[] = [];

  constructor(readonly limitBytes: number) {}

  get inFlightBytes(): number {
    return this.#inFlight;
  }

  /** Resolves when `bytes` fit. First come, first served. @throws the signal's reason on abort */
  async take(bytes: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#waiting.length === 0 && this.#fits(bytes)) {
      this.#inFlight += bytes;
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const entry = {
        bytes,
        grant: () => {
          signal.removeEventListener('abort', onAbort);
          resolve();
        },
      };
      const onAbort = () => {
        this.#waiting.splice(this.#waiting.indexOf(entry), 1);
        reject(signal.reason instanceof Error ? signal.reason : new Error('aborted'));
        this.#grantWaiting();
      };
      signal.addEventListener('abort', onAbort, { once: true });
      this.#waiting.push(entry);
    });
  }

  give(bytes: number): void {
    this.#inFlight -= bytes;
    this.#grantWaiting();
  }

  #fits(bytes: number): boolean {
    return this.#inFlight === 0 || this.#inFlight + bytes <= this.limitBytes;
  }

  #grantWaiting(): void {
    for (let next = this.#waiting[0]; next !== undefined && this.#fits(next.bytes); next = this.#waiting[0]) {
      this.#waiting.shift();
      this.#inFlight += next.bytes;
      next.grant();
    }
  }
}

/** A lease with one hold on `content`; `onFree` runs once, when the last hold is released. */
export function leaseOf(content: FrameContent, bytes: number, onFree: () => void): Lease {
  let held: FrameContent | undefined = content;
  let holds = 1;
  const use = (): FrameContent => {
    if (held === undefined) {
      throw new BlinkstreamError('the pixels of this frame were released before they were used', {
        code: 'LEASE_RELEASED',
        class: 'internal',
        stage: 'source',
        hint: 'retain the lease in the operator that keeps the frame beyond its own return',
      });
    }
    return held;
  };
  return {
    bytes,
    content: use,
    retain() {
      use();
      holds += 1;
    },
    release() {
      use();
      holds -= 1;
      if (holds === 0) {
        held = undefined;
        onFree();
      }
    },
  };
}
