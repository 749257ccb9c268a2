import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { randomOf } from '../../fixtures/random.js';
import { iou, shareIn } from '../../src/pixels/geometry.js';
import type { FrameEvidence, PictureU8, Region, Zone } from '../../src/records/index.js';
import { Gate } from '../../src/sequences/gate/gate.js';
import { refOf, Stage, type Box, type Shot } from '../../fixtures/stage.js';

const FPS = 25;
const red: Box = { x: 60, y: 40, width: 36, height: 32, colour: [200, 60, 50] };

/** What the gate says of `frames` frames, each drawn as `shotAt` tells; noise of a good sensor unless told otherwise. */
function gated(frames: number, shotAt: (index: number) => Shot, seed = 1, zones?: readonly Zone[]): FrameEvidence[] {
  const stage = new Stage({ seed });
  const gate = new Gate({}, undefined, zones);
  return Array.from({ length: frames }, (_, i) =>
    gate.measure(refOf(i), stage.draw({ noiseSigma: 1.5, ...shotAt(i) })),
  );
}

const activeFrames = (all: readonly FrameEvidence[]): number[] =>
  all.flatMap((evidence, i) => (evidence.motion === 'active' ? [i] : []));
const causes = (all: readonly FrameEvidence[]): Set<string> =>
  new Set(all.flatMap((evidence) => evidence.nuisances.map(({ cause }) => cause)));
const settledIn = (all: readonly FrameEvidence[]) => all.flatMap(({ settled }) => settled);
const trackIds = (all: readonly FrameEvidence[]) => new Set(all.flatMap(({ tracks }) => tracks.map(({ id }) => id)));

