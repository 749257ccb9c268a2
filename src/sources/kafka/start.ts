import { setTimeout as pause } from 'node:timers/promises';
import { BlinkstreamError } from '../../records/index.js';
import type { TopicOffsets } from './topic-offsets.js';

/** Where a partition is read from; `expired`: what should have been read first is gone, `from` there where it is known. */
export interface Start {
  readonly offset: bigint;
  readonly expired?: { readonly from: bigint | undefined };
}

/** What `kafkajs` commits where it finds an offset expired: its word for "the earliest". */
const JUMPED = -2n;

/**
 * Where the group stands. A group that begins, which has committed -1, reads from the earliest message that there is.
 * @throws BlinkstreamError `SOURCE_CHANGED` (user), and what the broker's answers throw
 */
export async function startOf(offsets: TopicOffsets, partition: number, signal: AbortSignal): Promise<Start> {
  const committed = await offsets.committed(partition);
  const { low } = await offsets.watermarks(partition);
  if (committed === JUMPED) return { offset: low, expired: { from: undefined } };
  if (committed >= 0n && committed < low) return { offset: low, expired: { from: committed } };
  if (committed <= low) return { offset: low };
  await mustReach(committed, { offsets, partition, signal });
  return { offset: committed };
}

/** How long a new leader may not know its own end. */
const UNSURE_MS = 5_000;
const ASK_EVERY_MS = 500;

/** @throws BlinkstreamError `SOURCE_CHANGED` (user) where the partition ends before `offset`: it was made anew or cut */
export async function mustReach(
  offset: bigint,
  { offsets, partition, signal }: { offsets: TopicOffsets; partition: number; signal: AbortSignal },
): Promise<void> {
  for (let waitedMs = 0; waitedMs <= UNSURE_MS; waitedMs += ASK_EVERY_MS) {
    const { high } = await offsets.watermarks(partition);
    if (high >= offset) return;
    await pause(ASK_EVERY_MS, undefined, { signal });
  }
  throw new BlinkstreamError(`${offsets.topic}/${partition} ends before offset ${offset}, up to which it was read`, {
    code: 'SOURCE_CHANGED',
    class: 'user',
    stage: 'source',
    hint: 'the topic was made anew or cut: read it with another group, which begins anew',
  });
}
