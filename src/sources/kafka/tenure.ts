import { BlinkstreamError, type DeadLetter, type Position } from '../../records/index.js';
import { pauseFor } from '../../records/pause.js';
import type { Fed } from '../feed.js';
import type { CameraHost } from './camera.js';
import { Cameras, tooManyCameras } from './cameras.js';
import type { FetchedBatch } from '../../kafka/consumer.js';
import { Coverage, coveredTo, type CoveredTo } from './coverage.js';
import { Diversion } from './diversion.js';
import { Flow } from './flow.js';
import { Intake, type Taken } from './intake.js';
import type { InputPartition, Lane, OpenLane } from './lane.js';
import { readMessage, type ClaimStore, type MessageLimits } from './message.js';
import { persist } from '../../records/persist.js';
import { mustReach, startOf } from './start.js';
import type { TopicOffsets } from './topic-offsets.js';

/** What is the same for all partitions of a feed. */
export interface TenureOptions<L extends Lane> {
  readonly topic: string;
  readonly group: string;
  readonly openLane: OpenLane<L>;
  readonly offsets: TopicOffsets;
  readonly claims: ClaimStore | undefined;
  readonly limits: MessageLimits;
  /** At this many bytes that wait, a partition is not fetched until half of them are left. */
  readonly partitionBytes: number;
  readonly maxCameras: number;
  readonly idleMs: number;
  readonly handOverMs: number;
  readonly expired: 'gap' | 'refuse';
}

/** What a tenure asks of its feed, and tells it. */
export interface TenureHost<L> {
  pause(partition: number): void;
  resume(partition: number): void;
  seek(partition: number, offset: bigint): void;
  commit(partition: number, offset: bigint): Promise<void>;
  offer(fed: Fed<L>): void;
  /** Somebody else writes for this partition. */
  superseded(partition: number): void;
  /** It goes on all the same, or is tried again. */
  problem(error: unknown): void;
  deadLetters(letters: readonly DeadLetter[]): void;
  /** Messages from `from`, where that is known, to before `before` are gone. */
  expired(partition: number, from: bigint | undefined, before: bigint): void;
  /** The feed must end. */
  failed(error: unknown): void;
}

/** The parts of a tenure once its lane is open. */
interface Parts<L extends Lane> {
  readonly lane: L;
  readonly intake: Intake;
  readonly coverage: Coverage;
  readonly cameras: Cameras<L>;
  readonly diversion: Diversion;
}

/**
 * One partition, from when it was assigned to this instance until it is handed over. Opens its lane, reads from where
 * the group stands, gives each camera its frames, and knows from where the partition must be read again.
 *
 * What waits is bounded by bytes, and above them only this partition is not fetched: a camera that stalls holds up
 * those of its own partition at worst, and those only once so much of its own is waiting.
 */
export class Tenure<L extends Lane> implements InputPartition, CameraHost {
  readonly topic: string;
  readonly group: string;
  readonly idleMs: number;
  /** When it began, ms since the epoch. */
  readonly sinceMs = Date.now();
  /** Resolves when it was handed over. Never rejects. */
  readonly done: Promise<void>;
  readonly #options: TenureOptions<L>;
  readonly #host: TenureHost<L>;
  readonly #stop = new AbortController();
  readonly #lost = new AbortController();
  /** Held until the lane is open, and while it is being found out why a batch stood where none was expected. */
  readonly #flow: Flow;
  #parts: Parts<L> | undefined;
  /** Where a batch may stand although none is expected there. */
  #allowedFrom: bigint | undefined;

