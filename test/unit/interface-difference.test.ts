import { describe, expect, it } from 'vitest';
import { interfaceDifference } from '../../src/evidence/interface/difference.js';
import { drawPage, menu, type Part } from '../support/interface-pages.js';

const words = ['open', 'save', 'close', 'print', 'quit'];
const diff = (before: readonly Part[], after: readonly Part[], size = { width: 200, height: 200 }) =>
  interfaceDifference(drawPage(size.width, size.height, before), drawPage(size.width, size.height, after));
const told = (difference: ReturnType<typeof diff>) => ({
  shifts: difference.shifts.map(({ dx, dy, matches }) => ({
    dx,
    dy,
    parts: matches.filter(({ before }) => before.form === 'run').length,
  })),
  pairs: difference.pairs.length,
  gone: difference.gone.map(({ region: { y } }) => y),
  come: difference.come.map(({ region: { y } }) => y),
  redrawn: difference.redrawn.length,
});
const nothing = { shifts: [], pairs: 0, gone: [], come: [], redrawn: 0 };

describe('the difference of two screenshots', () => {
  it('is nothing where they are the same', () => {
    expect(told(diff(menu(words), menu(words)))).toEqual(nothing);
  });

  it('is one part and one shift where a row came in between, and nothing for each row that was pushed', () => {
    const after = menu(['open', 'save', 'new!', 'close', 'print', 'quit']);
    expect(told(diff(menu(words), after))).toEqual({ ...nothing, come: [58], shifts: [{ dx: 0, dy: 24, parts: 3 }] });
  });

  it('is one part and one shift where a row went', () => {
    const after = menu(words.filter((word) => word !== 'save'));
    expect(told(diff(menu(words), after))).toEqual({ ...nothing, gone: [34], shifts: [{ dx: 0, dy: -24, parts: 3 }] });
  });

  it('tells columns that are pushed aside from rows that stay', () => {
    const right = words.map((word, i): Part => ({ word, x: 100, y: 10 + 24 * i }));
    const pushed = words.map((word, i): Part => ({ word, x: 117, y: 10 + 24 * i }));
    expect(told(diff([...menu(words), ...right], [...menu(words), ...pushed]))).toEqual({
      ...nothing,
      shifts: [{ dx: 17, dy: 0, parts: 5 }],
    });
  });

  it('finds several blocks that moved by different ways', () => {
    const after = [...menu(['open', 'save'], 10), ...menu(['close', 'print'], 70), ...menu(['quit'], 160)];
    expect(told(diff(menu(words), after)).shifts).toEqual([
      { dx: 0, dy: 12, parts: 2 },
      { dx: 0, dy: 54, parts: 1 },
    ]);
  });

  it('pairs a word with the one that stands in its place', () => {
    const { pairs, ...rest } = told(diff(menu(words), menu(['open', 'store', 'close', 'print', 'quit'])));
    expect(pairs).toBe(1);
    expect(rest).toEqual({ shifts: [], gone: [], come: [], redrawn: 0 });
  });

  it('takes letters that lie half a pixel beside for drawn anew', () => {
    const drawnAnew = menu(words).map((part) => ({ ...part, smooth: true }));
    expect(told(diff(menu(words), drawnAnew))).toEqual({ ...nothing, redrawn: 5 });
  });

  it('tells which of several equal icons is the one that came', () => {
    const tick = (row: number): Part => ({ word: 'v', x: 4, y: 10 + 24 * row });
    const before = [...menu(words), tick(1), tick(3)];
    const after = [...menu(['open', 'new!', 'save', 'close', 'print', 'quit']), tick(2), tick(4)];
    expect(told(diff(before, after))).toEqual({ ...nothing, come: [34], shifts: [{ dx: 0, dy: 24, parts: 6 }] });
  });

  it('pairs a line with its pieces where words of it got other colours', () => {
    const green = [0, 128, 0] as const;
    const line = (colour?: typeof green): Part[] => [
      { word: 'if', x: 20, y: 10, ...(colour && { colour }) },
      { word: 'this', x: 41, y: 10 },
    ];
    const { pairs, come, gone } = diff(line(), line(green));
    expect([pairs.length, come.length, gone.length]).toEqual([1, 0, 0]);
    expect(pairs[0].after.elements.map(({ region }) => region.x)).toEqual([20, 41]);
    const back = diff(line(green), line());
    expect([back.pairs.length, back.come.length, back.gone.length]).toEqual([1, 0, 0]);
  });

  it('has the size of both, where they differ', () => {
    const [small, large] = [drawPage(200, 140, menu(words)), drawPage(240, 160, menu(words))];
    const { before, after, pairs } = interfaceDifference(small, large);
    expect([before.raster.width, after.raster.width]).toEqual([200, 240]);
    expect(pairs.map((pair) => pair.before.elements[0].form)).toEqual(['panel']);
  });

  it('pairs the surface of a button that got another colour, and its border', () => {
    const button = (fill: readonly [number, number, number]): Part[] => [
      { box: { x: 40, y: 40, width: 80, height: 30 }, fill, border: [0, 0, 0] },
      { word: 'go', x: 70, y: 50 },
    ];
    const { pairs } = diff(button([200, 220, 255]), button([120, 200, 120]));
    const forms = pairs.map((pair) => pair.before.elements[0].form);
    expect(forms).toContain('panel');
    expect(forms).not.toContain('frame');
  });
});
