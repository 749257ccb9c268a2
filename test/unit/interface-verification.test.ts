import { describe, expect, it } from 'vitest';
import { rasterOf } from '../../src/evidence/interface/raster.js';
import type { Claim } from '../../src/reasoning/claim.js';
import { verifyInterface } from '../../src/reasoning/verification/interface.js';
import { drawPage, menu, type Part } from '../support/interface-pages.js';

const point = { frame: 0, timeMs: 0, elapsedMs: 0 };
const claim = (more: Partial<Claim>): Claim => ({
  kind: 'APPEARED',
  subject: { label: 'text', description: 'text', confidence: 1 },
  statement: 'said',
  interval: { first: point, last: point },
  measures: [],
  ongoing: false,
  identity: {},
  ...more,
});
const page = (parts: readonly Part[]) => rasterOf(drawPage(120, 120, parts));
const before = page(menu(['open', 'save']));
const after = page([
  ...menu(['open']),
  ...menu(['save'], 58),
  { box: { x: 10, y: 80, width: 20, height: 20 }, fill: [255, 0, 0] },
]);
const line = (y: number) => ({ x: 20, y, width: 30, height: 10 });
const verdictOf = (more: Partial<Claim>): string => verifyInterface(claim(more), before, after).verdict;

describe('what is said of screenshots', () => {
  it('is supported by the pixels that it is about', () => {
    expect(verdictOf({ after: { region: line(58) } })).toBe('SUPPORTED');
    expect(
      verdictOf({ kind: 'MOVED', before: { region: line(34) }, after: { region: line(58) }, shift: { dx: 0, dy: 24 } }),
    ).toBe('SUPPORTED');
  });

  it('is contradicted where no pixel differs', () => {
    expect(verdictOf({ after: { region: line(10) } })).toBe('CONTRADICTED');
  });

  it('is contradicted where its box lies outside', () => {
    expect(verdictOf({ after: { region: { x: 100, y: 58, width: 30, height: 10 } } })).toBe('CONTRADICTED');
  });

  it('is contradicted where what moved is not there', () => {
    const region = { x: 20, y: 34, width: 30, height: 10 };
    const shift = { dx: -10, dy: 46 };
    const dark = page([{ box: { x: 0, y: 70, width: 80, height: 40 }, fill: [0, 0, 60] }]);
    const said = claim({ kind: 'MOVED', before: { region }, shift });
    expect(verifyInterface(said, before, dark).verdict).toBe('CONTRADICTED');
  });

  it('is contradicted where a colour that it names is not there', () => {
    const region = { x: 10, y: 80, width: 20, height: 20 };
    const recoloured = (color: string) =>
      verdictOf({ kind: 'RECOLORED', before: { region, color: '#ffffff' }, after: { region, color } });
    expect(recoloured('#ff0000')).toBe('SUPPORTED');
    expect(recoloured('#00ff00')).toBe('CONTRADICTED');
  });

  it('is contradicted where a text changed into itself', () => {
    const sides = (text: string) => ({ before: { region: line(34), text: 'save' }, after: { region: line(34), text } });
    expect(verdictOf({ kind: 'TEXT_CHANGED', ...sides('keep') })).toBe('SUPPORTED');
    expect(verdictOf({ kind: 'TEXT_CHANGED', ...sides('save') })).toBe('CONTRADICTED');
  });
});
