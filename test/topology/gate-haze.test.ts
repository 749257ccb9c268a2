import { describe, expect, it } from 'vitest';
import { refOf, Stage, type Shot } from '../../fixtures/stage.js';
import type { FrameEvidence } from '../../src/records/index.js';
import { Gate } from '../../src/sequences/gate/gate.js';

const SIZE = { width: 320, height: 240 };
const FPS = 5;
const grey = [185, 185, 185] as const;

/** What the gate says of each shot, five a second; the first ten seconds are clear. */
function seen(seconds: number, shotAt: (sinceS: number) => Shot, noiseSigma = 1.5): FrameEvidence[] {
  const stage = new Stage(SIZE);
  const gate = new Gate();
  return Array.from({ length: seconds * FPS }, (_, i) => {
    const shot = i < 10 * FPS ? {} : shotAt(i / FPS - 10);
    return gate.measure(refOf(i, { ...SIZE, fps: FPS }), stage.draw({ noiseSigma, ...shot }));
  });
}

const hazeIn = (frames: readonly FrameEvidence[]): number[] =>
  frames.flatMap(({ nuisances }) =>
    nuisances.filter(({ unit }) => unit === 'of its contrast').map(({ strength }) => strength),
  );
const causesIn = (frames: readonly FrameEvidence[]): string[] => [
  ...new Set(frames.flatMap(({ nuisances }) => nuisances.map(({ cause }) => cause))),
];
/** Fog that comes over `riseS` and stays. */
const fog = (sinceS: number, riseS: number, colour: readonly [number, number, number] = grey): Shot => ({
  fog: { through: Math.exp(-2 * Math.min(1, sinceS / riseS)), colour },
});

describe('fog', () => {
  it.each([
    ['fast', 8, grey],
    ['slowly', 60, grey],
    ['fast, of a dark day', 8, [95, 95, 95] as const],
  ] as const)('that comes %s is weather, and no change of the light and no movement', (_, riseS, colour) => {
    const frames = seen(30 + riseS, (sinceS) => fog(sinceS, riseS, [...colour]));
    const late = frames.slice((10 + riseS) * FPS);
    expect(hazeIn(late)).toHaveLength(late.length);
    expect(hazeIn(late).at(-1)).toBeLessThan(0.5);
    expect(causesIn(late)).toEqual(['WEATHER']);
    expect(frames.some(({ motion }) => motion === 'active')).toBe(false);
  });

  it('that lifts is over', () => {
    const frames = seen(60, (sinceS) => (sinceS < 20 ? fog(sinceS, 5) : {}));
    expect(hazeIn(frames.slice(0, 29 * FPS)).length).toBeGreaterThan(10 * FPS);
    expect(hazeIn(frames.slice(32 * FPS))).toEqual([]);
  });

  it('hides nothing that comes meanwhile', () => {
    const bag = { x: 190, y: 170, width: 34, height: 30, colour: [150, 60, 50] as const };
    const frames = seen(40, (sinceS) => ({
      ...fog(sinceS, 8),
      ...(sinceS > 20 && { boxes: [{ ...bag, colour: [150, 60, 50] }] }),
    }));
    expect(frames.flatMap(({ settled }) => settled).filter(({ mayBeLight }) => mayBeLight !== true)).toHaveLength(1);
  });
});

describe('no fog', () => {
  it.each<readonly [string, (sinceS: number) => Shot]>([
    ['light that fades', (s) => ({ gain: Math.max(0.5, 1 - s / 20) })],
    ['light that is regulated', (s) => ({ gain: 1 + 0.1 * Math.sin(s) })],
    ['a brighter picture', () => ({ offset: 20 })],
    ['noise', () => ({ noiseSigma: 9 })],
    ['a cloud before the sun', (s) => ({ shadow: { x: s * 12 - 60, y: 120, radiusPx: 120, darkness: 0.5 } })],
    ['a lens that is somewhat out of focus', () => ({ blurPx: 3 })],
    ['a lens that is far out of focus', () => ({ blurPx: 11 })],
    ['infrared', () => ({ infrared: true })],
    ['a camera that went grey', () => ({ grey: true })],
    [
      'something smooth that fills a third of the picture',
      (s) => ({ boxes: [{ x: s * 20 - 200, y: 20, width: 160, height: 200, colour: [120, 125, 130] }] }),
    ],
  ])('is %s', (_, shotAt) => {
    expect(hazeIn(seen(25, shotAt))).toEqual([]);
  });

  it('is a scene that has no detail to lose', () => {
    const gate = new Gate();
    const data = new Uint8Array(SIZE.width * SIZE.height * 3).fill(120);
    const frames = Array.from({ length: 20 * FPS }, (_, i) =>
      gate.measure(refOf(i, { ...SIZE, fps: FPS }), {
        ...SIZE,
        channels: 3,
        type: 'u8',
        data: i < 10 * FPS ? data : data.map(() => 170),
      }),
    );
    expect(hazeIn(frames)).toEqual([]);
  });
});
