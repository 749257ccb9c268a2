import type { SceneEvidence } from '../../evidence/scene.js';
import type { Check, Verification } from '../../records/index.js';
import type { Claim } from '../claim.js';
import {
  activityChecks,
  colorCheck,
  conditionChecks,
  directionCheck,
  lastingIntervalCheck,
  regionCheck,
  shiftCheck,
  textCheck,
} from './checks.js';
import { statementCheck } from './words-check.js';

/**
 * Holds a claim against the measurements, whoever made it. One contradicted check contradicts the claim; a claim is
 * supported when nothing contradicts it and the check of what it is about (`region`, or `cause`) and of its moment agree.
 */
export function verify(claim: Claim, evidence: SceneEvidence): Verification {
  const checks = [...checksOf(claim, evidence), statementCheck(claim, evidence)];
  if (checks.some((c) => c.verdict === 'CONTRADICTED')) return { verdict: 'CONTRADICTED', checks };
  const essential = checks.filter((c) => c.name !== 'color');
  return { verdict: essential.every((c) => c.verdict === 'SUPPORTED') ? 'SUPPORTED' : 'UNVERIFIED', checks };
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
    case 'TEXT_CHANGED':
      return [...lasting(claim, evidence), textCheck(claim, evidence)];
    case 'MOVED':
      return [...lasting(claim, evidence), shiftCheck(claim)];
    case 'REPLACED':
    case 'RECOLORED':
    case 'RESIZED':
    case 'RESTYLED':
      return lasting(claim, evidence);
    case 'LAYOUT_SHIFTED':
    case 'TREND':
    case 'ONSET':
    case 'COUNT_CHANGED':
      return [{ name: 'region', verdict: 'UNVERIFIED', detail: `no measurement of a scene speaks for ${claim.kind}` }];
  }
}

const lasting = (claim: Claim, evidence: SceneEvidence): Check[] => [
  regionCheck(claim, evidence),
  lastingIntervalCheck(claim, evidence),
  colorCheck(claim, evidence),
];