describe('gate: nothing happens', () => {
  it('a still scene is still and names no nuisance', () => {
    const all = gated(100, () => ({}));
    expect(activeFrames(all)).toEqual([]);
    expect(causes(all)).toEqual(new Set());
    expect(settledIn(all)).toEqual([]);
  });

  it.each([4, 10])('sensor noise of %i grey levels is no movement, and is measured', (noiseSigma) => {
    const all = gated(100, () => ({ noiseSigma }));
    expect(activeFrames(all)).toEqual([]);
    const measured = all.at(-1)!.noiseSigma;
    expect(measured).toBeGreaterThan(noiseSigma * 0.7);
    expect(measured).toBeLessThan(noiseSigma * 1.4);
  });

  it('noise that sets in is named, and is no movement', () => {
    const all = gated(150, (i) => ({ noiseSigma: i < 60 ? 1.5 : 10 }));
    expect(activeFrames(all)).toEqual([]);
    expect(causes(all.slice(0, 60))).toEqual(new Set());
    expect(causes(all.slice(60))).toContain('NOISE');
  });

  it('light that slowly goes up and down is light, and its gain is measured', () => {
    const gainAt = (i: number) => 1 + 0.25 * Math.sin((i / 200) * Math.PI);
    const all = gated(200, (i) => ({ gain: gainAt(i) }));
    expect(activeFrames(all)).toEqual([]);
    expect(causes(all)).toEqual(new Set(['LIGHTING']));
    const brightest = all[100];
    expect(brightest.light.gain * 120 + brightest.light.offset).toBeGreaterThan(110 * gainAt(100));
  });

  it.each([0.7, 1.3])('a step of the light to %f is light', (gain) => {
    const all = gated(120, (i) => ({ gain: i < 50 ? 1 : gain }));
    expect(activeFrames(all)).toEqual([]);
    expect(causes(all)).toEqual(new Set(['LIGHTING']));
    expect(settledIn(all)).toEqual([]);
  });

  it('auto exposure that swings over and back is light', () => {
    const all = gated(150, (i) => ({ gain: i < 50 ? 1 : 1 + 0.3 * Math.exp(-(i - 50) / 15) * Math.cos((i - 50) / 6) }));
    expect(activeFrames(all)).toEqual([]);
    expect(causes(all)).toEqual(new Set(['LIGHTING']));
  });

  it('a camera that goes grey is a colour mode', () => {
    const all = gated(100, (i) => ({ grey: i >= 50 }));
    expect(activeFrames(all)).toEqual([]);
    expect(causes(all.slice(51))).toContain('COLOR_MODE');
  });

  it.each([
    { dx: 1, dy: 0 },
    { dx: 0, dy: 1.2 },
  ])('a camera pushed by $dx, $dy px has moved, the scene has not', (shift) => {
    const all = gated(100, (i) => ({ shift: i < 50 ? { dx: 0, dy: 0 } : shift }));
    expect(activeFrames(all)).toEqual([]);
    expect(causes(all)).toEqual(new Set(['CAMERA_MOVED']));
    const [moved] = all.flatMap(({ nuisances }) => nuisances);
    expect(moved.strength).toBeCloseTo(Math.hypot(shift.dx, shift.dy), 0);
  });

  it('a camera that trembles by less than a pixel is no movement', () => {
    const all = gated(100, (i) => ({ shift: { dx: 0.6 * Math.sin(i), dy: 0.6 * Math.cos(i * 1.7) } }));
    expect(activeFrames(all)).toEqual([]);
    expect(settledIn(all)).toEqual([]);
  });

  it('a camera that is knocked to and fro again and again makes no overlay of the edges in its scene', () => {
    const sign: Box = { x: 70, y: 50, width: 8, height: 8, colour: [235, 235, 235] };
    const all = gated(FPS * 20, (i) => ({
      boxes: [sign],
      shift: Math.floor(i / FPS) % 2 === 0 ? { dx: 0, dy: 0 } : { dx: 1, dy: 0 },
    }));
    expect(all.flatMap(({ overlays }) => overlays)).toEqual([]);
  });

  it('a soft shadow that falls and goes is a shadow', () => {
    const all = gated(150, (i) => ({
      ...(i >= 50 && i < 100 && { shadow: { x: 90, y: 60, radiusPx: 55, darkness: 0.4 } }),
    }));
    expect(activeFrames(all)).toEqual([]);
    expect(causes(all)).toContain('SHADOW');
  });

  it('drops that are elsewhere in every frame are weather', () => {
    const random = randomOf(5);
    const drop = (): Box => ({
      x: Math.floor(random() * 156),
      y: Math.floor(random() * 108),
      width: 2,
      height: 6,
      colour: [220, 220, 220],
    });
    const all = gated(100, (i) => (i < 40 ? {} : { boxes: Array.from({ length: 15 }, drop) }));
    expect(causes(all.slice(0, 40))).toEqual(new Set());
    expect(causes(all.slice(60))).toContain('WEATHER');
    expect(all.slice(60).filter(({ nuisances }) => nuisances.length === 0)).toEqual([]);
  });

  it('specks that come up without moving, as at the ragged border of a shadow, are no weather', () => {
    const stage = new Stage();
    const gate = new Gate();
    const all = Array.from({ length: 100 }, (_, i) => {
      const picture = stage.draw({ noiseSigma: 1.5 });
      // Small spots apart from each other darken ever more, some of them over the threshold for the first time in each frame.
      for (let spot = 0; spot < 130; spot++) {
        const darker = Math.max(0, i - 40 - spot / 8) * 0.7;
        for (let p = 0; p < 16; p++) {
          const at = ((Math.floor(spot / 13) * 12 + (p >> 2)) * 160 + (spot % 13) * 12 + (p & 3)) * 3;
          for (let c = at; c < at + 3; c++) picture.data[c] = Math.max(0, Math.round(picture.data[c] - darker));
        }
      }
      return gate.measure(refOf(i), picture);
    });
    expect(causes(all)).not.toContain('WEATHER');
    expect(activeFrames(all)).toEqual([]);
  });

  it('learns digits of which three turn at once at first, and then the last alone', () => {
    const digit = (x: number, turn: number): Box => ({
      x,
      y: 8,
      width: 10,
      height: 14,
      colour: turn % 2 === 0 ? [60, 60, 60] : [130, 130, 130],
    });
    const all = gated(FPS * 14, (i) => {
      const turn = Math.floor(i / FPS);
      return { boxes: [digit(90, Math.min(1, turn)), digit(100, Math.min(1, turn)), digit(110, turn)] };
    });
    const learned = all.findIndex(({ overlays }) => overlays.length > 0);
    expect(learned).toBeGreaterThan(0);
    expect(learned).toBeLessThan(FPS * 8);
  });

  it('learns a clock as an overlay and then ignores it', () => {
    const text = (i: number) => `12:00:${String(Math.floor(i / FPS)).padStart(2, '0')}`;
    const all = gated(FPS * 40, (i) => ({ clock: text(i) }));
    const learned = all.findIndex(({ overlays }) => overlays.length > 0);
    expect(learned).toBeGreaterThan(0);
    expect(learned).toBeLessThan(FPS * 8);
    const clock = new Stage().clockRegion(text(0));
    for (const region of all[learned].overlays) expect(shareIn(region, grown(clock, 12))).toBe(1);
    // The tens' first turn may be seen once; all further ones lie in the overlay.
    expect(activeFrames(all.slice(learned + FPS * 3))).toEqual([]);
    expect(causes(all.slice(learned))).toContain('OVERLAY');
    expect(causes(all.slice(-FPS)), 'as long as it ticks').toContain('OVERLAY');
  });
});

