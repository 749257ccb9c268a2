import { describe, expect, it } from 'vitest';
import { measuredClaims } from '../../src/reasoning/measured/index.js';
import { gapClaim } from '../../src/reasoning/measured/gap.js';
import { sceneOf } from '../support/scenes.js';
import { trueClaims } from '../support/true-claims.js';

describe('what people read', () => {
  it.each(trueClaims)('%s', (says, story) => {
    const claims = measuredClaims(sceneOf(story));
    expect(claims.map(({ statement }) => statement)).toEqual(says);
    // Boxes and paths are told in whole pixels.
    for (const { before, after, path = [] } of claims) {
      const boxes = [before?.region, after?.region].flatMap((r) => (r ? [r.x, r.y, r.width, r.height] : []));
      expect([...boxes, ...path.flatMap(({ x, y }) => [x, y])].every(Number.isInteger)).toBe(true);
    }
  });

  it.each([
    [10_000, false, 'the connection was refused', 'No new picture has come for 10 s: the connection was refused.'],
    [12_300, true, 'nothing arrived for 10 s', 'No new picture came for 12 s: nothing arrived for 10 s.'],
    [4_250, true, 'the picture stood still', 'No new picture came for 4.3 s: the picture stood still.'],
    [3_725_000, true, 'nobody was reading', 'No new picture came for 62 min 5 s: nobody was reading.'],
  ])('%i ms without a picture (over: %s), because %s', (ms, over, reason, says) => {
    const at = (elapsedMs: number) => ({ frame: 7, timeMs: 1e12 + elapsedMs, elapsedMs });
    const { statement } = gapClaim({ trigger: 'gap', first: at(5_000), last: at(5_000 + ms), gap: { reason, over } });
    expect(statement).toBe(says);
  });
});
