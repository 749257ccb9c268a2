import { BlinkstreamError, type Position } from '../../records/index.js';

/** What a live `Position` holds: when the picture came, and when the first of the source did; ms since the epoch. */
export interface LivePosition {
  readonly eventTimeMs: number;
  readonly firstMs: number;
}

/** `eventTimeMs@firstMs` */
export const liveOffset = ({ eventTimeMs, firstMs }: LivePosition): string => `${eventTimeMs}@${firstMs}`;

/** @throws BlinkstreamError `SOURCE_CHANGED` (user) where it is the position of another kind of source */
export function livePosition({ offset }: Position): LivePosition {
  const match = /^(\d+(?:\.\d+)?)@(\d+(?:\.\d+)?)$/.exec(offset);
  if (match !== null) return { eventTimeMs: Number(match[1]), firstMs: Number(match[2]) };
  throw new BlinkstreamError(`"${offset}", at which the last run stopped, is not the position of a live stream`, {
    code: 'SOURCE_CHANGED',
    class: 'user',
    stage: 'source',
    hint: 'the source was of another kind then: give it another name',
  });
}
