import { concat, defer, EMPTY, map, of, type OperatorFunction } from 'rxjs';
import { contradictedEvents } from '../../changes/event.js';
import { dismissed, dismissing, type Dismissal } from '../../changes/feedback.js';
import { Tracker, type TrackerOptions, type TrackerState } from '../../changes/tracker.js';
import type { Blob, ChangeEvent, Checkpoint, Finding } from '../../records/index.js';
import { pipelineContext, restoredState } from '../context.js';
import type { ReasonedSequence } from './reason.js';

/** What one sequence leads to; steps up to one with a checkpoint are committed together. */
export interface Step {
  readonly events: readonly ChangeEvent[];
  /** Pictures that the events or still open changes show. */
  readonly blobs: readonly Blob[];
  /** SHA-256 of the pictures of changes that may still be told again. */
  readonly openPictures: readonly string[];
  /** Claims that were not published. */
  readonly contradicted: readonly ChangeEvent[];
  /** The scene that the checkpoint names. */
  readonly settledScene?: Blob;
  readonly checkpoint?: Checkpoint;
}

/**
 * Gives findings identity over time; at the end of the source what still goes on ends. Findings that a person has dismissed
 * are kept as claims that are not published.
 */
export function track(
  options: Omit<TrackerOptions, 'topology' | 'source'> = {},
): OperatorFunction<ReasonedSequence, Step> {
  const context = pipelineContext('track');
  const tracker = new Tracker(
    { ...options, topology: context.topology, source: context.source.name },
    restoredState(context, 'track') as TrackerState | undefined,
  );
  const openPictures = (): string[] =>
    tracker.state.open.flatMap(({ finding }) => finding.pictures.map((picture) => picture.sha256));
  return (source) =>
    concat(
      source.pipe(
        map(({ reasoned, last, ordinal, checkpoint, settledScene }): Step => {
          const { told, refused } = withoutDismissed(reasoned.findings, context.dismissals);
          const events = tracker.push({
            findings: told,
            last,
            sequenceOrdinal: ordinal,
            reasoner: reasoned.reasoner,
          });
          return {
            events,
            blobs: namedBy(
              [...events.flatMap((event) => event.pictures.map((p) => p.sha256)), ...openPictures()],
              reasoned.blobs,
            ),
            openPictures: openPictures(),
            contradicted: contradictedEvents([...reasoned.contradicted, ...refused], {
              topology: context.topology,
              source: context.source.name,
              sequenceOrdinal: ordinal,
              reasoner: reasoned.reasoner,
            }),
            ...(settledScene && { settledScene }),
            ...(checkpoint && {
              checkpoint: { ...checkpoint, states: { ...checkpoint.states, track: tracker.snapshot() } },
            }),
          };
        }),
      ),
      defer(() =>
        context.report()?.suspended === true
          ? EMPTY
          : of<Step>({ events: tracker.end(), blobs: [], openPictures: [], contradicted: [] }),
      ),
    );
}

/** What is told, and what a person does not want to be told any more. */
function withoutDismissed(findings: readonly Finding[], dismissals: readonly Dismissal[]) {
  const [told, refused]: [Finding[], Finding[]] = [[], []];
  for (const finding of findings) {
    const dismissal = dismissing(finding, dismissals);
    if (dismissal === undefined) told.push(finding);
    else refused.push(dismissed(finding, dismissal));
  }
  return { told, refused };
}

/** Pictures that nothing shows need not be stored. */
function namedBy(names: readonly string[], blobs: readonly Blob[]): Blob[] {
  const named = new Set(names);
  return blobs.filter((blob) => named.has(blob.sha256));
}
