import { describe, expect, it } from 'vitest';
import { changeInBox, compareScenes, type SceneComparison } from '../../src/evidence/comparison.js';
import { holdingSide, outlineSide } from '../../src/evidence/sides.js';
import { isSameSurface } from '../../src/evidence/surface.js';
import { colourName } from '../../src/pixels/colour.js';
import { areaOf, iou, unionOf } from '../../src/pixels/geometry.js';
import type { Planes } from '../../src/pixels/planes.js';
import type { PictureU8, Region } from '../../src/records/index.js';
import { box, PICTURE } from '../support/scenes.js';
import { Stage, type Box, type Shot } from '../../fixtures/stage.js';

const red: Box['colour'] = [190, 40, 40];
const blue: Box['colour'] = [40, 60, 190];
const grey: Box['colour'] = [60, 60, 62];
const place = box(180, 90, 40, 60);
const thing = (colour: Box['colour'] = red, region: Region = place): Shot => ({ boxes: [{ ...region, colour }] });

const stage = new Stage(PICTURE);
const compared = (before: Shot, after: Shot, ignored: readonly Region[] = [], frames = 1): SceneComparison => {
  const several = (shot: Shot): PictureU8[] => Array.from({ length: frames }, () => stage.draw(shot));
  return compareScenes(several(before), several(after), ignored);
};
const noChange = { regions: [], soft: [], changedShare: 0 };

describe('a scene in which nothing changed', () => {
  it.each<[string, Shot, Shot, number?]>([
    ['the same picture', {}, {}],
    ['noise of σ 10, five frames a side', { noiseSigma: 10 }, { noiseSigma: 10 }, 5],
    ['noise of σ 10 on one side alone', {}, { noiseSigma: 10 }, 5],
    ['less light', {}, { gain: 0.6 }],
    ['more light and a lifted black', {}, { gain: 1.2, offset: 12 }],
    ['a camera pushed by 0.7 px', {}, { shift: { dx: 0.7, dy: -0.4 } }],
    [
      'less light in noise from a pushed camera',
      { noiseSigma: 6 },
      { noiseSigma: 6, gain: 0.7, shift: { dx: 0.5, dy: 0.3 } },
      5,
    ],
    ['grey against colour', thing(blue), { ...thing(blue), grey: true }],
  ])('shows none: %s', (_, before, after, frames) => {
    expect(compared(before, after, [], frames)).toMatchObject(noChange);
  });

  it('measures light and shift that it allowed for', () => {
    const { light, shiftPx } = compared({}, { gain: 0.6, shift: { dx: 0.7, dy: -0.4 } });
    expect(light.gain).toBeCloseTo(0.6, 1);
    expect(shiftPx.dx).toBeCloseTo(0.7, 0);
    expect(Math.hypot(shiftPx.dx - 0.7, shiftPx.dy + 0.4)).toBeLessThan(0.3);
  });
});

describe('a thing that covers more than half of the picture', () => {
  const wall = box(0, 0, 200, 220);

  it.each<[string, Shot, Shot]>([
    ['came', {}, thing(grey, wall)],
    ['went', thing(grey, wall), {}],
  ])('%s, and is one region; what it leaves is neither light nor noise', (_, before, after) => {
    const { regions, light } = compared({ noiseSigma: 2, ...before }, { noiseSigma: 2, ...after }, [], 5);
    expect(regions).toHaveLength(1);
    expect(iou(regions[0].region, wall)).toBeGreaterThan(0.8);
    expect(light.gain).toBeCloseTo(1, 1);
  });
});

