import { memoryLog } from '../../../src/log/memory.js';
import type { ChangeLog } from '../../../src/log/index.js';
import { isTick, type FrameRef } from '../../../src/records/index.js';
import { ByteBudget } from '../../../src/sources/budget.js';
import type { Fed } from '../../../src/sources/feed.js';
import { kafkaReplay, type KafkaReplayOptions } from '../../../src/sources/kafka/replay/feed.js';
import type { SourceReport } from '../../../src/sources/index.js';

export interface Replayed {
  /** By camera, as they were read. */
  readonly frames: ReadonlyMap<string, readonly FrameRef[]>;
  readonly reports: ReadonlyMap<string, SourceReport>;
  /** Where what was no frame stands. */
  readonly passedOver: readonly string[];
}

/**
 * Runs a replay with the simplest pipeline there is: each frame is one commit, that names it as done.
 * @param work what a test makes of a frame before it is committed
 */
export async function replayed(
  options: Omit<KafkaReplayOptions<ChangeLog>, 'committer' | 'listener'>,
  {
    log = memoryLog({ partitions: 1 }),
    work = () => undefined,
    signal = new AbortController().signal,
  }: { log?: ChangeLog; work?: (ref: FrameRef) => Promise<void> | void; signal?: AbortSignal } = {},
): Promise<Replayed> {
  const frames = new Map<string, FrameRef[]>();
  const reports = new Map<string, SourceReport>();
  const passedOver: string[] = [];
  const feed = kafkaReplay({
    ...options,
    committer: log,
    listener: { passedOver: (where, { code }) => passedOver.push(`${where}: ${code}`) },
  });
  const pipeline = async ({ source, committer }: Fed<ChangeLog>): Promise<void> => {
    const { name } = source;
    const refs: FrameRef[] = [];
    frames.set(name, refs);
    const from = (await committer.checkpoint(name))?.positions[name];
    const reading = source.read({ budget: new ByteBudget(8 << 20), signal, ...(from && { from }) });
    for (;;) {
      const step = await reading.next();
      if (step.done === true) {
        reports.set(name, step.value);
        return;
      }
      if (isTick(step.value)) throw new Error('a replay has no clock');
      const { ref, lease } = step.value;
      try {
        await work(ref);
      } finally {
        lease.release();
      }
      refs.push(ref);
      const checkpoint = { states: {}, positions: { [name]: { ...ref.position, after: true } as const } };
      await committer.commit({ key: name, events: [], contradicted: [], blobs: [], checkpoint });
    }
  };
  const running: Promise<void>[] = [];
  for await (const fed of feed.sources(signal)) {
    running.push(
      pipeline(fed).then(
        () => fed.ended(),
        (error: unknown) => fed.ended(error),
      ),
    );
  }
  await Promise.all(running);
  return { frames, reports, passedOver };
}
