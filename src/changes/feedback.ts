import type { ChangeEvent, ChangeKind, Finding } from '../records/index.js';
import { boxOf, mayBe, samePlace } from './identity.js';

/** A change of which a person has said that it is none. */
export type Dismissal = Pick<
  ChangeEvent,
  'changeId' | 'source' | 'kind' | 'condition' | 'subject' | 'before' | 'after' | 'statement'
>;

export const dismissalOf = (event: ChangeEvent): Dismissal => {
  const { changeId, source, kind, condition, subject, before, after, statement } = event;
  return {
    ...{ changeId, source, kind, subject, statement },
    ...(condition && { condition }),
    ...(before && { before }),
    ...(after && { after }),
  };
};

/** What comes and what goes again is one thing to a person. */
const comesOrGoes: readonly ChangeKind[] = ['APPEARED', 'DISAPPEARED'];

/**
 * The dismissal that holds for a finding: of a change of that kind, at that place (boxes overlap by 0.3 of their union, or
 * one holds 0.7 of the other), of a thing that may be called the same. Conditions are of the whole picture: their cause
 * decides.
 */
export const dismissing = (finding: Finding, dismissals: readonly Dismissal[]): Dismissal | undefined =>
  dismissals.find((known) => {
    const isKind =
      known.kind === finding.kind || (comesOrGoes.includes(known.kind) && comesOrGoes.includes(finding.kind));
    if (!isKind || known.condition !== finding.condition) return false;
    if (finding.kind === 'CONDITION') return true;
    return samePlace(boxOf(known), boxOf(finding)) && mayBe(known, finding);
  });

/** The finding as a claim that is kept and not published, with the reason. */
export const dismissed = (finding: Finding, { changeId }: Dismissal): Finding => ({
  ...finding,
  pictures: [],
  verification: {
    verdict: 'CONTRADICTED',
    checks: [
      ...finding.verification.checks,
      { name: 'feedback', verdict: 'CONTRADICTED', detail: `a person has said of ${changeId} that it is no change` },
    ],
  },
});
