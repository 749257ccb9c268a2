import type { ChangeEvent } from '../../records/index.js';
import { causeWords, kindWords } from './words.js';

/** The lanes of the timeline, and the sections that cards fall into. */
export type Lane = 'change' | 'activity' | 'condition';

/** One change as the page tells it. */
export interface Story {
  /** Fragment of the page at which its card stands. */
  readonly id: string;
  readonly lane: Lane;
  /** What the filter calls it. */
  readonly kindWord: string;
  /** Colour of its card and mark: one of the style sheet's tones. */
  readonly tone: 'came' | 'went' | 'other' | 'activity' | 'condition';
  readonly last: ChangeEvent;
  /** Its revisions in order; `steps.at(-1) === last`. */
  readonly steps: readonly ChangeEvent[];
  readonly fromMs: number;
  /** Absent where it had not ended when the report was written. */
  readonly toMs?: number;
}

/** Tells every change, in order of its beginning. Changes without a revision are none. */
export function tell(changes: readonly (readonly ChangeEvent[])[]): Story[] {
  return changes
    .flatMap((revisions) => {
      const steps = [...revisions].sort((a, b) => a.revision - b.revision);
      const last = steps.at(-1);
      return last === undefined ? [] : [{ steps, last }];
    })
    .sort((a, b) => a.last.interval.first.elapsedMs - b.last.interval.first.elapsedMs)
    .map(({ steps, last }, i) => ({
      id: `change-${i + 1}`,
      lane: laneOf(last),
      kindWord: last.condition === undefined ? kindWords[last.kind] : causeWords[last.condition],
      tone: toneOf(last),
      last,
      steps,
      fromMs: last.interval.first.elapsedMs,
      ...(last.phase === 'ENDED' && { toMs: last.interval.last.elapsedMs }),
    }));
}

const laneOf = ({ kind }: ChangeEvent): Lane =>
  kind === 'CONDITION' ? 'condition' : kind === 'ACTIVITY' ? 'activity' : 'change';

function toneOf({ kind }: ChangeEvent): Story['tone'] {
  if (kind === 'CONDITION') return 'condition';
  if (kind === 'ACTIVITY') return 'activity';
  if (kind === 'APPEARED') return 'came';
  return kind === 'DISAPPEARED' ? 'went' : 'other';
}
