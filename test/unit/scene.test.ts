import { describe, expect, it } from 'vitest';
import { HEIGHT_PX, WIDTH_PX } from '../../fixtures/room.js';
import { CLOCK_REGION, drawFrames } from '../../fixtures/scene.js';
import { demoScript, stillScript, type Script } from '../../fixtures/script.js';
import { demoTruth, truthOf } from '../../fixtures/truth.js';
import type { Region } from '../../src/records/index.js';

/** The demo without what hides small differences. */
const plainDemo: Script = { ...demoScript, noiseSigma: 0, gainAt: () => 1, clock: false };

/** Mean absolute difference of two frames inside a region, grey levels. */
function difference(a: Uint8Array, b: Uint8Array, region: Region): number {
  let sum = 0;
  let samples = 0;
  for (let y = Math.round(region.y); y < Math.round(region.y + region.height); y++) {
    for (let i = (y * WIDTH_PX + Math.round(region.x)) * 3; i < (y * WIDTH_PX + region.x + region.width) * 3; i++) {
      sum += Math.abs(a[i] - b[i]);
      samples += 1;
    }
  }
  return sum / samples;
}

const whole: Region = { x: 0, y: 0, width: WIDTH_PX, height: HEIGHT_PX };
const short = (script: Partial<Script>): Uint8Array[] => [
  ...drawFrames({ ...stillScript, durationMs: 400, ...script }),
];

describe('the drawn scene', () => {
  it('gives the same bytes for the same script, other noise for another seed', () => {
    const [first, again, other] = [short({}), short({}), short({ seed: 2 })];
    expect(first).toHaveLength(5);
    first.forEach((frame, i) => expect(Buffer.compare(frame, again[i])).toBe(0));
    expect(Buffer.compare(first[0], other[0])).not.toBe(0);
  });

  it('changes nothing but noise, light or the clock where that is all that is asked for', () => {
    const bare = short({ noiseSigma: 0 });
    expect(difference(bare[0], bare[4], whole)).toBe(0);
    const noisy = short({ noiseSigma: 4 });
    // Mean difference of two normal samples is 2σ/√π.
    expect(difference(noisy[0], noisy[4], whole)).toBeCloseTo((2 * 4) / Math.sqrt(Math.PI), 0);
    const dark = short({ noiseSigma: 0, gainAt: () => 0.5 });
    expect(difference(bare[0], dark[0], whole)).toBeGreaterThan(40);
    const [, , , , , , , , , , , , , ticked] = drawFrames({ ...stillScript, noiseSigma: 0, clock: true });
    const [unticked] = bare;
    expect(difference(unticked, ticked, CLOCK_REGION)).toBeGreaterThan(5);
    expect(difference(unticked, ticked, { ...whole, y: 40, height: HEIGHT_PX - 40 })).toBe(0);
  });

  it('shows every lasting change of its truth at its place and time, and nothing where all came back', () => {
    const frames = [...drawFrames(plainDemo)];
    expect(frames).toHaveLength(demoTruth.frames);
    for (const event of demoTruth.events) {
      // A hand may still be in front of a thing that stands already.
      const [before, after] = [frames[event.firstFrame - 1], frames[event.lastFrame + 20]];
      if (event.kind === 'ACTIVITY') {
        const middle = frames[Math.round((event.firstFrame + event.lastFrame) / 2)];
        expect(difference(before, middle, event.region), event.what).toBeGreaterThan(3);
      } else {
        expect(difference(before, after, event.region), event.what).toBeGreaterThan(20);
        const later = frames[event.lastFrame + 25];
        expect(difference(after, later, event.region), `${event.what} is over`).toBe(0);
      }
    }
    const bottle = demoTruth.events[1].region;
    expect(difference(frames[0], frames[frames.length - 1], bottle)).toBe(0);
  });

  it('tells words and conditions', () => {
    expect(demoTruth.events.find((event) => event.kind === 'TEXT_CHANGED')).toMatchObject({
      textBefore: 'OPEN',
      textAfter: 'CLOSED',
    });
    expect(demoTruth.conditions.map((condition) => condition.cause)).toEqual(['OVERLAY', 'LIGHTING']);
    expect(truthOf(stillScript)).toMatchObject({ events: [], conditions: [], frames: 150 });
  });
});