describe('gate: a clock in a busy scene', () => {
  const text = (i: number) => `12:00:${String(Math.floor(i / FPS)).padStart(2, '0')}`;
  // As many as a road has: always one in the picture, and often in front of each other.
  const traffic = (i: number): Box[] =>
    [0, 1, 2, 3].map((n) => ({
      ...{ x: ((i * (2 + n / 2) + n * 61) % 220) - 40, y: 40 + 18 * n, width: 30, height: 16 },
      colour: [60 + 50 * n, 210 - 40 * n, 60],
    }));

  it('is learned although things move all the time, and only the clock is', () => {
    const all = gated(FPS * 20, (i) => ({ clock: text(i), boxes: traffic(i) }));
    const learned = all.findIndex(({ overlays }) => overlays.length > 0);
    expect(learned).toBeGreaterThan(0);
    expect(learned).toBeLessThan(FPS * 12);
    const clock = grown(new Stage().clockRegion(text(0)), 12);
    for (const { overlays } of all) for (const region of overlays) expect(shareIn(region, clock)).toBe(1);
    expect(causes(all)).toContain('OVERLAY');
  });

  it('is not seen in traffic alone, nor in a lamp that blinks in a passing car', () => {
    const all = gated(FPS * 20, (i) => ({
      boxes: traffic(i).flatMap((box, n) =>
        n === 1 && i % 20 < 10 ? [box, { ...box, x: box.x + 4, width: 5, height: 5, colour: [255, 200, 60] }] : [box],
      ),
    }));
    expect(all.flatMap(({ overlays }) => overlays)).toEqual([]);
  });
});

