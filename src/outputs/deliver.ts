import { encodeEventMessage, type EventFormat, type EventMessage } from '../kafka/event-message.js';
import type { ChangeLog, Cursor } from '../log/index.js';
import { BackOff } from '../records/back-off.js';
import { BlinkstreamError, type ChangeEvent, type ErrorDetails } from '../records/index.js';
import { pauseFor } from '../records/pause.js';
import { killPoint } from '../records/kill-points.js';
import { Grace, GraceOver } from './grace.js';
import { KeptCursor } from './kept-cursor.js';
import { isWanted, type OutputFilter } from './output-filter.js';

/** What every output that sends events somewhere goes by. */
export interface DeliveryOptions {
  readonly log: ChangeLog;
  /** Keeps how far was sent; its folder is made. One destination and one log for each such file, and one writer at a time. */
  readonly cursorFile: string;
  /** Return at the log's end instead of waiting for more. */
  readonly untilEnd?: boolean;
  /** The destination does not take events for now, and is tried again. */
  readonly onProblem?: (error: BlinkstreamError, retryInMs: number) => void;
  /** Ends the output after what is being sent; call again to go on. */
  readonly signal: AbortSignal;
}

/** An event, and what is sent of it. */
export interface Outgoing {
  readonly event: ChangeEvent;
  readonly message: EventMessage;
}

/** Where events go. */
export interface Destination {
  /** As it stands behind "events cannot be sent on to". */
  readonly name: string;
  readonly format: EventFormat;
  /** Sent, and acknowledged, in one go: what a crash at the worst moment sends a second time. */
  readonly maxBatchEvents: number;
  /** Default: every event. */
  readonly filter?: OutputFilter;
  /** Anew for each attempt. `givenUp` aborts where nobody waits for it any more. */
  connect(givenUp: AbortSignal): Promise<Connection>;
  /** What was thrown, in words; what is of class `external` is tried again. One that is in words stays as it is. */
  errorOf(thrown: unknown): BlinkstreamError;
}

export interface Connection {
  /** Resolves when all of it is acknowledged. */
  send(batch: readonly Outgoing[]): Promise<void>;
  /** Aborts, with the error as its reason, where the connection breaks while there is nothing to send. */
  readonly lost?: AbortSignal;
  /** Gives up what is under way; what was acknowledged stays so. */
  close(): Promise<void>;
}

/** The other side says how long it wants to be left alone. */
export class AskedToWait extends BlinkstreamError {
  constructor(
    message: string,
    details: ErrorDetails,
    readonly waitMs: number,
  ) {
    super(message, details);
  }
}

/** Well below what topics of Kafka take by default, which is 1 MiB. */
const MAX_BATCH_BYTES = 256 * 1024;

/**
 * Sends every event of the log to a destination, and follows the log. Events of a source keep their order: a batch is sent
 * when the one before it is acknowledged.
 *
 * At least once: the cursor is written behind each batch. A process that is killed between the two sends that batch again,
 * `maxBatchEvents` at most; a receiver tells by the event's id. While the destination takes nothing, nothing is lost and
 * nothing waits in memory.
 *
 * @returns the events sent by this call
 * @throws BlinkstreamError what the destination's `errorOf` gives and is not `external`; `OUTPUT_DAMAGED` (user);
 *   `OUTPUT_MISMATCH` (user) where the log cannot go on from what was sent; `OUTPUT_FAILED` (user), `OUTPUT_FULL` (resource)
 */
export async function deliver(to: Destination, options: DeliveryOptions): Promise<{ readonly events: number }> {
  const { onProblem, signal } = options;
  const backOff = new BackOff();
  const grace = new Grace(signal);
  let events = 0;
  try {
    while (!signal.aborted) {
      const attempt = new Attempt(to, options, grace);
      try {
        await attempt.run();
        break;
      } catch (thrown) {
        if (thrown instanceof GraceOver) break;
        const error = to.errorOf(thrown);
        if (error.class !== 'external') throw error;
        if (signal.aborted) break;
        const askedMs = error instanceof AskedToWait ? error.waitMs : 0;
        const retryInMs = Math.max(backOff.pauseMs(attempt.soundMs), askedMs);
        onProblem?.(error, retryInMs);
        await pauseFor(retryInMs, signal);
      } finally {
        events += attempt.sent;
      }
    }
  } finally {
    grace.end();
  }
  return { events };
}

/** One connection, for as long as it lasts. */
class Attempt {
  /** Events acknowledged. */
  sent = 0;
  #waitedMs = 0;

  constructor(
    readonly to: Destination,
    readonly options: DeliveryOptions,
    readonly grace: Grace,
  ) {}

  /** For how long it was sound. Who acknowledges is well: the next trouble is another one. */
  get soundMs(): number {
    return this.sent > 0 ? Infinity : this.#waitedMs;
  }

  /** Returns at the log's end, or when it is asked to end. @throws what the connection, the log or the cursor throws */
  async run(): Promise<void> {
    const connection = await this.grace.within(this.to.connect(this.grace.over));
    try {
      await this.#sendOn(connection, performance.now());
      connection.lost?.throwIfAborted();
    } finally {
      // What was sent is acknowledged already: how the connection ends changes nothing.
      await this.grace.closing(connection.close()).catch(() => undefined);
    }
  }

  async #sendOn(connection: Connection, beganMs: number): Promise<void> {
    const { maxBatchEvents, format, filter } = this.to;
    const kept = new KeptCursor(this.options.cursorFile);
    let batch: Outgoing[] = [];
    let batchBytes = 0;
    let last: Cursor | undefined;
    for await (const entry of this.#entries(await kept.read(), connection.lost)) {
      if (entry.type === 'event') {
        last = entry.cursor;
        if (isWanted(entry.event, filter)) {
          const message = encodeEventMessage(entry.event, format);
          batch.push({ event: entry.event, message });
          batchBytes += message.value.byteLength;
        }
        if (batch.length < maxBatchEvents && batchBytes < MAX_BATCH_BYTES) continue;
      }
      // At the log's end also what the filter passed over is behind the cursor, so that it may be pruned.
      if (last === undefined) continue;
      this.#waitedMs = performance.now() - beganMs;
      if (batch.length > 0) await this.#sendBatch(connection, batch);
      await kept.write(last);
      [batch, batchBytes, last] = [[], 0, undefined];
    }
    this.#waitedMs = performance.now() - beganMs;
  }

  async #sendBatch(connection: Connection, batch: readonly Outgoing[]): Promise<void> {
    await this.grace.within(connection.send(batch));
    killPoint('publish');
    this.sent += batch.length;
  }

  /** Where the log does not go on from the cursor that was kept, the error says which file that is. */
  async *#entries(cursor: Cursor | undefined, lost: AbortSignal | undefined) {
    const { log, untilEnd = false, cursorFile, signal } = this.options;
    const ended = lost === undefined ? signal : AbortSignal.any([signal, lost]);
    try {
      yield* log.read({ ...(cursor && { cursor }), start: 'earliest', untilEnd, signal: ended });
    } catch (cause) {
      const isRefused =
        cause instanceof BlinkstreamError && (cause.code === 'CURSOR_EXPIRED' || cause.code === 'CURSOR_INVALID');
      if (!isRefused) throw cause;
      throw new BlinkstreamError(`events cannot be sent on to ${this.to.name}: ${cause.message}`, {
        code: 'OUTPUT_MISMATCH',
        class: 'user',
        stage: 'output',
        hint: `remove ${cursorFile} to send all that the log still holds, in part a second time; what was pruned is gone`,
        cause,
      });
    }
  }
}
