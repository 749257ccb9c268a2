import { BlinkstreamError, type Position } from '../../records/index.js';

/** What the `Position` of a pushed frame holds beside its sequence number, which is its `index`; ms since the epoch. */
export interface PushPosition {
  readonly eventTimeMs: number;
  /** Of the source's first frame. */
  readonly firstMs: number;
}

/** `pushed eventTimeMs firstMs` */
export const pushOffset = ({ eventTimeMs, firstMs }: PushPosition): string => `pushed ${eventTimeMs} ${firstMs}`;

/** @throws BlinkstreamError `SOURCE_CHANGED` (user) where it is the position of another kind of source */
export function pushPosition({ offset }: Position): PushPosition {
  const match = /^pushed (\d+(?:\.\d+)?) (\d+(?:\.\d+)?)$/.exec(offset);
  if (match !== null) return { eventTimeMs: Number(match[1]), firstMs: Number(match[2]) };
  throw new BlinkstreamError(`"${offset}", at which the last run stopped, is not the position of a pushed camera`, {
    code: 'SOURCE_CHANGED',
    class: 'user',
    stage: 'source',
    hint: 'the source was of another kind then: give it another name',
  });
}
