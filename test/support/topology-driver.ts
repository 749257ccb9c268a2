import { createHash } from 'node:crypto';
import { setImmediate, setTimeout } from 'node:timers/promises';
import watch from '../../topologies/watch.js';
import type { Dismissal } from '../../src/changes/feedback.js';
import type { ChangeLog } from '../../src/log/index.js';
import { memoryLog } from '../../src/log/memory.js';
import { pictureOf } from '../../src/pixels/content.js';
import type { ReasonSequence } from '../../src/reasoning/index.js';
import {
  BlinkstreamError,
  isTick,
  type ChangeEvent,
  type FrameContent,
  type FrameRef,
  type FrameSequence,
  type Gap,
  type Lease,
  type PictureU8,
  type Position,
  type Reasoned,
  type SequenceFrame,
  type SourceItem,
  type Tick,
} from '../../src/records/index.js';
import { leaseOf, type ByteBudget } from '../../src/sources/budget.js';
import type { Source, SourceReport } from '../../src/sources/index.js';
import { run, type RunResult } from '../../src/topology/run.js';
import type { Topology } from '../../src/topology/topology.js';
import { reasonedOf } from './findings.js';
import { refOf } from '../../fixtures/stage.js';

export interface ArrayFrame {
  readonly ref: FrameRef;
  readonly content: FrameContent;
}

/** Frames of these pictures at 25 a second. */
export const framesOf = (pictures: readonly PictureU8[]): ArrayFrame[] =>
  pictures.map((picture, index) => {
    const { width, height } = picture;
    return { ref: refOf(index, { width, height }), content: { form: 'pixels', picture } };
  });

/** Time without a frame, as `ArraySource` gives it. */
export const tickAt = (elapsedMs: number, gap?: Gap): Tick => ({
  type: 'tick',
  source: 'stage',
  eventTimeMs: refOf(0).eventTimeMs + elapsedMs,
  elapsedMs,
  ...(gap && { gap }),
});

/** A source over an array of frames and ticks; counts its leases, and can break off before a frame. */
export class ArraySource implements Source {
  readonly name = 'stage';
  /** Frames given whose leases have not come back. */
  readonly outstanding = new Set<number>();
  given = 0;
  budget: ByteBudget | undefined;
  readonly #items: readonly (ArrayFrame | Tick)[];
  readonly #breaksBefore: number | undefined;

  constructor(items: readonly (ArrayFrame | Tick)[], { breaksBefore }: { breaksBefore?: number } = {}) {
    this.#items = items;
    this.#breaksBefore = breaksBefore;
  }

