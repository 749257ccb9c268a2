import { describe, expect, it } from 'vitest';
import { refOf, Stage, type Box, type Shot } from '../../fixtures/stage.js';
import { iou } from '../../src/pixels/geometry.js';
import type { FrameEvidence } from '../../src/records/index.js';
import { Gate } from '../../src/sequences/gate/gate.js';

const FPS = 10;
/** So long the light stays as it is, frames. */
const SPELL = 50;
const lamp = { shadow: { x: 110, y: 40, radiusPx: 70, darkness: -0.8 } } satisfies Shot;
const night = { infrared: true, noiseSigma: 4 } satisfies Shot;
const bag: Box = { x: 40, y: 60, width: 24, height: 24, colour: [200, 40, 40] };

const isOther = (i: number): boolean => Math.floor(i / SPELL) % 2 === 1;

function gated(
  frames: number,
  shotAt: (index: number) => Shot,
  gateAt: (gate: Gate, i: number) => Gate = (gate) => gate,
): FrameEvidence[] {
  const stage = new Stage();
  let gate = new Gate();
  return Array.from({ length: frames }, (_, i) => {
    gate = gateAt(gate, i);
    return gate.measure(refOf(i, { fps: FPS }), stage.draw({ noiseSigma: 1.5, ...shotAt(i) }));
  });
}

const activeFrames = (all: readonly FrameEvidence[]): number[] =>
  all.flatMap(({ motion }, i) => (motion === 'still' ? [] : [i]));
/** Light by light, as each spell ends. */
const lights = (all: readonly FrameEvidence[]): number[] =>
  all.filter((_, i) => i % SPELL === SPELL - 1).map(({ illumination }) => illumination);
const causesFrom = (all: readonly FrameEvidence[], from: number): Set<string> =>
  new Set(all.slice(from, from + 5).flatMap(({ nuisances }) => nuisances.map(({ cause }) => cause)));

describe('gate: other lights', () => {
  it('a lamp that goes on and off is light, and each light is known again', () => {
    const all = gated(6 * SPELL, (i) => (isOther(i) ? lamp : {}));
    expect(lights(all)).toEqual([0, 1, 0, 1, 0, 1]);
    expect(activeFrames(all)).toEqual([]);
    for (let from = SPELL; from < all.length; from += SPELL)
      expect(causesFrom(all, from)).toEqual(new Set(['LIGHTING']));
    // Where it shines, and not for longer than it takes to tell.
    expect(all[SPELL].nuisances[0].region?.x).toBeGreaterThan(30);
    expect(all[2 * SPELL - 1].nuisances).toEqual([]);
  });

  it('day and night are known again, although materials are otherwise bright by infrared', () => {
    const all = gated(6 * SPELL, (i) => (isOther(i) ? night : {}));
    expect(lights(all)).toEqual([0, 1, 0, 1, 0, 1]);
    expect(activeFrames(all)).toEqual([]);
    expect(causesFrom(all, SPELL)).toContain('COLOR_MODE');
    // All night, and no longer.
    expect(causesFrom(all, 2 * SPELL - 5)).toContain('COLOR_MODE');
    expect(causesFrom(all, 2 * SPELL)).not.toContain('COLOR_MODE');
  });

  it.each([
    ['lamp light', lamp],
    ['the dark', night],
  ])('what is left in %s is told once, and not again by day', (_, other) => {
    const all = gated(5 * SPELL, (i) => ({ ...(isOther(i) ? other : {}), boxes: i >= SPELL + 25 ? [bag] : [] }));
    const settled = all.flatMap((evidence) => evidence.settled);
    expect(settled).toHaveLength(1);
    expect(iou(settled[0].region, bag)).toBeGreaterThan(0.7);
    expect(lights(all)).toEqual([0, 1, 0, 1, 0]);
  });

  it('what came as the lamp went on is found, once that light is known', () => {
    const all = gated(5 * SPELL, (i) => ({ ...(isOther(i) ? lamp : {}), boxes: i >= 3 * SPELL ? [bag] : [] }));
    const settled = all.flatMap((evidence) => evidence.settled);
    expect(settled).toHaveLength(1);
    expect(settled[0].leftAt.frame).toBe(3 * SPELL);
    expect(iou(settled[0].region, bag)).toBeGreaterThan(0.7);
  });

  it('who walks through while the lamp goes on is followed before and after', () => {
    const walker = (i: number): Box => ({ ...bag, x: (i - 130) * 4 - 24 });
    const all = gated(4 * SPELL, (i) => ({
      ...(isOther(i) ? lamp : {}),
      boxes: i > 130 && i < 170 ? [walker(i)] : [],
    }));
    const seen = (i: number): boolean => all[i].tracks.some(({ region }) => iou(region, walker(i)) > 0.4);
    expect([140, 145, 153, 160].map(seen)).toEqual([true, true, true, true]);
    expect(all.flatMap((evidence) => evidence.settled)).toEqual([]);
  });

  it.each<[string, Shot]>([
    [
      'a large thing with a pattern of its own',
      { boxes: [{ x: 30, y: 20, width: 90, height: 70, colour: [60, 80, 160] }] },
    ],
    ['a plain one', { boxes: [{ x: 20, y: 10, width: 120, height: 100, colour: [120, 120, 120] }] }],
    ['a camera that was knocked', { shift: { dx: 4, dy: 3 } }],
    ['a lens out of focus', { blurPx: 7 }],
    ['a lens hardly in focus', { blurPx: 3 }],
    ['noise', { noiseSigma: 12 }],
  ])('%s is no other light', (_, shot) => {
    const all = gated(2 * SPELL, (i) => (isOther(i) ? shot : {}));
    expect(lights(all)).toEqual([0, 0]);
  });

  it('a flash is not remembered', () => {
    const all = gated(3 * SPELL, (i) => (i === SPELL ? { shadow: { x: 80, y: 60, radiusPx: 120, darkness: -1 } } : {}));
    expect(lights(all)).toEqual([0, 0, 0]);
    expect(activeFrames(all)).toEqual([]);
  });

  it('lights are known again after a restart', () => {
    const restart = (gate: Gate, i: number): Gate => (i % 30 === 17 ? new Gate({}, gate.snapshot()) : gate);
    const shotAt = (i: number): Shot => (isOther(i) ? lamp : {});
    expect(gated(4 * SPELL, shotAt, restart)).toEqual(gated(4 * SPELL, shotAt));
  });
});
