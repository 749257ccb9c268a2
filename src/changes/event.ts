import type { ChangeEvent, Finding } from '../records/index.js';

/** What makes a finding an event. */
export type EventIdentity = Pick<
  ChangeEvent,
  'changeId' | 'revision' | 'phase' | 'topology' | 'source' | 'sequenceOrdinal' | 'reasoner'
>;

/** The event that tells `finding`. */
export const eventOf = (finding: Finding, { changeId, revision, phase, ...origin }: EventIdentity): ChangeEvent => ({
  eventId: `${changeId}/${revision}`,
  changeId,
  revision,
  phase,
  topology: origin.topology,
  source: origin.source,
  kind: finding.kind,
  ...(finding.condition !== undefined && { condition: finding.condition }),
  statement: finding.statement,
  subject: finding.subject,
  interval: finding.interval,
  ...(finding.before && { before: finding.before }),
  ...(finding.after && { after: finding.after }),
  ...(finding.shift && { shift: finding.shift }),
  ...(finding.path && { path: finding.path }),
  measures: finding.measures,
  pictures: finding.pictures,
  verification: finding.verification,
  sequenceOrdinal: origin.sequenceOrdinal,
  reasoner: origin.reasoner,
  ...(finding.zones && { zones: finding.zones }),
});

/** Of a source in a topology. */
export const changeIdOf = (topology: string, source: string, last: string | number): string =>
  `${topology}/${encodeURIComponent(source)}/${last}`;

/**
 * The contradicted claims of one sequence, each as the event that it would have been. Their ids are none of a change,
 * and the same whenever the sequence is reasoned over.
 */
export const contradictedEvents = (
  claims: readonly Finding[],
  origin: Pick<ChangeEvent, 'topology' | 'source' | 'sequenceOrdinal' | 'reasoner'>,
): ChangeEvent[] =>
  claims.map((claim, i) => {
    const changeId = changeIdOf(origin.topology, origin.source, `contradicted/${origin.sequenceOrdinal}.${i}`);
    return eventOf(claim, { ...origin, changeId, revision: 1, phase: 'STARTED' });
  });