  async *read({
    from,
    budget,
    signal,
  }: {
    from?: Position;
    budget: ByteBudget;
    signal: AbortSignal;
  }): AsyncGenerator<SourceItem, SourceReport, undefined> {
    this.budget = budget;
    const start = from === undefined ? 0 : from.index + (from.after === true ? 1 : 0);
    let arrived = 0;
    // Where a source stands is counted by arrival, which in these arrays is their own order.
    for (const item of this.#items) {
      if (isTick(item)) {
        if (arrived >= start) yield item;
        continue;
      }
      const { ref, content } = item;
      const arrival = arrived++;
      if (arrival < start) continue;
      if (arrival === this.#breaksBefore) throw broken();
      const bytes = bytesOf(content);
      await budget.take(bytes, signal);
      this.given += 1;
      this.outstanding.add(arrival);
      const lease = leaseOf(content, bytes, () => {
        this.outstanding.delete(arrival);
        budget.give(bytes);
      });
      yield { ref, lease };
    }
    return { framesRead: arrived, complete: true, unreadable: [] };
  }
}

const bytesOf = (content: FrameContent): number =>
  content.form === 'encoded' ? content.encoded.bytes.byteLength : content.picture.data.byteLength;

export const broken = (): BlinkstreamError =>
  new BlinkstreamError('the test broke off here', { code: 'TEST_BROKEN', class: 'external', stage: 'source' });

/** The log as a process sees it that ends after so many commits. */
export const endingAfter = (log: ChangeLog, commits: number): ChangeLog => {
  let left = commits;
  return {
    epoch: log.epoch,
    commit: async (step) => {
      if (left === 0) throw broken();
      left -= 1;
      return log.commit(step);
    },
    checkpoint: (key) => log.checkpoint(key),
    read: (from) => log.read(from),
    earliest: (filter) => log.earliest(filter),
    change: (changeId) => log.change(changeId),
    changes: (options) => log.changes(options),
    contradicted: (options) => log.contradicted(options),
    blobs: log.blobs,
    probe: () => log.probe(),
    prune: (nowMs) => log.prune(nowMs),
    close: () => log.close(),
  };
};

/** A sequence as a worker saw it. */
export interface SeenSequence extends Pick<FrameSequence, 'ordinal' | 'trigger' | 'first' | 'last' | 'thinnedFrames'> {
  readonly settled: FrameSequence['settled'];
  /** Frame, role, and hash of its pixels. */
  readonly shown: readonly string[];
  readonly baseline: string | undefined;
}

const shownOf = async ({ ref, role, lease }: SequenceFrame<Lease>): Promise<string> => {
  if (lease === undefined) return `${ref.index} ${role ?? ''} without pixels`;
  const { type, data } = await pictureOf(lease.content());
  return `${ref.index} ${role ?? ''} ${createHash('sha256').update(type).update(data).digest('hex').slice(0, 8)}`;
};

export interface Workers {
  readonly reason: ReasonSequence;
  readonly capacity: number;
  readonly seen: SeenSequence[];
}

/** Workers that look at every picture they are given and answer by `answer`, after `turns` turns of the event loop. */
export function fakeWorkers(
  answer: (sequence: FrameSequence) => Reasoned | Promise<Reasoned> = () => reasonedOf([]),
  { capacity = 2, turns = () => 0 }: { capacity?: number; turns?: (sequence: FrameSequence) => number } = {},
): Workers {
  const seen: SeenSequence[] = [];
  const reason: ReasonSequence = async (sequence) => {
    for (let turn = turns(sequence); turn > 0; turn--) await setImmediate();
    const { ordinal, trigger, first, last, thinnedFrames, settled, frames, baseline } = sequence;
    const place =
      seen.push({ ordinal, trigger, first, last, thinnedFrames, settled, shown: [], baseline: undefined }) - 1;
    seen[place] = {
      ...seen[place],
      shown: await Promise.all(frames.filter((frame) => frame.role !== undefined).map(shownOf)),
      baseline: baseline && (await shownOf(baseline)),
    };
    return answer(sequence);
  };
  return { reason, capacity, seen };
}

export interface TopologyTestDriverOptions {
  readonly topology?: Topology<{ readonly source: Source }>;
  readonly log?: ChangeLog;
  readonly workers?: Workers;
  readonly budgetBytes?: number;
  readonly dismissals?: readonly Dismissal[];
}

/** A whole topology through `run`, over an array of frames, with workers and a log that live in memory. */
export class TopologyTestDriver {
  readonly log: ChangeLog;
  readonly workers: Workers;
  readonly late: FrameRef[] = [];
  /** Numbers of frames that could not be decoded. */
  readonly unreadable: number[] = [];
  readonly deadLetters: BlinkstreamError[] = [];
  /** Events by commit. */
  readonly commits: (readonly ChangeEvent[])[] = [];
  readonly #options: TopologyTestDriverOptions;

  constructor(options: TopologyTestDriverOptions = {}) {
    this.#options = options;
    this.log = options.log ?? memoryLog({ partitions: 1 });
    this.workers = options.workers ?? fakeWorkers();
  }

  /** Runs to the end of the source, or until it breaks off; then every lease must have come back exactly once. */
  async run(source: ArraySource, signal = new AbortController().signal): Promise<RunResult> {
    const { topology = watch, budgetBytes, dismissals } = this.#options;
    const running = run({
      topology,
      options: { source },
      source,
      log: this.log,
      workers: this.workers,
      ...(budgetBytes !== undefined && { budgetBytes }),
      ...(dismissals && { dismissals }),
      signal,
      listener: {
        late: (ref) => this.late.push(ref),
        unreadable: ({ index }) => this.unreadable.push(index),
        deadLetter: (error) => this.deadLetters.push(error),
        committed: (events) => this.commits.push(events),
      },
    });
    await Promise.allSettled([running]);
    // What was still being worked on when the run broke off, by encoders' threads too, is let come to its end.
    for (let turn = 0; turn < 1_000 && source.outstanding.size > 0; turn++) await setTimeout(2);
    if (source.outstanding.size > 0 || (source.budget?.inFlightBytes ?? 0) !== 0) {
      throw new Error(`leases of frames ${[...source.outstanding].join()} never came back`);
    }
    return running;
  }

  /** Every event in the log, in order. */
  async events(): Promise<ChangeEvent[]> {
    const events: ChangeEvent[] = [];
    const reading = this.log.read({ start: 'earliest', untilEnd: true, signal: new AbortController().signal });
    for await (const entry of reading) if (entry.type === 'event') events.push(entry.event);
    return events;
  }
}
