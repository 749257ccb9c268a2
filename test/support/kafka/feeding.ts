import { memoryLog } from '../../../src/log/memory.js';
import type { ChangeLog, Committer } from '../../../src/log/index.js';
import { plainLanes } from '../../../src/log/plain-lane.js';
import {
  isTick,
  type BlinkstreamError,
  type DeadLetter,
  type FrameRef,
  type Tick,
} from '../../../src/records/index.js';
import { ByteBudget } from '../../../src/sources/budget.js';
import type { Fed } from '../../../src/sources/feed.js';
import { kafkaFeed, type KafkaFeed, type KafkaFeedOptions } from '../../../src/sources/kafka/feed.js';
import type { Lane, OpenLane } from '../../../src/sources/kafka/lane.js';

export type PlainLane = Lane & Committer;

/** What a test makes of a frame before it is committed: waits, throws, keeps. */
export type Work = (ref: FrameRef) => Promise<void> | void;

/**
 * Runs a feed with the simplest pipeline there is: each frame is one commit, that names it as done. What the log has
 * committed is what counts: `committed` tells it, in order for each camera.
 */
export class Feeding {
  readonly log: ChangeLog;
  readonly letters: DeadLetter[] = [];
  readonly problems: string[] = [];
  readonly errors: BlinkstreamError[] = [];
  readonly assigned: (readonly number[])[] = [];
  readonly expired: string[] = [];
  /** As they were committed, by camera. */
  readonly committed = new Map<string, FrameRef[]>();
  readonly ticks = new Map<string, Tick[]>();
  /** The commits that were refused because the partition was lost. */
  refused = 0;
  readonly feed: KafkaFeed<PlainLane>;
  /** Resolves when the feed has ended; rejects by what ended it. */
  readonly ended: Promise<void>;
  readonly #stop = new AbortController();
  readonly #running = new Set<Promise<void>>();

  constructor(
    options: Omit<KafkaFeedOptions<PlainLane>, 'lanes' | 'listener'>,
    {
      log = memoryLog({ partitions: 1 }),
      work = () => undefined,
      lanes,
    }: { log?: ChangeLog; work?: Work; lanes?: OpenLane<PlainLane> } = {},
  ) {
    this.log = log;
    this.feed = kafkaFeed({
      idleMs: 500,
      sessionTimeoutMs: 1_500,
      handOverMs: 2_000,
      ...options,
      lanes:
        lanes ??
        plainLanes({
          log,
          divert: (letters) => {
            this.letters.push(...letters);
            return Promise.resolve();
          },
        }),
      listener: {
        assigned: (partitions) => this.assigned.push(partitions),
        problem: (error) => this.#trouble(error),
        crashed: (error) => this.#trouble(error),
        expired: (partition, from, before) => this.expired.push(`${partition}: ${from} to ${before}`),
      },
    });
    this.ended = this.#run(work);
    // A test that expects no end need not look at it.
    this.ended.catch(() => undefined);
  }

  framesOf(camera: string): readonly FrameRef[] {
    return this.committed.get(camera) ?? [];
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.ended;
  }

  #trouble(error: BlinkstreamError): void {
    this.errors.push(error);
    this.problems.push(error.message);
  }

  async #run(work: Work): Promise<void> {
    for await (const fed of this.feed.sources(this.#stop.signal)) {
      const running = this.#pipeline(fed, work).then(
        () => fed.ended(),
        (error: unknown) => fed.ended(fed.lost.aborted ? undefined : error),
      );
      this.#running.add(running);
      void running.finally(() => this.#running.delete(running));
    }
    await Promise.all(this.#running);
  }

  async #pipeline({ source, committer, lost }: Fed<PlainLane>, work: Work): Promise<void> {
    const key = `test/${source.name}`;
    const from = (await committer.checkpoint(key))?.positions[source.name];
    const budget = new ByteBudget(8 << 20);
    const reading = source.read({ budget, signal: lost, ...(from && { from }) });
    for (;;) {
      const step = await reading.next();
      if (step.done === true) return;
      if (isTick(step.value)) {
        listIn(this.ticks, source.name).push(step.value);
        continue;
      }
      const { ref, lease } = step.value;
      try {
        await work(ref);
      } finally {
        lease.release();
      }
      const position = { ...ref.position, after: true } as const;
      const checkpoint = { states: {}, positions: { [source.name]: position } };
      try {
        await committer.commit({ key, events: [], contradicted: [], blobs: [], checkpoint });
      } catch (error) {
        this.refused += 1;
        throw error;
      }
      listIn(this.committed, source.name).push(ref);
      source.committed?.(position);
    }
  }
}

function listIn<T>(map: Map<string, T[]>, key: string): T[] {
  const list = map.get(key) ?? [];
  map.set(key, list);
  return list;
}
