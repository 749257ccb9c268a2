import type { Models } from '../evidence/models.js';
import { observeScene } from '../evidence/scene.js';
import { BlinkstreamError, type Finding } from '../records/index.js';
import type { ReasonSequence } from './index.js';
import { interfaceFindings } from './interface/findings.js';
import { measuredClaims } from './measured/index.js';
import { PictureMaker } from './pictures.js';
import { verify } from './verification/index.js';
import { zonesTouched } from './verification/zones.js';

/** Reasoners by name. Each turns what was measured into claims; verification is the same for all. */
export const reasoners = { measured: measuredClaims } as const;

/**
 * What runs in a worker: evidence, reasoner, verification, over models that are open.
 */
export function reasonWith(models: Models): ReasonSequence {
  return async (sequence, { reasoner, signal }) => {
    const startedMs = performance.now();
    if (!(reasoner in reasoners)) {
      throw new BlinkstreamError(`there is no reasoner "${reasoner}"`, {
        code: 'REASONER_UNKNOWN',
        class: 'user',
        stage: 'reason',
        hint: `choose one of: ${Object.keys(reasoners).join(', ')}`,
        exitCode: 2,
      });
    }
    if (sequence.trigger === 'pair') {
      const told = await interfaceFindings(sequence, models, signal);
      return { ...told, reasoner, elapsedMs: performance.now() - startedMs };
    }
    const evidence = await observeScene(sequence, models, signal);
    const pictures = new PictureMaker();
    const findings: Finding[] = [];
    const contradicted: Finding[] = [];
    for (const made of reasoners[reasoner as keyof typeof reasoners](evidence)) {
      const zones = zonesTouched(made, evidence);
      const claim = zones.length > 0 ? { ...made, zones } : made;
      const verification = verify(claim, evidence);
      if (verification.verdict === 'CONTRADICTED') {
        contradicted.push({ ...claim, verification, pictures: [] });
      } else {
        findings.push({ ...claim, verification, pictures: await pictures.forClaim(claim, evidence) });
      }
    }
    return { findings, contradicted, blobs: pictures.blobs, reasoner, elapsedMs: performance.now() - startedMs };
  };
}
