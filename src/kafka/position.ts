import { BlinkstreamError } from '../records/index.js';

/** Where a frame stands in Kafka: what its `Position.offset` holds. */
export interface KafkaOffset {
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
  /** Event time of the camera's first frame, in whole or fractional ms since the epoch: `elapsedMs` counts from it. */
  readonly firstMs: number;
  /** That of this frame. */
  readonly timeMs: number;
}

/** Kafka's rule for names of topics, which none of the marks between the parts breaks. */
const form =
  /^([A-Za-z0-9._-]{1,249})\/(\d{1,10})\/(\d{1,19})@(-?\d+(?:\.\d+)?(?:e[+-]?\d+)?) (-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)$/;

/** `frames/3/1234567@1700000000000 1700000002500`. */
export const formatKafkaOffset = ({ topic, partition, offset, firstMs, timeMs }: KafkaOffset): string =>
  `${topic}/${partition}/${offset}@${firstMs} ${timeMs}`;

/** @throws BlinkstreamError `POSITION_INVALID` (internal) where something else wrote it */
export function parseKafkaOffset(text: string): KafkaOffset {
  const [, topic, partition, offset, firstMs, timeMs] = form.exec(text) ?? [];
  if (topic === undefined) {
    throw new BlinkstreamError(`"${text}" is no position in a Kafka topic`, {
      code: 'POSITION_INVALID',
      class: 'internal',
      stage: 'source',
      hint: 'Give this topology another name, or remove its checkpoint: another kind of source wrote it.',
    });
  }
  return {
    topic,
    partition: Number(partition),
    offset: BigInt(offset),
    firstMs: Number(firstMs),
    timeMs: Number(timeMs),
  };
}
