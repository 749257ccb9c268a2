import type { EncodedPicture } from '../../records/index.js';

/** A frame as it was pushed, after it was checked. */
export interface Pushed {
  readonly sequence: number;
  readonly eventTimeMs: number;
  readonly picture: EncodedPicture;
  readonly width: number;
  readonly height: number;
}

/** Event time has passed without a frame, says the client. */
export interface PushedTime {
  readonly eventTimeMs: number;
}

export type RefusalReason =
  'NOT_OPEN' | 'SEQUENCE' | 'EVENT_TIME' | 'TOO_MANY_BYTES' | 'TOO_MANY_PIXELS' | 'MEDIA_TYPE' | 'DAMAGED' | 'LATE';

/** A frame that will not be looked at, now or another time. */
export interface Refusal {
  readonly source: string;
  readonly sequence: number;
  readonly reason: RefusalReason;
  /** A clause for people. */
  readonly problem: string;
}

/** Why no frames of a camera are taken any more; see the proto. */
export type ClosedReason = 'INTERRUPTED' | 'UNKNOWN' | 'ALREADY_PUSHED' | 'TAKEN_OVER';

/** One camera of one stream, as the camera speaks to it. */
export interface Pusher {
  readonly client: string;
  opened(nextSequence: number): void;
  acked(throughSequence: number): void;
  refused(refusal: Refusal): void;
  closed(reason: ClosedReason, problem: string): void;
}

/** What a client hands over: `taken` lets it go on. */
export interface Offer {
  readonly item: Pushed | PushedTime;
  taken(): void;
}

/** Where the client that pushes a camera and the pipeline that reads it meet. There is one of each at most. */
export class PushCamera {
  readonly name: string;
  readonly #onRefused: (refusal: Refusal) => void;
  #pusher: Pusher | undefined;
  /** The pusher was told from where on frames are taken. */
  #isOpen = false;
  /** It asked, and was not told yet. One that was closed must ask again: what it has on its way belongs to before. */
  #isAsking = false;
  #reader: object | undefined;
  /** Of a reader that waits. */
  #wake: (() => void) | undefined;
  /** Above every frame that was taken or refused. */
  #next = 1;
  #durableThrough = 0;
  /** One at most: a stream reads on only when its last frame was taken. */
  #offer: Offer | undefined;
  /** Lets the client go on whose frame is on its way to the reader. */
  #release: (() => void) | undefined;

  constructor(name: string, onRefused: (refusal: Refusal) => void) {
    this.name = name;
    this.#onRefused = onRefused;
  }

  /** A client wants to push; it is told when it may, or why not. */
  open(pusher: Pusher): void {
    const before = this.#pusher;
    if (before !== undefined && before !== pusher) {
      if (before.client !== pusher.client) {
        return pusher.closed('ALREADY_PUSHED', `another client is pushing ${this.name}`);
      }
      this.leave(before);
      before.closed('TAKEN_OVER', `${this.name} is pushed over another connection of this client by now`);
    }
    this.#pusher = pusher;
    this.#isOpen = false;
    this.#isAsking = true;
    if (this.#reader !== undefined) this.#tellOpened(pusher);
  }

  /** A client is gone: what it had not handed over is dropped, and sent again by whoever has it. */
  leave(pusher: Pusher): void {
    if (this.#pusher !== pusher) return;
    this.#pusher = undefined;
    this.#isOpen = false;
    this.#dropOffer();
  }

  /** The deployment has it no more. */
  forget(): void {
    const pusher = this.#pusher;
    if (pusher === undefined) return;
    this.leave(pusher);
    pusher.closed('UNKNOWN', `the deployment has no camera ${this.name} any more`);
  }

  get isPushed(): boolean {
    return this.#pusher !== undefined;
  }

  /** Whether frames of that pusher are taken; otherwise they are passed over, for they are sent again. */
  isOpenTo(pusher: Pusher): boolean {
    return this.#pusher === pusher && this.#isOpen;
  }

  /** The lowest sequence number that is not known yet. */
  get nextSequence(): number {
    return this.#next;
  }

  /** Resolves when there is room for more; what is dropped meanwhile is sent again by whoever pushes next. */
  offer(pusher: Pusher, item: Pushed | PushedTime): Promise<void> {
    if (!this.isOpenTo(pusher)) return Promise.resolve();
    return new Promise((resolve) => {
      this.#offer = { item, taken: resolve };
      this.#release = resolve;
      this.#wake?.();
    });
  }

  /** Tells its pusher, if there is one, and whoever counts. What was refused is known from now on. */
  refuse(sequence: number, reason: RefusalReason, problem: string): void {
    const refusal: Refusal = { source: this.name, sequence, reason, problem };
    this.#next = Math.max(this.#next, sequence + 1);
    this.#pusher?.refused(refusal);
    this.#onRefused(refusal);
  }

  /**
   * A pipeline reads from that frame on; everything below is durable. What it returns ends the reading; acks may still
   * come then, for what was read is being worked on.
   */
  attach(nextSequence: number): () => void {
    const reader = {};
    this.#reader = reader;
    this.#next = nextSequence;
    this.#durableThrough = nextSequence - 1;
    if (this.#pusher !== undefined && this.#isAsking) this.#tellOpened(this.#pusher);
    return () => {
      if (this.#reader !== reader) return;
      this.#reader = undefined;
      this.#dropOffer();
      if (!this.#isOpen) return;
      this.#isOpen = false;
      this.#pusher?.closed('INTERRUPTED', `${this.name} is not read for the moment`);
    };
  }

  /**
   * What is offered, which is known from then on; undefined where nothing was for `timeoutMs`.
   * @throws the signal's reason on abort
   */
  async next(timeoutMs: number | undefined, signal: AbortSignal): Promise<Offer | undefined> {
    signal.throwIfAborted();
    if (this.#offer === undefined) await this.#woken(timeoutMs, signal);
    signal.throwIfAborted();
    const offer = this.#offer;
    this.#offer = undefined;
    if (offer !== undefined && 'sequence' in offer.item) this.#next = offer.item.sequence + 1;
    return offer;
  }

  /** Everything up to that frame will never be asked for again. */
  durable(throughSequence: number): void {
    if (throughSequence <= this.#durableThrough) return;
    this.#durableThrough = throughSequence;
    this.#pusher?.acked(throughSequence);
  }

  #woken(timeoutMs: number | undefined, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', wake);
        this.#wake = undefined;
        resolve();
      };
      const timer = timeoutMs === undefined ? undefined : setTimeout(wake, timeoutMs);
      signal.addEventListener('abort', wake, { once: true });
      this.#wake = wake;
    });
  }

  #tellOpened(pusher: Pusher): void {
    this.#isOpen = true;
    this.#isAsking = false;
    pusher.opened(this.#next);
    if (this.#durableThrough > 0) pusher.acked(this.#durableThrough);
  }

  #dropOffer(): void {
    this.#offer = undefined;
    this.#release?.();
    this.#release = undefined;
  }
}