describe('a thing that came', () => {
  it.each<[string, Shot, number?]>([
    ['in a quiet picture', {}],
    ['in noise of σ 10', { noiseSigma: 10 }, 5],
    ['in half the light', { gain: 0.5 }],
    ['before a camera that was pushed', { shift: { dx: 0.7, dy: 0.4 } }],
    ['without a colour of its own', {}, 1],
  ])('is one region with its outline after: %s', (name, after, frames) => {
    const colour = name.includes('without') ? grey : red;
    const before = { ...(after.noiseSigma !== undefined && { noiseSigma: after.noiseSigma }) };
    const { regions } = compared(before, { ...after, ...thing(colour) }, [], frames);
    expect(regions).toHaveLength(1);
    expect(iou(regions[0].region, place)).toBeGreaterThan(0.8);
    expect(regions[0].areaPx).toBeGreaterThan(0.8 * areaOf(place));
    expect(outlineSide(regions[0])).toBe(1);
  });

  it('is one with its outline before where it went', () => {
    const { regions } = compared(thing(), {});
    expect(regions).toHaveLength(1);
    expect(iou(regions[0].region, place)).toBeGreaterThan(0.8);
    expect(outlineSide(regions[0])).toBe(-1);
  });

  it('has its outline on both sides where it took another colour', () => {
    const [region, ...others] = compared(thing(red), thing(blue)).regions;
    expect(others).toEqual([]);
    expect(outlineSide(region)).toBe(0);
    expect([colourName(region.color.before), colourName(region.color.after)]).toEqual(['red', 'blue']);
  });

  it('is found by colour alone where it is as bright as what lies behind', () => {
    const wall: Shot = thing([120, 120, 120], box(150, 60, 100, 120));
    const [poster] = thing([200, 90, 90]).boxes ?? [];
    const { regions } = compared(wall, { boxes: [...(wall.boxes ?? []), poster] });
    expect(regions).toHaveLength(1);
    expect(iou(regions[0].region, place)).toBeGreaterThan(0.8);
  });

  it('is left out in an ignored part, and only there', () => {
    expect(compared({}, thing(), [box(170, 80, 60, 80)])).toMatchObject(noChange);
    expect(compared({}, thing(), [box(10, 10, 60, 60)]).regions).toHaveLength(1);
  });

  it('is one region although its parts hardly touch, and two things far apart are two', () => {
    const [upper, lower] = [box(180, 90, 40, 28), box(180, 122, 40, 28)];
    const parts = { boxes: [upper, lower].map((region) => ({ ...region, colour: red })) };
    const joined = compared({}, parts).regions;
    expect(joined).toHaveLength(1);
    expect(iou(joined[0].region, unionOf([upper, lower]))).toBeGreaterThan(0.8);
    const apart = { boxes: [place, box(60, 90, 40, 60)].map((region) => ({ ...region, colour: red })) };
    const two = compared({}, apart);
    expect(two.regions).toHaveLength(2);
    const both = two.join(two.regions);
    expect(both.region).toEqual(unionOf(two.regions.map(({ region }) => region)));
    expect(both.areaPx).toBe(two.regions[0].areaPx + two.regions[1].areaPx);
  });
});

describe('what is no thing', () => {
  it.each([0.3, 0.5, 0.65])('shows the same surface: a shadow with a sharp border, of darkness %f', (darkness) => {
    const shadow = { x: 160, y: 120, radiusPx: 60, darkness, isSharp: true };
    const { regions, soft } = compared({ noiseSigma: 2 }, { noiseSigma: 2, shadow }, [], 5);
    expect(regions).toEqual([]);
    expect(soft).toHaveLength(1);
    expect(soft[0].strength).toBeLessThan(0);
  });

  it('is no even thing before a scene with detail', () => {
    const planes = (levelAt: (x: number, y: number) => number): Planes => {
      const [width, height] = [40, 40];
      const y = Float32Array.from({ length: width * height }, (_, i) => levelAt(i % width, Math.floor(i / width)));
      return { width, height, shrink: 1, y, u: new Float32Array(y.length), v: new Float32Array(y.length) };
    };
    const cells = Array.from({ length: 400 }, (_, i) => (10 + Math.floor(i / 20)) * 40 + 10 + (i % 20));
    const striped = (x: number, y: number): number => 70 + ((x * 3 + y * 5) % 40);
    const isInside = (x: number, y: number): boolean => x >= 10 && x < 30 && y >= 10 && y < 30;
    const shown = (levelAt: (x: number, y: number) => number): Planes =>
      planes((x, y) => (isInside(x, y) ? levelAt(x, y) : striped(x, y)));
    expect(
      isSameSurface(
        cells,
        shown(striped),
        shown(() => 230),
      ),
    ).toBe(false);
    expect(
      isSameSurface(
        cells,
        shown(striped),
        shown((x, y) => 0.3 * striped(x, y)),
      ),
    ).toBe(true);
    // Its outline is there before as well: it is the thing that changed.
    const dark = shown((x, y) => 0.3 * striped(x, y));
    expect(
      isSameSurface(
        cells,
        dark,
        shown((x, y) => 0.2 * striped(x, y)),
      ),
    ).toBe(false);
  });

  it('does not hide a thing that came in its middle', () => {
    const shadow = { x: 200, y: 120, radiusPx: 60, darkness: 0.4, isSharp: true };
    const { regions } = compared({}, { shadow, ...thing() });
    expect(regions.length).toBeGreaterThan(0);
  });

  it('is soft: a shadow, and stronger where it is darker', () => {
    const strengthOf = (darkness: number): number => {
      const { regions, soft } = compared({}, { shadow: { x: 160, y: 120, radiusPx: 70, darkness } });
      expect(regions).toEqual([]);
      expect(soft.length).toBeGreaterThan(0);
      return Math.min(...soft.map(({ strength }) => strength));
    };
    expect(strengthOf(0.35)).toBeLessThan(-0.05);
    expect(strengthOf(0.6)).toBeLessThan(strengthOf(0.35));
  });

  it('does not hide the thing beside it', () => {
    const shadow = { x: 80, y: 160, radiusPx: 60, darkness: 0.5 };
    const { regions, soft } = compared({}, { ...thing(), shadow });
    expect(regions).toHaveLength(1);
    expect(iou(regions[0].region, place)).toBeGreaterThan(0.8);
    expect(soft.length).toBeGreaterThan(0);
  });
});

