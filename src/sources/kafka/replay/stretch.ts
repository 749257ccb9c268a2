import { maxAheadMs } from '../../../kafka/frame-message.js';
import { BlinkstreamError } from '../../../records/index.js';
import type { TopicOffsets, Watermarks } from '../topic-offsets.js';

/** Where a replay begins (that one included) or ends (that one not): a moment of event time, or an offset. */
export type ReplayBound =
  | { readonly type: 'time'; readonly timeMs: number }
  /** Of the only partition there is where none is named. */
  | { readonly type: 'offset'; readonly offset: bigint; readonly partition?: number };

/** What of a topic is looked at again. Plain, so that it can be kept. */
export interface Stretch {
  /** Frames of before are left out. */
  readonly fromMs?: number;
  /** Frames of then or later are left out. */
  readonly toMs?: number;
  /** Messages from `first` to before `end`, by partition; fewer are read where `toMs` is passed for good. */
  readonly partitions: readonly PartitionStretch[];
}

export interface PartitionStretch {
  readonly partition: number;
  readonly first: bigint;
  readonly end: bigint;
  /** Messages before `first` have expired. */
  readonly isCut: boolean;
}

const moment = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)$/i;
const place = /^(?:(\d{1,9})\/)?(\d{1,18})$/;

/** `2026-01-31T08:30:00Z`, `1234`, or `2/1234` for partition 2; undefined for anything else. */
export function parseBound(text: string): ReplayBound | undefined {
  const [, partition, offset] = place.exec(text) ?? [];
  if (offset !== undefined) {
    return { type: 'offset', offset: BigInt(offset), ...(partition !== undefined && { partition: Number(partition) }) };
  }
  const timeMs = moment.test(text) ? Date.parse(text.toUpperCase()) : Number.NaN;
  return Number.isNaN(timeMs) ? undefined : { type: 'time', timeMs };
}

/**
 * The messages that hold the frames between two bounds; without `to`, all that are there now.
 *
 * Topics are in order of arrival, not of event time. A frame is no later than an hour after its own message (later ones
 * are refused), so what lies before the first message of an hour before `from` is not wanted for certain. How late frames may
 * come after they were taken nobody promises: see `ReplayPartition` for where the reading ends.
 * @throws BlinkstreamError `REPLAY_RANGE`, `SOURCE_EXPIRED` (user); what `offsets` throws
 */
export async function stretchOf(
  from: ReplayBound,
  to: ReplayBound | undefined,
  offsets: Pick<TopicOffsets, 'topic' | 'all' | 'at'>,
): Promise<Stretch> {
  const { topic } = offsets;
  const marks = await offsets.all();
  const only = partitionNamed([from, ...(to ? [to] : [])], [...marks.keys()], topic);
  const begins = from.type === 'time' ? await offsets.at(from.timeMs - maxAheadMs) : undefined;
  const partitions = [...marks]
    .filter(([partition]) => only === undefined || partition === only)
    .sort(([a], [b]) => a - b)
    .map(([partition, { low, high }]): PartitionStretch => {
      const begin = from.type === 'offset' ? from.offset : (begins?.get(partition) ?? low);
      const end = to?.type === 'offset' ? to.offset : high;
      if (from.type === 'offset') mustHold(begin, { topic, partition, low, high });
      if (to?.type === 'offset') mustHold(end, { topic, partition, low, high });
      return {
        partition,
        first: begin < low ? low : begin,
        end,
        isCut: from.type === 'time' && begin <= low && low > 0n,
      };
    });
  if (isBackwards(from, to)) throw refused('it ends before it begins', 'the end is not part of the stretch itself');
  return {
    ...(from.type === 'time' && { fromMs: from.timeMs }),
    ...(to?.type === 'time' && { toMs: to.timeMs }),
    partitions,
  };
}

/** The one partition that is looked at; undefined where it is all of them. */
function partitionNamed(bounds: readonly ReplayBound[], there: readonly number[], topic: string): number | undefined {
  const atOffsets = bounds.filter((bound) => bound.type === 'offset');
  if (atOffsets.length === 0) return undefined;
  const [partition, ...others] = new Set(atOffsets.flatMap(({ partition: named }) => named ?? []));
  if (others.length > 0) throw refused('its offsets are of different partitions', 'look at one partition at a time');
  if (partition === undefined) {
    if (there.length === 1) return there[0];
    throw refused(`topic ${topic} has ${there.length} partitions`, 'say of which an offset is: PARTITION/OFFSET');
  }
  if (there.includes(partition)) return partition;
  throw refused(`topic ${topic} has no partition ${partition}`, `it has ${there.length}, and they are counted from 0`);
}

function mustHold(
  offset: bigint,
  { topic, partition, low, high }: Watermarks & { readonly topic: string; readonly partition: number },
): void {
  if (offset < low) throw expiredBefore(low, { topic, partition });
  if (offset <= high) return;
  throw refused(`${topic}/${partition} ends before offset ${offset}`, `the next message will be at ${high}`);
}

const isBackwards = (from: ReplayBound, to: ReplayBound | undefined): boolean =>
  (from.type === 'time' && to?.type === 'time' && to.timeMs <= from.timeMs) ||
  (from.type === 'offset' && to?.type === 'offset' && to.offset <= from.offset);

export const expiredBefore = (
  low: bigint,
  { topic, partition }: { readonly topic: string; readonly partition: number },
): BlinkstreamError =>
  new BlinkstreamError(`messages of ${topic}/${partition} that were to be looked at again have expired`, {
    code: 'SOURCE_EXPIRED',
    class: 'user',
    stage: 'source',
    hint: `the earliest that is left is at ${partition}/${low}`,
  });

const refused = (problem: string, hint: string): BlinkstreamError =>
  new BlinkstreamError(`there is no such stretch: ${problem}`, {
    code: 'REPLAY_RANGE',
    class: 'user',
    stage: 'source',
    hint,
  });
