import { describe, expect, it } from 'vitest';
import { groupedEvents, unpaired, type FoundIn } from '../../src/changes/grouping.js';
import { findingOf } from '../support/findings.js';
import type { Finding } from '../../src/records/index.js';

const finding = (more: Partial<Finding>): Finding =>
  findingOf({ kind: 'TEXT_CHANGED', subject: { label: 'text', description: 'text', confidence: 1 }, ...more });
const at = (x: number) => ({ x, y: 0, width: 10, height: 10 });
const found = (source: string, more: Partial<Finding>): FoundIn => ({
  ...{ source, finding: finding(more), sequenceOrdinal: 0, reasoner: 'measured' },
});
const renamed = (x: number): Partial<Finding> => ({
  before: { region: at(x), text: 'Save' },
  after: { region: at(x), text: 'Store' },
});

describe('grouping over screenshots', () => {
  it('tells the same change once, with every place that shows it', () => {
    const events = groupedEvents('diff', [found('home', renamed(3)), found('list', renamed(8))]);
    expect(events).toHaveLength(1);
    expect(events[0].source).toBe('home');
    expect(events[0].occurrences?.map(({ source, after }) => [source, after?.region?.x])).toEqual([
      ['home', 3],
      ['list', 8],
    ]);
  });

  it('keeps apart what reads otherwise', () => {
    const other = { before: { text: 'Save' }, after: { text: 'Keep' } };
    expect(groupedEvents('diff', [found('home', renamed(3)), found('list', other)])).toHaveLength(2);
  });

  it('keeps apart icons that look otherwise', () => {
    const icon = (sha256: string): Partial<Finding> => ({
      kind: 'APPEARED',
      after: { region: at(1) },
      pictures: [{ role: 'after-crop', sha256, mediaType: 'image/jpeg', width: 1, height: 1 }],
    });
    const events = groupedEvents('diff', [found('a', icon('1')), found('b', icon('2')), found('c', icon('1'))]);
    expect(events.map((event) => event.occurrences?.length ?? 1)).toEqual([2, 1]);
  });

  it('gives the same ids whenever the same is found, wherever else something changed', () => {
    const [one] = groupedEvents('diff', [found('home', renamed(3))]);
    const [, again] = groupedEvents('diff', [found('home', { after: { text: 'New' } }), found('home', renamed(90))]);
    expect(again.changeId).toBe(one.changeId);
  });

  it('keeps apart what is of another size, though it went the same way', () => {
    const moved = (width: number): Partial<Finding> => ({
      ...{ kind: 'MOVED', shift: { dx: 0, dy: 24 }, before: { region: { ...at(1), width } } },
    });
    expect(groupedEvents('diff', [found('a', moved(10)), found('b', moved(99)), found('c', moved(10))])).toHaveLength(
      2,
    );
  });

  it('gives each event an id of its own', () => {
    const events = groupedEvents('diff', [
      found('home', {
        kind: 'APPEARED',
        pictures: [{ role: 'after-crop', sha256: '1', mediaType: 'image/jpeg', width: 1, height: 1 }],
      }),
      found('home', {
        kind: 'APPEARED',
        pictures: [{ role: 'after-crop', sha256: '2', mediaType: 'image/jpeg', width: 1, height: 1 }],
      }),
      unpaired('after', 'home'),
    ]);
    expect(new Set(events.map(({ changeId }) => changeId)).size).toBe(3);
  });

  it('tells each screenshot without a counterpart by its name', () => {
    const events = groupedEvents('diff', [
      unpaired('after', 'new'),
      unpaired('after', 'newer'),
      unpaired('before', 'old'),
    ]);
    expect(events.map(({ kind, source }) => `${kind} ${source}`)).toEqual([
      'APPEARED new',
      'APPEARED newer',
      'DISAPPEARED old',
    ]);
  });
});