  constructor(
    readonly partition: number,
    options: TenureOptions<L>,
    host: TenureHost<L>,
    /** Resolves when this instance has handed over what it had of the partition before. */
    before: Promise<void>,
  ) {
    this.#options = options;
    this.#host = host;
    this.topic = options.topic;
    this.group = options.group;
    this.idleMs = options.idleMs;
    this.#flow = new Flow({
      partitionBytes: options.partitionBytes,
      fetchedBytes: () => this.#parts?.intake.bytes ?? 0,
      pause: () => host.pause(partition),
      resume: () => host.resume(partition),
    });
    this.#flow.hold();
    this.done = this.#run(before);
  }

  /** Hands over: nothing more is given, and what is under way is committed within `handOverMs`. */
  stop(): void {
    this.#end(lost(this));
  }

  /** To be called when the group was joined anew and the partition stayed: kafkajs has forgotten where it stood. */
  rejoined(): void {
    if (this.#parts !== undefined) this.#host.seek(this.partition, this.#parts.intake.next);
    this.#flow.restore();
  }

  fetched(batch: FetchedBatch): void {
    const intake = this.#parts?.intake;
    if (intake === undefined || this.#flow.isHeld || this.#stop.signal.aborted) return;
    if (batch.from !== intake.next && batch.from !== this.#allowedFrom) {
      this.#doubt(intake, batch.from).catch((error: unknown) => this.#fail(error));
      return;
    }
    this.#allowedFrom = undefined;
    intake.take(batch);
    this.#flow.balance();
  }

  /** Nothing that anybody wants stands from `first` to before `next`. */
  skipped(first: bigint, next: bigint): void {
    const intake = this.#parts?.intake;
    if (intake?.next === first && !this.#flow.isHeld) intake.pass(next);
  }

  safeOffset(committing: ReadonlyMap<string, Position>): bigint {
    const to = new Map([...committing].map(([source, position]): [string, CoveredTo] => [source, coveredTo(position)]));
    return this.#opened().coverage.safeOffset(to);
  }

  commitOffset(offset: bigint): Promise<void> {
    return this.#host.commit(this.partition, offset);
  }

  /** `next` to fetch, `safe` to begin from after a crash; undefined before its lane is open. */
  get progress(): { readonly next: bigint; readonly safe: bigint; readonly waitingBytes: number } | undefined {
    if (this.#parts === undefined) return undefined;
    const { intake, coverage } = this.#parts;
    return { next: intake.next, safe: coverage.safeOffset(), waitingBytes: this.#flow.waitingBytes };
  }

  given(bytes: number): void {
    this.#flow.given(bytes);
  }

  cover(camera: string, to: CoveredTo): void {
    this.#opened().coverage.cover(camera, to);
  }

  isOpen(camera: string): boolean {
    return this.#opened().coverage.firstOpen(camera) !== undefined;
  }

  async isCaughtUp(): Promise<boolean> {
    const { intake } = this.#opened();
    if (!intake.isEmpty) return false;
    try {
      const { high } = await this.#options.offsets.watermarks(this.partition);
      return intake.isEmpty && high <= intake.next;
    } catch (error) {
      // Frames may be waiting where there is no answer.
      this.#host.problem(error);
      return false;
    }
  }

  async #run(before: Promise<void>): Promise<void> {
    let lane: L | undefined;
    try {
      await before;
      lane = await this.#persist(() => this.#options.openLane(this, this.#stop.signal));
      lane.lost.addEventListener('abort', () => this.#superseded(), { once: true });
      if (lane.lost.aborted) this.#superseded();
      await this.#begin(lane);
      await this.#pump();
    } catch (error) {
      if (!this.#stop.signal.aborted) this.#fail(error);
    }
    await this.#leave(lane);
  }

  async #begin(lane: L): Promise<void> {
    const { offsets, maxCameras } = this.#options;
    const { signal: stop } = this.#stop;
    const start = await this.#persist(() => startOf(offsets, this.partition, stop));
    const coverage = new Coverage(start.offset);
    const giveUp = (error: unknown): void => {
      if (!stop.aborted) this.#fail(error);
    };
    const diversion = new Diversion({
      lane,
      coverage,
      input: this,
      persist: (attempt) => this.#persist(attempt),
      told: (letters) => this.#host.deadLetters(letters),
      failed: giveUp,
    });
    await this.#persist(() => diversion.restore());
    const intake = new Intake(start.offset, async (message) => {
      try {
        return await this.#persist(() => readMessage(message, this.#options));
      } catch (error) {
        giveUp(error);
        return undefined;
      }
    });
    const cameras = new Cameras({
      lane,
      coverage,
      host: this,
      stop,
      lost: this.#lost.signal,
      maxCameras,
      offer: (fed) => this.#host.offer(fed),
      problem: (error) => this.#host.problem(error),
      readAgain: (offset) => {
        intake.restart(offset);
        this.rejoined();
      },
    });
    stop.throwIfAborted();
    this.#parts = { lane, intake, coverage, diversion, cameras };
    if (start.expired !== undefined) this.#lose(intake, start.expired.from, start.offset);
    this.#flow.free();
    this.rejoined();
  }

  /**
   * A fetch began where none should have: messages expired, and kafkajs jumped to the earliest that is left; or there was
   * nothing but control records in between; or the batch is from a membership before this one.
   */
  async #doubt(intake: Intake, from: bigint): Promise<void> {
    const { offsets } = this.#options;
    this.#flow.hold();
    const { low } = await this.#persist(() => offsets.watermarksNow(this.partition));
    if (from < intake.next) {
      await this.#persist(() =>
        mustReach(intake.next, { offsets, partition: this.partition, signal: this.#stop.signal }),
      );
    } else if (low > intake.next) {
      this.#lose(intake, intake.next, low);
    } else {
      // Nothing of the past comes twice: if it stands there again, there is nothing in between.
      this.#allowedFrom = from;
    }
    this.#flow.free();
    this.rejoined();
  }

  #lose(intake: Intake, from: bigint | undefined, before: bigint): void {
    const which = from === undefined ? `before ${before}` : `${from} to ${before - 1n}`;
    const reason = `messages ${which} of ${this.#name} had expired before they were read`;
    if (this.#options.expired === 'refuse') {
      throw new BlinkstreamError(reason, {
        code: 'SOURCE_EXPIRED',
        class: 'user',
        stage: 'source',
        hint: 'let the topic keep messages for longer; to go on behind the gap and have it told, set "expired: gap"',
      });
    }
    intake.expire(before, reason);
    this.#host.expired(this.partition, from, before);
  }

  async #pump(): Promise<void> {
    const { intake, diversion } = this.#opened();
    const items = intake.items();
    for (;;) {
      // Before the next is asked for: what was taken out is delivered in the same turn, or never.
      await this.#flow.untilRoom();
      await diversion.untilRoom();
      const next = await items.next();
      if (next.done === true) return;
      this.#deliver(next.value);
      this.#flow.balance();
    }
  }

  #deliver(taken: Taken): void {
    const { coverage, cameras, diversion } = this.#opened();
    switch (taken.type) {
      case 'passed':
        return coverage.pass(taken.next);
      case 'expired':
        return cameras.expire(taken);
      case 'poison':
        return diversion.add(taken);
      case 'frame': {
        const bytes = cameras.give(taken);
        if (bytes !== undefined) this.#flow.give(bytes);
        else diversion.add({ ...taken, type: 'poison', error: tooManyCameras(this.#options.maxCameras) });
      }
    }
  }

  #superseded(): void {
    const wasOurs = !this.#stop.signal.aborted;
    const reason = lost(this);
    this.#lost.abort(reason);
    this.#end(reason);
    if (wasOurs) this.#host.superseded(this.partition);
  }

  #fail(error: unknown): void {
    this.#end(error);
    this.#host.failed(error);
  }

  #end(reason: unknown): void {
    this.#stop.abort(reason);
    this.#parts?.intake.end();
    this.#flow.end();
  }

  /** Drains what is under way, and lets go. */
  async #leave(lane: L | undefined): Promise<void> {
    this.#end(lost(this));
    const deadline = new AbortController();
    const late = pauseFor(this.#options.handOverMs, AbortSignal.any([deadline.signal, this.#lost.signal]));
    await Promise.race([this.#parts?.cameras.suspend(), late]);
    deadline.abort();
    this.#lost.abort(lost(this));
    try {
      await lane?.release();
    } catch (error) {
      this.#host.problem(error);
    }
  }

  #persist<T>(attempt: () => Promise<T>): Promise<T> {
    return persist(attempt, { signal: this.#stop.signal, failed: (error) => this.#host.problem(error) });
  }

  #opened(): Parts<L> {
    if (this.#parts !== undefined) return this.#parts;
    throw new BlinkstreamError(`${this.#name} is used before it is open`, {
      code: 'PARTITION_NOT_OPEN',
      class: 'internal',
      stage: 'source',
    });
  }

  get #name(): string {
    return `${this.topic}/${this.partition}`;
  }
}

const lost = ({ topic, partition }: { readonly topic: string; readonly partition: number }): BlinkstreamError =>
  new BlinkstreamError(`${topic}/${partition} is not this instance's any more`, {
    code: 'PARTITION_LOST',
    class: 'external',
    stage: 'source',
  });
