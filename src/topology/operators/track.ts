import { concat, defer, EMPTY, map, of, type OperatorFunction } from 'rxjs';
import { contradictedEvents } from '../../changes/event.js';
import { dismissed, dismissing, type Dismissal } from '../../changes/feedback.js';
import { Tracker, type TrackerOptions, type TrackerState } from '../../changes/tracker.js';
import type { Blob, ChangeEvent, Checkpoint, Finding } from '../../records/index.js';
import { pipelineContext, restoredState } from '../context.js';
import type { SettledScene } from '../settled-scene.js';
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
  readonly settledScene?: SettledScene;
  readonly checkpoint?: Checkpoint;
}

/**
 * Gives findings identity over time; at the end of the source what still goes on ends. Findings that a person has dismissed
 * are kept as claims that are not published. Changes that lie outside of the source's schedule are counted instead of told.
 */
export function track(
  options: Omit<TrackerOptions, 'topology' | 'source' | 'schedule'> = {},
): OperatorFunction<ReasonedSequence, Step> {
  const context = pipelineContext('track');
  const tracker = new Tracker(
    { ...options, topology: context.topology, source: context.source.name, schedule: context.source.schedule },
    restoredState(context, 'track') as TrackerState | undefined,
  );
  const told = (make: () => ChangeEvent[]): ChangeEvent[] => {
    const before = tracker.state.heldBack;
    const events = make();
    if (tracker.state.heldBack > before) context.listener.heldBack?.(tracker.state.heldBack - before);
    return events;
  };
  const openPictures = (): string[] =>
    tracker.state.open.flatMap(({ finding }) => finding.pictures.map((picture) => picture.sha256));
  return (source) =>
    concat(
      source.pipe(
        map(({ reasoned, last, ordinal, checkpoint, settledScene }): Step => {
          const { kept, refused } = withoutDismissed(reasoned.findings, context.dismissals);
          const { reasoner } = reasoned;
          const events = told(() => tracker.push({ findings: kept, last, sequenceOrdinal: ordinal, reasoner }));
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
              reasoner,
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
          : of<Step>({ events: told(() => tracker.end()), blobs: [], openPictures: [], contradicted: [] }),
      ),
    );
}

/** What is kept on with, and what a person does not want to be told any more. */
function withoutDismissed(findings: readonly Finding[], dismissals: readonly Dismissal[]) {
  const [kept, refused]: [Finding[], Finding[]] = [[], []];
  for (const finding of findings) {
    const dismissal = dismissing(finding, dismissals);
    if (dismissal === undefined) kept.push(finding);
    else refused.push(dismissed(finding, dismissal));
  }
  return { kept, refused };
}

/** Pictures that nothing shows need not be stored. */
function namedBy(names: readonly string[], blobs: readonly Blob[]): Blob[] {
  const named = new Set(names);
  return blobs.filter((blob) => named.has(blob.sha256));
}
