import { describe, expect, it } from 'vitest';
import { reversalOf } from '../../src/changes/identity.js';
import { mergeActivity } from '../../src/changes/merging.js';
import { measuredClaims } from '../../src/reasoning/measured/index.js';
import type { Finding } from '../../src/records/index.js';
import { activityOf, during, findingOf, somewhere } from '../support/findings.js';
import { box, sceneOf, thing, trackOf } from '../support/scenes.js';

describe('an activity told in parts', () => {
  const way = [box(0, 100, 16, 30), box(304, 100, 16, 30)];
  const told = (label: string | undefined, confidence: number, ongoing: boolean): Finding => {
    const object = label === undefined ? {} : { object: thing(label, way[0], confidence) };
    const [claim] = measuredClaims(sceneOf({ tracks: [trackOf(way, { ...object, ongoing })] }));
    return findingOf({ ...claim });
  };

  it.each([
    ['the name that was known before', told('person', 0.6, true), told(undefined, 0, false), 'A person'],
    ['the name that came later', told(undefined, 0, true), told('car', 0.5, false), 'A car'],
    ['the surer of two names', told('umbrella', 0.7, true), told('kite', 0.4, false), 'An umbrella'],
    ['no name where there was none', told(undefined, 0, true), told(undefined, 0, false), 'Something'],
  ])('has the newest account under %s', (_, before, now, who) => {
    const merged = mergeActivity(before, now);
    expect(merged.statement).toBe(`${who} crossed the picture from left to right in 0.8 s.`);
    expect(merged.subject).toEqual(now.subject.confidence > before.subject.confidence ? now.subject : before.subject);
  });

  it('keeps an account that a reasoner words in its own way', () => {
    const before = activityOf(1, 0, 10, { subject: { label: 'person', description: 'person', confidence: 0.9 } });
    const statement = 'In the middle, somebody walked by.';
    expect(mergeActivity(before, activityOf(1, 10, 20, { statement })).statement).toBe(statement);
  });
});

describe('a change that is taken back', () => {
  const bottle = { label: 'bottle', description: 'left of three bottles', confidence: 0.6 };
  const text = { label: 'text', description: 'text at the top', confidence: 0.9 };
  const car = { label: 'car', description: 'car at the left', confidence: 0.6 };
  const side = (part: { text?: string; color?: string }) => ({ region: somewhere, ...part });

  it.each<[string, Partial<Finding>, Partial<Finding>]>([
    [
      'The left of three bottles is back after 4.0 s.',
      { kind: 'DISAPPEARED', subject: bottle },
      { kind: 'APPEARED', subject: { ...bottle, description: 'bottle at the left' } },
    ],
    [
      'The left of three bottles is gone again after 4.0 s.',
      { kind: 'APPEARED', subject: bottle },
      { kind: 'DISAPPEARED', subject: bottle },
    ],
    [
      'The text at the top reads "OPEN" again after 4.0 s.',
      { kind: 'TEXT_CHANGED', subject: text, before: side({ text: 'OPEN' }), after: side({ text: 'CLOSED' }) },
      { kind: 'TEXT_CHANGED', subject: text, before: side({ text: 'CLOSED' }), after: side({ text: 'OPEN' }) },
    ],
    [
      'The car at the left has its old colour again after 4.0 s.',
      { kind: 'RECOLORED', subject: car, before: side({ color: '#b02020' }), after: side({ color: '#2020b0' }) },
      { kind: 'RECOLORED', subject: car, before: side({ color: '#2020b0' }), after: side({ color: '#a82828' }) },
    ],
  ])('says so: %s', (says, known, found) => {
    const [before, after] = [
      findingOf({ ...known, interval: during(0, 10) }),
      findingOf({ ...found, interval: during(100, 110) }),
    ];
    expect(reversalOf(before, after)).toMatchObject({ statement: says, interval: during(0, 110) });
  });

  it('is none where a third colour came', () => {
    const painted = (from: string, to: string) =>
      findingOf({ kind: 'RECOLORED', subject: car, before: side({ color: from }), after: side({ color: to }) });
    expect(reversalOf(painted('#b02020', '#2020b0'), painted('#2020b0', '#20b020'))).toBeUndefined();
  });
});
