import sharp from 'sharp';
import { randomOf } from '../../fixtures/random.js';
import { Stage, type Box, type Shot } from '../../fixtures/stage.js';
import type { PictureU8 } from '../../src/records/index.js';

export const FPS = 5;
/** Nothing happens until then, so that every method knows the scene. */
export const QUIET_FRAMES = 10 * FPS;
const FRAMES = 60 * FPS;
const size = { width: 320, height: 240 } as const;

/** A clip of which it is known what happens in it. */
export interface GateClip {
  readonly name: string;
  readonly pictures: readonly PictureU8[];
  /** When something really changes; empty for a nuisance. `lasts`: it is still there at the end. */
  readonly change?: { readonly first: number; readonly last: number; readonly lasts: boolean };
}

interface Plan {
  readonly shotAt: (index: number, random: () => number) => Shot;
  /** What becomes of a picture on its way here. */
  readonly passed?: (picture: PictureU8, index: number) => Promise<PictureU8>;
  readonly change?: GateClip['change'];
}

const since = (index: number): number => Math.max(0, index - QUIET_FRAMES);
const bag: Box = { x: 190, y: 150, width: 34, height: 30, colour: [150, 60, 50] };
const small: Box = { x: 230, y: 120, width: 12, height: 10, colour: [40, 40, 45] };
const pale: Box = { x: 90, y: 140, width: 40, height: 32, colour: [165, 160, 150] };
const person = (x: number): Box => ({ x, y: 90, width: 30, height: 80, colour: [60, 70, 120] });
const farPerson = (x: number): Box => ({ x, y: 40, width: 7, height: 17, colour: [60, 70, 120] });
const rampAt = (index: number): number => 1 - 0.3 * Math.min(1, since(index) / (20 * FPS));

const dropsOf = (random: () => number, count: number): Box[] =>
  Array.from({ length: count }, () => ({
    ...{ x: random() * size.width, y: random() * size.height, width: 1, height: 9 },
    colour: [205, 208, 212],
  }));

const left = QUIET_FRAMES + 5 * FPS;
const lasting = { first: left, last: left, lasts: true };
/** Walks in from the left, and out at the right; or puts the bag down on the way and walks on. */
const walkerAt = (index: number): Box => person(-40 + (index - QUIET_FRAMES) * 9);
const putDownAt = QUIET_FRAMES + Math.round((bag.x + 40) / 9);

const plans: Readonly<Record<string, Plan>> = {
  noise: { shotAt: () => ({ noiseSigma: 10 }) },
  'slow gain ramp': { shotAt: (i) => ({ gain: rampAt(i) }) },
  'gain steps ×0.6': { shotAt: (i) => ({ gain: Math.floor(since(i) / (5 * FPS)) % 2 === 1 ? 0.6 : 1 }) },
  'auto-exposure ±8 %': { shotAt: (i) => ({ gain: 1 + 0.08 * Math.sin(since(i) / 3) }) },
  'shake ±2 px': {
    shotAt: (i, random) => (since(i) === 0 ? {} : { shift: { dx: 4 * random() - 2, dy: 4 * random() - 2 } }),
  },
  'clock overlay': { shotAt: (i) => ({ clock: `12:00:${String(Math.floor(i / FPS)).padStart(2, '0')}` }) },
  'JPEG flicker': { shotAt: () => ({}), passed: (picture, i) => encoded(picture, i % 5 === 0 ? 30 : 75) },
  'rain streaks': { shotAt: (i, random) => (since(i) === 0 ? {} : { boxes: dropsOf(random, 25) }) },
  'moving shadow': {
    shotAt: (i) => (since(i) === 0 ? {} : { shadow: { x: since(i) * 3 - 60, y: 120, radiusPx: 80, darkness: 0.4 } }),
  },
  'IR/mono switch': { shotAt: (i) => ({ grey: Math.floor(since(i) / (8 * FPS)) % 2 === 1 }) },
  'out of focus': { shotAt: (i) => (i >= left && i < left + 10 * FPS ? { blurPx: 9 } : {}) },
  'bag left': { shotAt: (i) => (i < left ? {} : { boxes: [bag] }), change: lasting },
  'bag left, seen being carried': {
    shotAt: (i) => (i < QUIET_FRAMES ? {} : { boxes: [...(i >= putDownAt ? [bag] : []), walkerAt(i)] }),
    change: { first: QUIET_FRAMES + 2, last: putDownAt, lasts: true },
  },
  'small thing left': { shotAt: (i) => (i < left ? {} : { boxes: [small] }), change: lasting },
  'pale thing left': { shotAt: (i) => (i < left ? {} : { boxes: [pale] }), change: lasting },
  'bag taken': { shotAt: (i) => (i < left ? { boxes: [bag] } : {}), change: lasting },
  'passer-by': {
    shotAt: (i) => (i < QUIET_FRAMES ? {} : { boxes: [walkerAt(i)] }),
    change: { first: QUIET_FRAMES + 2, last: QUIET_FRAMES + 36, lasts: false },
  },
  'passer-by far away': {
    shotAt: (i) => (i < QUIET_FRAMES ? {} : { boxes: [farPerson(-10 + (i - QUIET_FRAMES) * 3)] }),
    change: { first: QUIET_FRAMES + 4, last: QUIET_FRAMES + 100, lasts: false },
  },
  'bag left in noise, a gain ramp and rain': {
    shotAt: (i, random) => ({
      noiseSigma: 6,
      gain: rampAt(i),
      boxes: [...(i < left ? [] : [bag]), ...(since(i) === 0 ? [] : dropsOf(random, 15))],
    }),
    change: lasting,
  },
};

export const clipNames = Object.keys(plans);

/** Draws one of the clips. The same seed gives the same pictures. */
export async function gateClip(name: string, seed: number): Promise<GateClip> {
  const { shotAt, passed, change } = plans[name];
  const stage = new Stage({ ...size, seed });
  const random = randomOf(seed);
  const pictures: PictureU8[] = [];
  for (let i = 0; i < FRAMES; i++) {
    const picture = stage.draw({ noiseSigma: 1.5, ...shotAt(i, random) });
    pictures.push(passed === undefined ? picture : await passed(picture, i));
  }
  return { name, pictures, ...(change && { change }) };
}

async function encoded({ width, height, data }: PictureU8, quality: number): Promise<PictureU8> {
  const jpeg = await sharp(data, { raw: { width, height, channels: 3 } })
    .jpeg({ quality })
    .toBuffer();
  const back = await sharp(jpeg).raw().toBuffer();
  return { type: 'u8', width, height, channels: 3, data: new Uint8Array(back) };
}
