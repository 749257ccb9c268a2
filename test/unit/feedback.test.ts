import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { eventOf } from '../../src/changes/event.js';
import { dismissalOf, dismissed, dismissing, type Dismissal } from '../../src/changes/feedback.js';
import { readFeedback, writeFeedback } from '../../src/log/feedback.js';
import type { Finding } from '../../src/records/index.js';
import { conditionOf, findingOf, somewhere } from '../support/findings.js';

const said = (finding: Finding): Dismissal[] => [
  dismissalOf(
    eventOf(finding, {
      ...{ changeId: 'watch/yard/7', revision: 1, phase: 'STARTED', topology: 'watch', source: 'yard' },
      ...{ sequenceOrdinal: 3, reasoner: 'measured' },
    }),
  ),
];
const named = (label: string, part: Partial<Finding> = {}): Finding =>
  findingOf({ subject: { label, description: label, confidence: 0.7 }, ...part });
const elsewhere = { after: { region: { ...somewhere, x: somewhere.x + 3 * somewhere.width } } };

describe('a change that is none', () => {
  const flag = said(named('kite'));

  it.each([
    ['the same again', named('kite'), true],
    [
      'of a thing without a name',
      named('object', { subject: { label: 'object', description: 'object', confidence: 0 } }),
      true,
    ],
    ['that goes where it came', named('kite', { kind: 'DISAPPEARED', before: { region: somewhere } }), true],
    ['of another thing', named('person'), false],
    ['elsewhere', named('kite', elsewhere), false],
    ['of another kind', named('kite', { kind: 'RECOLORED' }), false],
  ])('%s', (_, finding, isDismissed) => {
    expect(dismissing(finding, flag)?.changeId).toBe(isDismissed ? 'watch/yard/7' : undefined);
  });

  it('as a condition is one of its cause', () => {
    const rain = said(conditionOf(10, 20, { condition: 'WEATHER' }));
    expect(dismissing(conditionOf(500, 600, { condition: 'WEATHER' }), rain)).toBeDefined();
    expect(dismissing(conditionOf(500, 600), rain)).toBeUndefined();
    expect(dismissing(named('kite'), rain)).toBeUndefined();
  });

  it('is kept as a claim that was not published, with the reason', () => {
    const { verification, pictures } = dismissed(named('kite'), flag[0]);
    expect(pictures).toEqual([]);
    expect(verification).toMatchObject({ verdict: 'CONTRADICTED' });
    expect(verification.checks.at(-1)).toMatchObject({ name: 'feedback', verdict: 'CONTRADICTED' });
  });
});

describe('what people say of changes', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'blinkstream-feedback-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('is kept with the log, and is nothing where nobody has said anything', async () => {
    expect(await readFeedback(folder)).toEqual([]);
    await writeFeedback(folder, said(named('kite')));
    expect(await readFeedback<Dismissal>(folder)).toEqual(said(named('kite')));
    await writeFeedback(folder, []);
    expect(await readFeedback(folder)).toEqual([]);
  });

  it('is told where it is damaged', async () => {
    await writeFile(join(folder, 'feedback.json'), '{"a": ');
    await expect(readFeedback(folder)).rejects.toMatchObject({ code: 'FEEDBACK_NOT_READABLE', class: 'user' });
    await writeFile(join(folder, 'feedback.json'), '{}');
    await expect(readFeedback(folder)).rejects.toMatchObject({ code: 'FEEDBACK_NOT_READABLE' });
  });
});
