import { clock, wallClock } from '../outputs/report/words.js';
import type { ChangeEvent, FramePoint } from '../records/index.js';
import { type Span, styled } from './terminal.js';

/** An event as one line: when, where, what. */
export function eventLine(event: ChangeEvent): Span[] {
  const { interval, phase, revision, source, statement, verification } = event;
  const isFirst = revision === 1;
  return [
    styled('dim', momentText(isFirst ? interval.first : interval.last)),
    '  ',
    styled('cyan', source),
    '  ',
    statement,
    ...(isFirst ? [] : [styled('dim', ` (${phase.toLowerCase()})`)]),
    ...(verification.verdict === 'SUPPORTED' ? [] : [styled('yellow', ` (${verification.verdict.toLowerCase()})`)]),
  ];
}

/** What differs between two screenshots as one line: where, and in how many more, what. */
export function differenceLine({ source, occurrences, statement, verification }: ChangeEvent): Span[] {
  const more = (occurrences?.length ?? 1) - 1;
  return [
    styled('cyan', source),
    ...(more === 0 ? [] : [styled('dim', ` and ${more} more`)]),
    '  ',
    statement,
    ...(verification.verdict === 'SUPPORTED' ? [] : [styled('yellow', ` (${verification.verdict.toLowerCase()})`)]),
  ];
}

/** Date and time of day where the source knows them, else the time since it began: `02:07.4`. */
export const momentText = (point: FramePoint): string => wallClock(point) ?? clock(point.elapsedMs);