describe('gate: the view is lost', () => {
  const [from, to] = [40, 110];
  const isLost = (i: number): boolean => i >= from && i < to;
  const unseenFrames = (all: readonly FrameEvidence[]): number[] =>
    all.flatMap((evidence, i) => (evidence.motion === 'unseen' ? [i] : []));
  const all = (first: number, end: number): number[] => Array.from({ length: end - first }, (_, i) => first + i);
  const hand: Box = { x: 0, y: 0, width: 160, height: 120, colour: [92, 70, 60] };
  const losses: [string, string, Shot][] = [
    ['a black picture', 'of its light', { gain: 0 }],
    ['a covered lens', 'of its detail', { boxes: [hand], blurPx: 5 }],
    ['a lens out of focus', 'of its sharpness', { blurPx: 7 }],
  ];

  it.each(losses)('%s is OBSCURED as long as it lasts, and nothing has changed by it', (_, unit, shot) => {
    const seen = gated(170, (i) => (isLost(i) ? shot : {}));
    const unseen = unseenFrames(seen);
    // Where hardly a cell is another, it is looked for five times a second.
    expect(unseen[0]).toBeLessThan(from + FPS / 5);
    expect(unseen).toEqual(all(unseen[0], to));
    expect(causes(seen)).toEqual(new Set(['OBSCURED']));
    expect(new Set(seen.flatMap(({ nuisances }) => nuisances.map((n) => n.unit)))).toEqual(new Set([unit]));
    expect(activeFrames(seen)).toEqual([]);
    expect(settledIn(seen)).toEqual([]);
  });

  it.each<[string, (i: number) => Shot]>([
    ['little light', (i) => ({ gain: i < from ? 1 : 0.3 })],
    ['a camera that was turned', (i) => ({ shift: i < from ? { dx: 0, dy: 0 } : { dx: 6, dy: 5 } })],
    ['a shadow over most of it', (i) => (i < from ? {} : { shadow: { x: 80, y: 60, radiusPx: 120, darkness: 0.7 } })],
    ['noise', (i) => ({ noiseSigma: i < from ? 1.5 : 12 })],
    ['a thing that covers half of it', (i) => (i < from ? {} : { boxes: [{ ...hand, width: 90 }] })],
  ])('%s does not hide it', (_, shotAt) => {
    const seen = gated(120, shotAt);
    expect(unseenFrames(seen)).toEqual([]);
    expect(causes(seen)).not.toContain('OBSCURED');
  });

  it.each([
    ['what covers the lens for longer than a minute is what the camera watches now', losses[1][2], 62],
    ['black never is', losses[0][2], 90],
  ] as const)('%s', (_, shot, lastS) => {
    const stage = new Stage({ seed: 1 });
    const gate = new Gate();
    const seen = Array.from({ length: 180 }, (_, i) =>
      gate.measure(refOf(i, { fps: 2 }), stage.draw({ noiseSigma: 1.5, ...(i < 4 ? {} : shot) })),
    );
    const unseen = unseenFrames(seen);
    expect(unseen).toEqual(all(4, 4 + unseen.length));
    expect(4 + unseen.length).toBe(Math.min(180, 2 * lastS));
  });

  it('is lost on over a restart', () => {
    const stage = new Stage({ seed: 1 });
    const shots = Array.from({ length: 120 }, (_, i) =>
      stage.draw({ noiseSigma: 1.5, ...(isLost(i) ? { gain: 0 } : {}) }),
    );
    const whole = new Gate();
    const before = new Gate();
    for (let i = 0; i < 60; i++) before.measure(refOf(i), shots[i]);
    for (let i = 0; i < 60; i++) whole.measure(refOf(i), shots[i]);
    const after = new Gate({}, before.snapshot());
    for (let i = 60; i < 120; i++) expect(after.measure(refOf(i), shots[i])).toEqual(whole.measure(refOf(i), shots[i]));
  });
});

