import type { SceneEvidence } from '../../evidence/scene.js';
import type { Claim } from '../claim.js';
import { conditionClaims } from './conditions.js';
import { countClaims } from './counting.js';
import { lastingClaims } from './lasting.js';
import { passingClaims } from './passing.js';

/**
 * The reasoner that is always there: says in plain English what was measured, and nothing else. Models have named the
 * objects and read the words; where no class fits it says "object" with size and place.
 */
export const measuredClaims = (evidence: SceneEvidence): Claim[] => [
  ...lastingClaims(evidence),
  ...countClaims(evidence),
  ...passingClaims(evidence),
  ...conditionClaims(evidence),
];
