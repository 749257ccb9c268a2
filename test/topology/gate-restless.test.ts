import { describe, expect, it } from 'vitest';
import { textDistance, textWidth } from '../../fixtures/lettering.js';
import { restless, withRestless } from '../../fixtures/restless.js';
import { refOf, Stage, type Box } from '../../fixtures/stage.js';
import { compareScenes } from '../../src/evidence/comparison.js';
import { iou, overlapOfSmaller, shareIn } from '../../src/pixels/geometry.js';
import type { PictureU8, Region } from '../../src/records/index.js';
import { Gate } from '../../src/sequences/gate/gate.js';

const SIZE = { width: 320, height: 240 };
const FPS = 10;
const bag: Box = { x: 60, y: 100, width: 34, height: 30, colour: [150, 60, 50] };
const kinds = Object.keys(restless) as (keyof typeof restless)[];

describe.each(kinds)('%s', (kind) => {
  const { region } = restless[kind];
  const stage = new Stage(SIZE);
  const gate = new Gate();
  const frames = Array.from({ length: 30 * FPS }, (_, i) => {
    const picture = stage.draw({ noiseSigma: 1.5, boxes: i >= 24 * FPS ? [bag] : [] });
    return gate.measure(refOf(i, { ...SIZE, fps: FPS }), withRestless(picture, kind, i / FPS));
  });
  const known = frames.slice(15 * FPS, 24 * FPS);

  it('is known after some seconds, and is no movement any more, nor light', () => {
    expect(known.flatMap(({ tracks }) => tracks)).toEqual([]);
    expect(known.flatMap(({ nuisances }) => nuisances)).toEqual([]);
    expect(known.flatMap(({ settled }) => settled)).toEqual([]);
    expect(new Set(frames.map(({ illumination }) => illumination))).toEqual(new Set([0]));
  });

  it('is said to be restless, and nothing else is', () => {
    const told = known[known.length - 1].restless ?? [];
    expect(told.length).toBeGreaterThan(0);
    const around = { x: region.x - 8, y: region.y - 8, width: region.width + 16, height: region.height + 16 };
    for (const box of told) expect(shareIn(box, around)).toBe(1);
  });

  it('hides nothing that comes beside it', () => {
    const settled = frames.slice(24 * FPS).flatMap((frame) => frame.settled);
    expect(settled).toHaveLength(1);
    expect(iou(settled[0].region, bag)).toBeGreaterThan(0.6);
  });

  it('differs from itself at any two moments, of which a comparison that leaves it out tells nothing but the bag', () => {
    const at = (seconds: number, boxes: readonly Box[]) =>
      Array.from({ length: 5 }, (_, n) => {
        const picture = stage.draw({ noiseSigma: 1.5, boxes });
        return withRestless(picture, kind, seconds + n / 6);
      });
    const ignored = known[known.length - 1].restless ?? [];
    const { regions } = compareScenes(at(3, []), at(40.3, [bag]), ignored);
    // A leaf at the edge of a crown may be left over; it is too small to be told.
    const large = regions.filter(({ areaPx }) => areaPx > 0.001 * SIZE.width * SIZE.height);
    expect(large).toHaveLength(1);
    expect(overlapOfSmaller(large[0].region, bag)).toBeGreaterThan(0.9);
  });
});

describe('what moves', () => {
  it('along a road without a pause is told on and on: the road rests between two cars', () => {
    const stage = new Stage(SIZE);
    const gate = new Gate();
    const frames = Array.from({ length: 40 * FPS }, (_, i) => {
      const car = (n: number): Box => ({
        x: ((i * 9 + n * 170) % 510) - 80,
        y: 120,
        width: 60,
        height: 30,
        colour: [200, 60, 50],
      });
      return gate.measure(
        refOf(i, { ...SIZE, fps: FPS }),
        stage.draw({ noiseSigma: 1.5, boxes: [car(0), car(1), car(2)] }),
      );
    });
    const late = frames.slice(30 * FPS);
    expect(late.filter(({ motion }) => motion === 'active').length).toBeGreaterThan(0.95 * late.length);
  });
});

describe('a line of text with most of the detail of the picture', () => {
  it('that goes is not a lens out of focus', () => {
    const stage = new Stage(SIZE);
    const gate = new Gate();
    const text = '88888888888888888888';
    const frames = Array.from({ length: 12 * FPS }, (_, i) =>
      gate.measure(refOf(i, { ...SIZE, fps: FPS }), stage.draw({ noiseSigma: 1, ...(i < 6 * FPS && { clock: text }) })),
    );
    expect(frames.every(({ motion }) => motion !== 'unseen')).toBe(true);
  });
});

describe('text that scrolls', () => {
  const band: Region = { x: 0, y: 212, width: 320, height: 20 };
  const text = 'OPEN 12:35 CLOSED 47 SLOPE 3 SOLD 896 ENDS 15:20 ';
  const widthPx = Math.ceil(textWidth(text, 14));
  const distance = textDistance(text, 14);
  /** A band along the bottom, in which the text passes to the left, 60 px a second, between two breaks. */
  const withTicker = (picture: PictureU8, seconds: number): PictureU8 => {
    const data = picture.data.slice();
    for (let y = band.y; y < band.y + band.height; y++) {
      for (let x = 0; x < band.width; x++) {
        const ink = Math.min(1, Math.max(0, 1.6 - distance((x + Math.floor(60 * seconds)) % widthPx, y - band.y - 3)));
        data.fill(20 + 220 * ink, (y * picture.width + x) * 3, (y * picture.width + x) * 3 + 3);
      }
    }
    return { ...picture, data };
  };
  const stage = new Stage(SIZE);
  const gate = new Gate();
  const frames = Array.from({ length: 60 * FPS }, (_, i) => {
    // For half a minute nothing is written there.
    const seconds = i / FPS;
    const picture = stage.draw({ noiseSigma: 1.5, boxes: seconds >= 50 ? [bag] : [] });
    return gate.measure(
      refOf(i, { ...SIZE, fps: FPS }),
      seconds < 15 || seconds > 45 ? withTicker(picture, seconds) : withTicker(picture, 9.4),
    );
  });

  it('is an overlay, and known again when it goes on', () => {
    const told = frames.map(({ nuisances }) => nuisances.some(({ cause }) => cause === 'OVERLAY'));
    expect(told.slice(0, 8 * FPS)).toContain(true);
    expect(told[40 * FPS]).toBe(false);
    expect(told.slice(45 * FPS)).toContain(true);
    const { overlays } = frames[40 * FPS];
    expect(overlays).toHaveLength(1);
    expect(iou(overlays[0], band)).toBeGreaterThan(0.6);
  });

  it('is no movement and hides none', () => {
    const active = frames.flatMap(({ motion }, i) => (i > 8 * FPS && motion === 'active' ? [i / FPS] : []));
    expect(active.every((seconds) => seconds >= 50)).toBe(true);
    expect(frames.flatMap(({ settled }) => settled)).toHaveLength(1);
  });
});
