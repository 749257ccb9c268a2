import { describe, expect, it } from 'vitest';
import { measuredClaims } from '../../src/reasoning/measured/index.js';
import { statementCheck } from '../../src/reasoning/verification/statement.js';
import { zonesTouched } from '../../src/reasoning/verification/zones.js';
import type { Zone } from '../../src/records/index.js';
import { box, sceneOf, thing, trackOf, type Story } from '../support/scenes.js';

const at = (name: string, left: number, top: number, right: number, bottom: number): Zone => ({
  name,
  use: 'name',
  polygon: [
    [left, top],
    [right, top],
    [right, bottom],
    [left, bottom],
  ],
});
const zones = [at('desk', 0, 0.5, 0.5, 1), at('left-door.2', 0.5, 0, 1, 1)];
const red = { colour: [200, 60, 50] as const };
const bottle = box(60, 150, 30, 60);

const stories: readonly (readonly [says: string, touches: readonly string[], story: Story])[] = [
  [
    'A bottle appeared in zone desk.',
    ['desk'],
    { before: {}, after: { boxes: [{ ...bottle, ...red }] }, objects: { after: [thing('bottle', bottle)] }, zones },
  ],
  [
    'The object of about 32 × 62 px in zone desk is gone.',
    ['desk'],
    { before: { boxes: [{ ...bottle, ...red }] }, after: {}, zones },
  ],
  [
    'Something in zone desk moved to the right and was last seen in zone left-door.2 after 0.8 s.',
    ['desk', 'left-door.2'],
    { tracks: [trackOf([box(60, 150, 30, 50), box(220, 150, 30, 50)])], zones },
  ],
];

describe('places with names', () => {
  it.each(stories)('%s', (says, touches, story) => {
    const evidence = sceneOf(story);
    const [claim, ...further] = measuredClaims(evidence);
    expect(further).toEqual([]);
    expect(claim.statement).toBe(says);
    expect(statementCheck(claim, evidence)).toMatchObject({ verdict: 'SUPPORTED' });
    expect(zonesTouched(claim, evidence).sort()).toEqual([...touches].sort());
  });

  it('are held against where the thing was, and against there being such a place', () => {
    const [, , story] = stories[0];
    const evidence = sceneOf(story);
    const [claim] = measuredClaims(evidence);
    const check = (statement: string) => statementCheck({ ...claim, statement }, evidence);
    expect(check('A bottle appeared in zone left-door.2.')).toMatchObject({ verdict: 'CONTRADICTED' });
    expect(check('A bottle appeared in zone shelf.')).toMatchObject({ verdict: 'CONTRADICTED' });
    expect(check('A bottle appeared at the lower left.')).toMatchObject({ verdict: 'SUPPORTED' });
  });
});