it('finds the one letter of a text that is another', () => {
  const [{ region }, ...others] = compared({ clock: '12:48' }, { clock: '12:40' }).regions;
  expect(others).toEqual([]);
  const line = stage.clockRegion('12:48');
  expect(region.x).toBeGreaterThan(line.x + line.width / 2);
  expect(region.width).toBeLessThan(line.width / 2);
});

it('tells a box around the change from one beside it, and from one that is far too large', () => {
  const comparison = compared({}, thing());
  const own = changeInBox(comparison, place);
  expect(own.covered).toBeGreaterThan(0.9);
  expect(own.filled).toBeGreaterThan(0.9);
  for (const [dx, dy] of [
    [1, 0],
    [-1, 0],
    [0, 1],
    [0, -1],
    [2, 2],
  ]) {
    const beside = { ...place, x: place.x + dx * place.width, y: place.y + dy * place.height };
    expect(changeInBox(comparison, beside).filled).toBeLessThan(0.1);
  }
  expect(changeInBox(comparison, box(0, 0, PICTURE.width, PICTURE.height)).filled).toBeLessThan(0.1);
});

describe('which side holds the thing', () => {
  const bottle = { label: 'bottle', confidence: 0.5, region: { x: 0, y: 0, width: 30, height: 60 } };
  const look = (alike: boolean) => ({
    before: Float32Array.of(1, 0),
    after: alike ? Float32Array.of(0.95, 0.3) : Float32Array.of(0, 1),
  });
  const outline = (before: number, after: number) => ({ before, after });

  it('is where the detector sees it, if the place looks otherwise or its outline says so too', () => {
    expect(holdingSide({ object: { before: bottle }, outline: outline(20, 20), embedding: look(false) })).toBe(-1);
    expect(holdingSide({ object: { before: bottle }, outline: outline(20, 9), embedding: look(true) })).toBe(-1);
    expect(holdingSide({ object: { after: bottle }, outline: outline(9, 20), embedding: look(true) })).toBe(1);
  });

  it('is not decided by a detector that has missed what looks the same on both sides', () => {
    expect(holdingSide({ object: { before: bottle }, outline: outline(23.9, 27.8), embedding: look(true) })).toBe(0);
    expect(holdingSide({ object: { after: bottle }, outline: outline(20, 20), embedding: look(true) })).toBe(0);
  });

  it('is by the outline where the detector sees nothing, and neither where it sees both', () => {
    expect(holdingSide({ object: {}, outline: outline(5, 20), embedding: look(true) })).toBe(1);
    expect(
      holdingSide({ object: { before: bottle, after: bottle }, outline: outline(5, 20), embedding: look(true) }),
    ).toBe(0);
  });
});
