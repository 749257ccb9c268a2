import type { FrameRef, Gap, SourceItem, Tick } from '../../records/index.js';
import { leaseOf } from '../budget.js';
import type { Source, SourceReport } from '../index.js';
import type { PushCamera, Pushed } from './camera.js';
import { pushOffset, pushPosition, type PushPosition } from './push-position.js';

/** A gap begins so long after the last frame: at its very time, nothing would have passed. */
const AFTER_MS = 1;

/**
 * The frames that a client pushes for `camera`, as they come: encoded, with the event times of the client, their sequence
 * numbers as `index`.
 *
 * The clock of the client is the only one: event time goes on with its frames, and where it says that time has passed,
 * and never by waiting, so that frames that come late because a connection was broken are not too late. A client that says
 * nothing for `stallMs` is a gap, which is told at the time of its last frame.
 *
 * What is not acknowledged a client sends again, as far as it still has it: where the first frame that is asked for does
 * not come any more, that is a gap too. It ends by its signal alone. Memory: `budget`, and a frame that waits for it.
 */
export function pushSource(camera: PushCamera, { stallMs }: { readonly stallMs: number }): Source {
  const { name } = camera;
  return {
    name,
    replayable: 'in part',
    async *read({ from, budget, signal }): AsyncGenerator<SourceItem, SourceReport, undefined> {
      signal.throwIfAborted();
      const before = from && pushPosition(from);
      /** The frame that must come first, or it is lost. */
      let awaited = from?.after === true ? undefined : from?.index;
      const time = new PushTime(name, before, awaited === undefined ? before?.eventTimeMs : undefined);
      const detach = camera.attach(from === undefined ? 1 : from.index + (from.after === true ? 1 : 0));
      try {
        for (;;) {
          const isTimed = stallMs > 0 && !time.isLost;
          const offer = await camera.next(isTimed ? stallMs : undefined, signal);
          if (offer === undefined) {
            const who = camera.isPushed ? 'nothing was pushed' : 'nobody pushed anything';
            yield* time.lose(`${who} for ${stallMs / 1_000} s`);
            continue;
          }
          const { item } = offer;
          if (!('sequence' in item)) {
            yield* time.passed(item.eventTimeMs);
            offer.taken();
            continue;
          }
          const { bytes } = item.picture;
          await budget.take(bytes.byteLength, signal);
          const lease = leaseOf({ form: 'encoded', encoded: item.picture }, bytes.byteLength, () =>
            budget.give(bytes.byteLength),
          );
          // From here on nobody else would give the bytes back.
          offer.taken();
          if (awaited !== undefined && item.sequence > awaited && before !== undefined) {
            time.missed(before.eventTimeMs, `frames from ${awaited} on were not sent again`);
          }
          awaited = undefined;
          try {
            yield* time.back(item.eventTimeMs);
          } catch (error) {
            lease.release();
            throw error;
          }
          yield { ref: time.frame(item), lease };
        }
      } finally {
        detach();
      }
    },
    committed: ({ index, after }) => camera.durable(after === true ? index : index - 1),
    late: ({ index }) => camera.refuse(index, 'LATE', 'it came after the windows of its event time were closed'),
  };
}

/** The event time of a pushed camera: makes its ticks, and the references of its frames. */
class PushTime {
  readonly #source: string;
  #firstMs: number | undefined;
  /** Of the last frame or tick; unknown while frames from before are awaited. */
  #lastMs: number | undefined;
  #freshMs: number | undefined;
  #gap: Omit<Gap, 'over'> | undefined;

  constructor(source: string, before: PushPosition | undefined, lastMs: number | undefined) {
    this.#source = source;
    this.#firstMs = before?.firstMs;
    this.#lastMs = lastMs;
    this.#freshMs = lastMs;
  }

  get isLost(): boolean {
    return this.#gap !== undefined;
  }

  *lose(reason: string): Generator<Tick, void, undefined> {
    if (this.#lastMs === undefined || this.#freshMs === undefined) return;
    this.#gap = { sinceMs: this.#freshMs, reason };
    this.#lastMs += AFTER_MS;
    yield this.#tick(this.#lastMs, { ...this.#gap, over: false });
  }

  missed(sinceMs: number, reason: string): void {
    this.#gap = { sinceMs, reason };
  }

  /** The client says so. */
  *passed(eventTimeMs: number): Generator<Tick, void, undefined> {
    if (this.#lastMs !== undefined && eventTimeMs <= this.#lastMs) return;
    this.#lastMs = eventTimeMs;
    yield this.#tick(eventTimeMs);
  }

  /** A frame is to follow: the tick that says so where they were gone. */
  *back(frameMs: number): Generator<Tick, void, undefined> {
    const gap = this.#gap;
    this.#gap = undefined;
    const overMs = frameMs - AFTER_MS;
    if (gap !== undefined && overMs > (this.#lastMs ?? gap.sinceMs)) yield this.#tick(overMs, { ...gap, over: true });
  }

  frame({ sequence, eventTimeMs, width, height }: Pushed): FrameRef {
    this.#firstMs ??= eventTimeMs;
    this.#lastMs = Math.max(this.#lastMs ?? eventTimeMs, eventTimeMs);
    this.#freshMs = this.#lastMs;
    const position = { index: sequence, offset: pushOffset({ eventTimeMs, firstMs: this.#firstMs }) };
    const elapsedMs = eventTimeMs - this.#firstMs;
    return { source: this.#source, index: sequence, eventTimeMs, elapsedMs, position, width, height };
  }

  #tick(eventTimeMs: number, gap?: Gap): Tick {
    this.#firstMs ??= eventTimeMs;
    const elapsedMs = eventTimeMs - this.#firstMs;
    return { type: 'tick', source: this.#source, eventTimeMs, elapsedMs, ...(gap && { gap }) };
  }
}
