import { describe, expect, it } from 'vitest';
import { measuredClaims } from '../../src/reasoning/measured/index.js';
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
});
