import { randomUUID } from 'node:crypto';
import type { Kafka, Message, Transaction } from 'kafkajs';
import type { EventFormat } from '../../kafka/event-message.js';
import { asKafkaError } from '../../kafka/errors.js';
import { BackOff } from '../../records/back-off.js';
import { BlinkstreamError, mayPass, type Checkpoint, type DeadLetter, type Position } from '../../records/index.js';
import { pauseFor } from '../../records/pause.js';
import { killPoint } from '../../records/kill-points.js';
import type { InputPartition, Lane } from '../../sources/kafka/lane.js';
import { encodeCommit, type EncodedCommit } from '../commit.js';
import type { BlobStore, Commit, Committer } from '../index.js';
import type { Claim, Step } from './lane-state.js';
import type { LogIndex } from './log-index.js';
import { sendTo, stepMessages, type LaneStep } from './lane-messages.js';
import { encodeStateRecord, forgetting } from './state-record.js';
import type { LogTopics } from './topics.js';
import { TransactionalProducer } from './transactions.js';

export interface LaneOptions {
  readonly kafka: Kafka;
  readonly topics: LogTopics;
  readonly index: LogIndex;
  readonly blobs: BlobStore;
  readonly format: EventFormat;
  /** Name of the lane, unique in the log: who opens it takes it over. */
  readonly lane: string;
  /** Of the topics, into which it writes. */
  readonly partition: number;
  /** Whose offset is committed with each step. */
  readonly input?: InputPartition;
  /** How long whoever had the lane before may take to hand it over. */
  readonly graceMs: number;
  /** What failed and is tried again. */
  readonly problem: (error: BlinkstreamError) => void;
}

/** One step that waits to be written; several go together in a transaction. */
interface Waiting extends LaneStep {
  readonly positions: Checkpoint['positions'];
  readonly done: (appended: number) => void;
  readonly failed: (error: unknown) => void;
}

/** What is under way when a lane is let go of may take so long, ms; else it is given up, and its outcome left open. */
const releaseMs = 5_000;

/**
 * The one writer of a partition's pipelines: events, checkpoint, pictures, dead letters and the input's offset in one
 * transaction. Whoever opens the lane fences the one before by the transactional id, and claims it by a record in the log.
 *
 * Where a transaction fails, its outcome is not known. A new producer settles it, another claim is written, and what the
 * index reads up to that claim says whether the step is there, and whether the lane is still this one's: a claim of
 * somebody else in between means that it was taken over, and nothing is written from then on. So of two that hold
 * themselves for the owner one finds out before it writes, however often they fence each other.
 */
export class KafkaLane implements Lane, Committer {
  readonly blobs: BlobStore;
  readonly #options: LaneOptions;
  readonly #incarnation = randomUUID();
  readonly #lost = new AbortController();
  /** Aborts when nothing more is waited for. */
  readonly #closing = new AbortController();
  readonly #waiting: Waiting[] = [];
  #producer: TransactionalProducer | undefined;
  #term = 0;
  #ordinal = 0;
  /** Whatever uses the producer waits for what does before it. */
  #turn: Promise<unknown> = Promise.resolve();
  #isWriting = false;
  #isReleased = false;

  private constructor(options: LaneOptions) {
    this.#options = options;
    this.blobs = options.blobs;
  }