describe('gate: something happens', () => {
  it('a thing that appears and stays settles as one region, with its times', () => {
    const all = gated(120, (i) => (i < 50 ? {} : { boxes: [red] }));
    expect(activeFrames(all.slice(0, 50))).toEqual([]);
    expect(all[50].motion).toBe('active');
    const settled = settledIn(all);
    expect(settled).toHaveLength(1);
    expect(iou(settled[0].region, red)).toBeGreaterThan(0.6);
    expect(settled[0].leftAt).toMatchObject({ frame: 50, elapsedMs: refOf(50).elapsedMs });
    expect(settled[0].leftAt.timeMs).toBe(refOf(50).eventTimeMs);
    // It looks the same from its first frame on; smoothing over the last moments adds a few frames.
    expect(settled[0].restedAt.frame).toBeGreaterThanOrEqual(50);
    expect(settled[0].restedAt.frame).toBeLessThanOrEqual(50 + FPS / 2);
    expect(activeFrames(all.slice(90))).toEqual([]);
  });

  it('a thing that is carried in leaves its mark where it rests, once and not on its way', () => {
    const xAt = (i: number) => Math.min(100, -30 + (i - 40) * 4);
    const all = gated(150, (i) => ({ boxes: i < 40 ? [] : [{ ...red, x: xAt(i) }] }));
    const settled = settledIn(all);
    expect(settled).toHaveLength(1);
    expect(iou(settled[0].region, { ...red, x: 100 })).toBeGreaterThan(0.6);
    expect(trackIds(all).size).toBe(1);
  });

  it('a thing taken away settles too', () => {
    const all = gated(120, (i) => (i < 50 ? { boxes: [red] } : {}));
    expect(settledIn(all)).toHaveLength(1);
    expect(settledIn(all)[0].leftAt.frame).toBe(50);
  });

  it('two things that cross keep their tracks', () => {
    const boxes = (i: number): Box[] => {
      const way = (i - 20) * 2.5;
      return [
        { x: -24 + way, y: 40, width: 24, height: 22, colour: [220, 60, 50] },
        { x: 160 - way, y: 52, width: 24, height: 22, colour: [40, 60, 210] },
      ];
    };
    const all = gated(100, (i) => ({ boxes: i < 20 ? [] : boxes(i) }));
    expect(trackIds(all).size).toBe(2);
    const [a, b] = [...trackIds(all)].map((id) => all.flatMap(({ tracks }) => tracks.filter((t) => t.id === id)));
    const [right, left] = a[0].region.x < b[0].region.x ? [a, b] : [b, a];
    expect(right.at(-1)!.region.x).toBeGreaterThan(right[0].region.x + 100);
    expect(left.at(-1)!.region.x).toBeLessThan(left[0].region.x - 80);
  });

  it('tells of a track when and where it was born and all that it covered', () => {
    const all = gated(70, (i) => ({ boxes: i < 20 ? [] : [{ ...red, x: (i - 20) * 2 }] }));
    const seen = all.flatMap(({ tracks }) => tracks);
    const last = seen.at(-1)!;
    expect(last.born.frame).toBe(20);
    expect(last.origin).toEqual(seen[0].region);
    for (const { region } of seen) expect(shareIn(region, last.sweep)).toBeCloseTo(1);
  });

  it.each([
    { look: 'as light as the scene', colour: [200, 60, 50] },
    { look: 'lighter', colour: [235, 225, 215] },
    { look: 'darker', colour: [30, 30, 40] },
  ] as const)('what moves from the first frame on, $look, leaves no ghost where it stood', ({ colour }) => {
    const all = gated(110, (i) => ({ boxes: i < 40 ? [{ ...red, x: 20 + 4 * i, colour }] : [] }));
    expect(settledIn(all)).toEqual([]);
    expect(activeFrames(all.slice(60))).toEqual([]);
  });

  it('movement under changing light is still movement, and the light is still named', () => {
    const all = gated(120, (i) => ({ gain: i < 40 ? 1 : 1.25, boxes: i < 60 ? [] : [red] }));
    expect(activeFrames(all)[0]).toBe(60);
    expect(causes(all)).toEqual(new Set(['LIGHTING']));
    expect(settledIn(all)).toHaveLength(1);
  });
});

