import type { SceneEvidence } from '../../evidence/scene.js';
import type { Check, Verification } from '../../records/index.js';
import type { Claim } from '../claim.js';
import { activityChecks } from './activity.js';
import { conditionChecks } from './condition.js';
import { countingChecks } from './counting.js';
import { countCheck, nameCheck } from './naming.js';
import { colorCheck, directionCheck, intervalCheck, lookCheck, moveCheck, regionCheck, textCheck } from './lasting.js';
import { statementCheck } from './statement.js';

/**
 * Holds a claim against the measurements, whoever made it. One contradicted check contradicts the claim; it is supported
 * when every check agrees.
 */
export function verify(claim: Claim, evidence: SceneEvidence): Verification {
  const checks = [
    ...checksOf(claim, evidence),
    ...nameCheck(claim, evidence),
    ...countCheck(claim, evidence),
    statementCheck(claim, evidence),
  ];
  if (checks.some((c) => c.verdict === 'CONTRADICTED')) return { verdict: 'CONTRADICTED', checks };
  return { verdict: checks.every((c) => c.verdict === 'SUPPORTED') ? 'SUPPORTED' : 'UNVERIFIED', checks };
}

function checksOf(claim: Claim, evidence: SceneEvidence): Check[] {
  switch (claim.kind) {
    case 'CONDITION':
      return conditionChecks(claim, evidence);
    case 'ACTIVITY':
      return activityChecks(claim, evidence);
    case 'APPEARED':
    case 'DISAPPEARED':
      return [...lasting(claim, evidence), directionCheck(claim, evidence)];
    case 'COUNT_CHANGED':
      return countingChecks(claim, evidence);
    case 'TEXT_CHANGED':
      return [...lasting(claim, evidence), textCheck(claim, evidence)];
    case 'MOVED':
      return [...lasting(claim, evidence), moveCheck(claim, evidence)];
    case 'REPLACED':
    case 'RECOLORED':
      return [...lasting(claim, evidence), lookCheck(claim, evidence)];
    case 'RESIZED':
    case 'RESTYLED':
    case 'LAYOUT_SHIFTED':
    case 'TREND':
    case 'ONSET':
      return [{ name: 'kind', verdict: 'UNVERIFIED', detail: `no measurement of a scene speaks for ${claim.kind}` }];
  }
}

const lasting = (claim: Claim, evidence: SceneEvidence): Check[] => [
  regionCheck(claim, evidence),
  intervalCheck(claim, evidence),
  colorCheck(claim, evidence),
];
