import { beforeAll, describe, expect, it } from 'vitest';
import { gateClip } from '../../bench/gates/clips.js';
import { blinkstream, openCvMethods, type GateMethod } from '../../bench/gates/methods.js';
import { openCv } from '../../bench/gates/opencv.js';
import { refOf, Stage, type Shot } from '../../fixtures/stage.js';

const names = ['Blinkstream', 'frame difference', 'running average', 'MOG2'] as const;
const methods = new Map<string, GateMethod>();

beforeAll(async () => {
  const { cv } = await openCv();
  for (const method of [blinkstream, ...openCvMethods(cv)]) methods.set(method.name, method);
});

/** Which frames of a scene a method flags. */
function flaggedIn(name: string, shotAt: (index: number) => Shot): number[] {
  const stage = new Stage({ width: 320, height: 240 });
  const gate = methods.get(name)!.open();
  const flagged = Array.from({ length: 30 }, (_, i) => {
    const ref = refOf(i, { width: 320, height: 240, fps: 5 });
    return gate.look(stage.draw({ noiseSigma: 1.5, ...shotAt(i) }), ref).flagged ? i : -1;
  });
  gate.close();
  return flagged.filter((i) => i >= 0);
}

describe.each(names)('%s', (name) => {
  it('flags nothing in a still scene, and a large thing as soon as it comes', () => {
    const box = { x: 100, y: 80, width: 80, height: 90, colour: [230, 60, 50] } as const;
    const flagged = flaggedIn(name, (i) => (i < 20 ? {} : { boxes: [box] }));
    expect(flagged[0]).toBe(20);
  });
});

it('forgets what stands still, as the difference of frames does, or keeps it, as a slow average does', () => {
  const box = { x: 100, y: 80, width: 80, height: 90, colour: [230, 60, 50] } as const;
  const shotAt = (i: number): Shot => (i < 10 ? {} : { boxes: [box] });
  expect(flaggedIn('frame difference', shotAt)).toEqual([10]);
  expect(flaggedIn('running average', shotAt)).toHaveLength(20);
});

it('draws the same clip for the same seed, and another for another', async () => {
  const [once, again, other] = [await gateClip('noise', 1), await gateClip('noise', 1), await gateClip('noise', 2)];
  const last = once.pictures.length - 1;
  expect(Buffer.compare(once.pictures[last].data, again.pictures[last].data)).toBe(0);
  expect(Buffer.compare(once.pictures[last].data, other.pictures[last].data)).not.toBe(0);
});
