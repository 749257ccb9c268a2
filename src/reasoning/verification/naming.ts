import type { SceneEvidence } from '../../evidence/scene.js';
import type { Check } from '../../records/index.js';
import type { Claim } from '../claim.js';
import { check, held } from './check.js';
import { observedAt } from './lasting.js';

/** What the measured description calls a thing without saying what it is. */
const nameless = new Set(['object', 'text', 'picture']);

/** Is it that thing? The detector knows 80 classes: where it sees none of them, a name is neither right nor wrong. */
export function nameCheck(claim: Claim, evidence: SceneEvidence): Check[] {
  const { label } = claim.subject;
  if (nameless.has(label) || claim.kind === 'COUNT_CHANGED') return [];
  const seen = seenLabel(claim, evidence);
  if (seen === undefined) return [check('name', 'UNVERIFIED', 'the detector knows no thing there')];
  return [held('name', seen === label, `the detector sees a ${seen}`)];
}

function seenLabel({ kind, before, after, identity }: Claim, evidence: SceneEvidence): string | undefined {
  if (kind === 'ACTIVITY') return evidence.tracks.find((track) => track.id === identity.trackId)?.object?.label;
  const held = kind === 'DISAPPEARED' || kind === 'MOVED' ? 'before' : 'after';
  const own = observedAt((held === 'before' ? before : after)?.region, evidence);
  return own?.object[held]?.label;
}

/** Are there so many in the picture? Of a crowd its own checks tell. */
export function countCheck(claim: Claim, { objects }: SceneEvidence): Check[] {
  const measure = claim.measures.find((m) => m.unit === 'count');
  if (measure === undefined || claim.kind === 'COUNT_CHANGED') return [];
  const [before, after] = [objects.before, objects.after].map(
    (seen) => seen.filter((o) => o.label === claim.subject.label).length,
  );
  return [held('count', measure.before === before && measure.after === after, `counted ${before} and ${after}`)];
}