describe('gate: its state', () => {
  it('begins a new scene with a frame of another size, without telling two things by one id', () => {
    const gate = new Gate();
    const small = new Stage();
    const large = new Stage({ width: 240, height: 160, seed: 9 });
    const passing = (stage: Stage, i: number) => stage.draw({ boxes: i < 20 ? [] : [{ ...red, x: (i - 20) * 3 }] });
    const before = Array.from({ length: 40 }, (_, i) => gate.measure(refOf(i), passing(small, i)));
    const after = Array.from({ length: 40 }, (_, i) => {
      const ref = refOf(40 + i, { width: 240, height: 160 });
      return gate.measure(ref, passing(large, i));
    });
    expect(activeFrames(after.slice(0, 20))).toEqual([]);
    expect(trackIds(before).size).toBe(1);
    expect(trackIds(after).size).toBe(1);
    expect(trackIds(after)).not.toEqual(trackIds(before));
  });

  it('goes on from a snapshot of any moment as if nothing had been', () => {
    const stage = new Stage({ width: 96, height: 72 });
    const pictures: PictureU8[] = Array.from({ length: 60 }, (_, i) =>
      stage.draw({
        noiseSigma: 2,
        gain: i < 12 ? 1 : 1.2,
        clock: String(Math.floor(i / 8)),
        boxes: i > 20 && i < 50 ? [{ ...red, x: i * 2 - 40, y: 30, width: 20, height: 20 }] : [],
        shift: { dx: i > 50 ? 0.8 : 0, dy: 0 },
      }),
    );
    const measure = (gate: Gate, from: number, to: number) =>
      pictures.slice(from, to).map((picture, i) => gate.measure(refOf(from + i), picture));
    const undisturbed = measure(new Gate(), 0, pictures.length);
    fc.assert(
      fc.property(fc.nat(pictures.length - 1), (stop) => {
        const first = new Gate();
        measure(first, 0, stop);
        const state = first.snapshot();
        expect(structuredClone(state)).toEqual(state);
        const kept = structuredClone(state);
        const second = new Gate({}, state);
        expect(measure(second, stop, pictures.length)).toEqual(undisturbed.slice(stop));
        expect(state, 'the snapshot is a copy').toEqual(kept);
      }),
      { numRuns: 12 },
    );
  });
});

const grown = ({ x, y, width, height }: Region, marginPx: number): Region => ({
  x: x - marginPx,
  y: y - marginPx,
  width: width + 2 * marginPx,
  height: height + 2 * marginPx,
});

describe('gate: zones', () => {
  const leftHalf: Zone['polygon'] = [
    [0, 0],
    [0.45, 0],
    [0.45, 1],
    [0, 1],
  ];
  const far: Box = { x: 110, y: 60, width: 30, height: 30, colour: [40, 90, 200] };
  /** A thing comes at the left, and another one at the right. */
  const shotAt = (i: number): Shot => ({
    boxes: [...(i >= 30 ? [{ ...red, x: 10, width: 30 }] : []), ...(i >= 60 ? [far] : [])],
  });
  const sides = (zones?: readonly Zone[]) => {
    const all = gated(100, shotAt, 1, zones);
    return settledIn(all).map(({ region }) => (region.x < 80 ? 'left' : 'right'));
  };

  it.each([
    [undefined, ['left', 'right']],
    ['name', ['left', 'right']],
    ['exclude', ['right']],
    ['private', ['right']],
    ['include', ['left']],
  ] as const)('of use %s: what is told of both sides', (use, told) => {
    expect(sides(use && [{ name: 'half', use, polygon: leftHalf }])).toEqual(told);
  });

  it('that are excluded still tell of the light', () => {
    const zones: Zone[] = [{ name: 'half', use: 'exclude', polygon: leftHalf }];
    const all = gated(80, (i) => ({ gain: i < 30 ? 1 : 0.7, boxes: i >= 50 ? [{ ...red, x: 10 }] : [] }), 1, zones);
    expect(activeFrames(all)).toEqual([]);
    expect(causes(all)).toEqual(new Set(['LIGHTING']));
  });
});