  /** @throws BlinkstreamError class `external` where it may be tried again, of `kafkaError`; the signal's reason */
  static async open(options: LaneOptions, signal: AbortSignal): Promise<KafkaLane> {
    const lane = new KafkaLane(options);
    try {
      await lane.#handedOver(signal);
      if ((await lane.#claim(signal)) === 'lost') throw lane.#takenOver();
      lane.#watch();
      return lane;
    } catch (error) {
      await lane.#producer?.close();
      throw error;
    }
  }

  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /** Aborts when it was let go of or lost. */
  get ended(): AbortSignal {
    return this.#closing.signal;
  }

  checkpoint(key: string): Promise<Checkpoint | undefined> {
    return this.#options.index.reading.checkpoint(key);
  }

  async commit(step: Commit): Promise<{ readonly appended: number }> {
    const appended = await this.#enqueue(encodeCommit(step), step.checkpoint.positions, []);
    return { appended };
  }

  async divert({ key, checkpoint, letters }: Parameters<Lane['divert']>[0]): Promise<void> {
    const commit = encodeCommit({ key, checkpoint, events: [], contradicted: [], blobs: [] });
    await this.#enqueue(commit, checkpoint.positions, letters);
  }

  /** Lets compaction remove the pictures of this lane that nothing needs any more. */
  forgetBlobs(): Promise<void> {
    const { index, lane, partition, topics } = this.#options;
    // What is committed later is written behind it: what it needs again it sends again.
    return this.#inTurn(async () => {
      if (this.#isReleased || this.lost.aborted) return;
      const gone: Message[] = [];
      for (const [sha256, pieces] of index.blobsOfLane(lane)) {
        if (!(await this.blobs.has(sha256))) gone.push(...forgetting(lane, sha256, pieces));
      }
      if (gone.length === 0) return;
      try {
        await this.#opened().transact(async (transaction) => {
          await sendTo(transaction, topics.state, partition, gone);
        });
      } catch (error) {
        // It need not be now; but the producer is of no use any more.
        await this.#recover(this.#ordinal, error as BlinkstreamError, new BackOff());
      }
    });
  }

  async release(): Promise<void> {
    if (this.#isReleased) return;
    this.#isReleased = true;
    const enough = new AbortController();
    const late = pauseFor(releaseMs, enough.signal, { held: false });
    await Promise.race([this.#turn, late]);
    enough.abort();
    this.#closing.abort(this.#takenOver());
    await this.#turn;
    try {
      if (!this.lost.aborted) await this.#producer?.transact((transaction) => this.#sendClaim(transaction, true));
    } finally {
      await this.#producer?.close();
    }
  }

  #enqueue(commit: EncodedCommit, positions: Checkpoint['positions'], letters: readonly DeadLetter[]): Promise<number> {
    if (this.#isReleased || this.lost.aborted) return Promise.reject(this.#takenOver());
    return new Promise((done, failed) => {
      this.#waiting.push({ commit, positions, letters, done, failed });
      if (this.#isWriting) return;
      this.#isWriting = true;
      void this.#inTurn(async () => {
        while (this.#waiting.length > 0) await this.#settle(this.#waiting.splice(0));
        this.#isWriting = false;
      });
    });
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work);
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  /** Writes the steps in one transaction, in as many attempts as it takes. */
  async #settle(steps: readonly Waiting[]): Promise<void> {
    const ordinal = this.#ordinal + 1;
    const backOff = new BackOff();
    try {
      for (;;) {
        try {
          const appended = await this.#write(steps, ordinal);
          this.#ordinal = ordinal;
          await this.#untilSeen(ordinal);
          steps.forEach(({ done }, i) => done(appended[i]));
          return;
        } catch (thrown) {
          const error = thrown as BlinkstreamError;
          const outcome = await this.#recover(ordinal, error, backOff);
          if (outcome === 'committed') {
            this.#ordinal = ordinal;
            for (const { commit, done } of steps) done(commit.events.length);
            return;
          }
          if (!mayPass(error)) throw error;
        }
      }
    } catch (error) {
      if (steps.length === 1 || this.#closing.signal.aborted) for (const { failed } of steps) failed(error);
      // One of them is at fault, and the others need not suffer for it.
      else for (const step of steps) await this.#settle([step]);
    }
  }

  async #write(steps: readonly Waiting[], ordinal: number): Promise<number[]> {
    const { index, input, lane, partition, topics, format } = this.#options;
    const written = await stepMessages(steps, { tables: index.reading.tables, blobs: this.blobs, lane, format });
    const positions = new Map<string, Position>(steps.flatMap((step) => Object.entries(step.positions)));
    await this.#opened().transact(async (transaction) => {
      const eventsEnd = await sendTo(transaction, topics.events, partition, written.events);
      const contradictedEnd = await sendTo(transaction, topics.contradicted, partition, written.contradicted);
      if (written.letters.length > 0) {
        const topic = topics.deadLetters;
        await transaction
          .send({ topic, messages: [...written.letters] })
          .catch(asKafkaError({ topic, operation: 'WRITE' }));
      }
      const step: Step = { incarnation: this.#incarnation, ordinal, eventsEnd, contradictedEnd };
      const last = encodeStateRecord({ type: 'step', lane, step });
      await sendTo(transaction, topics.state, partition, [...written.state, ...last]);
      if (input !== undefined) {
        const offset = String(input.safeOffset(positions));
        const { topic, group, partition } = input;
        await transaction
          .sendOffsets({ consumerGroupId: group, topics: [{ topic, partitions: [{ partition, offset }] }] })
          .catch(asKafkaError({ topic, operation: 'READ', group }));
      }
      killPoint('in-commit');
    });
    return written.appended;
  }

  /** The index has read it, and with it all that the step wrote. */
  #untilSeen(ordinal: number): Promise<void> {
    const { index, lane } = this.#options;
    return index.until(() => {
      const { last } = index.lane(lane);
      return last?.incarnation === this.#incarnation && last.ordinal >= ordinal;
    }, this.#closing.signal);
  }

  /** What became of a transaction that failed. Ends when that is known. */
  async #recover(ordinal: number, error: BlinkstreamError, backOff: BackOff): Promise<'committed' | 'not committed'> {
    const { index, lane, problem } = this.#options;
    const { signal: closing } = this.#closing;
    for (let failure = error; ;) {
      closing.throwIfAborted();
      if (mayPass(failure)) problem(failure);
      await pauseFor(backOff.pauseMs(0), closing);
      closing.throwIfAborted();
      try {
        if ((await this.#claim(closing)) === 'lost') this.#lose();
        closing.throwIfAborted();
        const { last } = index.lane(lane);
        return last?.incarnation === this.#incarnation && last.ordinal === ordinal ? 'committed' : 'not committed';
      } catch (thrown) {
        closing.throwIfAborted();
        failure = thrown as BlinkstreamError;
        if (!mayPass(failure)) throw failure;
      }
    }
  }

  /** Finds out too while nothing is written. */
  #watch(): void {
    const { index, lane } = this.#options;
    const isTakenOver = (): boolean => index.lane(lane).owner?.incarnation !== this.#incarnation;
    index.until(isTakenOver, this.#closing.signal).then(
      () => this.#lose(),
      () => undefined,
    );
  }

  #lose(): void {
    const reason = this.#takenOver();
    this.#lost.abort(reason);
    this.#closing.abort(reason);
  }

  /** Waits for whoever had the lane to let go of it, but not for long: it may be gone. */
  async #handedOver(signal: AbortSignal): Promise<void> {
    const { index, lane, graceMs } = this.#options;
    const isFree = (): boolean => index.lane(lane).owner?.released !== false;
    if (isFree()) return;
    const late = AbortSignal.timeout(graceMs);
    await index.until(isFree, AbortSignal.any([signal, late])).catch((error: unknown) => {
      if (!late.aborted) throw error;
    });
    signal.throwIfAborted();
  }

  /** Fences every other writer of the lane, and says who writes it now. */
  async #claim(signal: AbortSignal): Promise<'owned' | 'lost'> {
    const { kafka, index, lane, topics } = this.#options;
    await this.#producer?.close();
    const producer = await TransactionalProducer.open(kafka, `${topics.state}/${lane}`);
    this.#producer = producer;
    signal.throwIfAborted();
    await producer.transact((transaction) => this.#sendClaim(transaction, false));
    const term = this.#term;
    await index.until(() => (index.lane(lane).owner?.term ?? 0) >= term, signal);
    const { owner } = index.lane(lane);
    return owner?.incarnation === this.#incarnation && owner.term === term ? 'owned' : 'lost';
  }

  async #sendClaim(transaction: Transaction, released: boolean): Promise<void> {
    const { index, lane, partition, topics } = this.#options;
    const { owner } = index.lane(lane);
    const claim: Claim = { incarnation: this.#incarnation, term: (owner?.term ?? 0) + 1, released };
    this.#term = claim.term;
    await sendTo(transaction, topics.state, partition, encodeStateRecord({ type: 'claim', lane, claim }));
  }

  #opened(): TransactionalProducer {
    this.#closing.signal.throwIfAborted();
    if (this.#producer !== undefined) return this.#producer;
    throw this.#takenOver();
  }

  #takenOver(): BlinkstreamError {
    const { lane, input } = this.#options;
    return new BlinkstreamError(`another instance writes ${lane} now`, {
      code: 'LANE_LOST',
      stage: 'commit',
      // A partition comes back by the group; a source of one's own would be taken back, and taken over again.
      ...(input === undefined
        ? { class: 'user', hint: 'let one instance alone run this source, or give it another name' }
        : { class: 'external' }),
    });
  }
}
