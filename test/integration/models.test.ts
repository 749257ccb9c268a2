import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cosine, embed } from '../../src/evidence/embedding.js';
import { openModels, type Models } from '../../src/evidence/models.js';
import { detectObjects } from '../../src/evidence/objects.js';
import { readLine, readText } from '../../src/evidence/text.js';
import type { PictureU8 } from '../../src/records/index.js';
import { addNoise, drawSign, scene, type Colour, type Sign } from '../support/signs.js';

let models: Models;
beforeAll(async () => {
  models = await openModels();
});
afterAll(() => models.close());

const papers: readonly (readonly [paper: Colour, ink: Colour])[] = [
  [
    [235, 235, 225],
    [20, 20, 30],
  ],
  [
    [20, 50, 120],
    [245, 245, 245],
  ],
  [
    [200, 170, 30],
    [15, 15, 15],
  ],
];

function sign(text: string, more: Partial<Sign> = {}) {
  const picture = scene(640, 360);
  const [paper, ink] = papers[0];
  const drawn = drawSign(picture, { text, x: 150, y: 140, dotPx: 3, paper, ink, ...more });
  addNoise(picture, 1.5);
  return { picture, ...drawn };
}

describe('text', () => {
  const cases = ['OPEN', 'CLOSED', 'PLATFORM 4', 'PLATFORM 7', 'GATE A12', 'STOP'].flatMap((text, i) =>
    [3, 4].map((dotPx) => ({ text, dotPx, look: papers[(i + dotPx) % papers.length] })),
  );

  test.each(cases)('reads $text in letters of 7 × $dotPx px', async ({ text, dotPx, look: [paper, ink] }) => {
    const { picture, sign: region, letters } = sign(text, { dotPx, paper, ink });
    const [line, ...others] = await readText(models, picture, { region });
    expect(others).toEqual([]);
    expect(line.text).toBe(text);
    expect(line.confidence).toBeGreaterThan(0.6);
    for (const side of ['x', 'y', 'width', 'height'] as const)
      expect(Math.abs(line.region[side] - letters[side])).toBeLessThanOrEqual(4);
  });

  test('reads the whole line where only its last letter is asked about', async () => {
    const { picture, letters } = sign('PLATFORM 7', { dotPx: 4 });
    const last = { x: letters.x + letters.width - 20, y: letters.y, width: 20, height: letters.height };
    expect((await readText(models, picture, { region: last })).map(({ text }) => text)).toEqual(['PLATFORM 7']);
  });

  test('gives the lines of a whole picture from top to bottom', async () => {
    const { picture } = sign('OPEN');
    drawSign(picture, { text: 'GATE 12', x: 60, y: 260, dotPx: 3, paper: papers[1][0], ink: papers[1][1] });
    expect((await readText(models, picture)).map(({ text }) => text)).toEqual(['OPEN', 'GATE 12']);
  });

  test('reads a place without looking for text', async () => {
    const { picture, letters } = sign('CLOSED');
    const region = { x: letters.x - 5, y: letters.y - 5, width: letters.width + 10, height: letters.height + 10 };
    expect((await readLine(models, picture, region))?.text).toBe('CLOSED');
  });

  test('finds none where there is none', async () => {
    const picture = scene(640, 360);
    addNoise(picture, 2);
    expect(await readText(models, picture)).toEqual([]);
  });

  test('refuses a region outside the picture', async () => {
    const region = { x: 700, y: 0, width: 10, height: 10 };
    await expect(readText(models, scene(640, 360), { region })).rejects.toMatchObject({ code: 'REGION_OUTSIDE' });
  });
});

/** A red octagon with white letters on a pole. */
function stopSign(): PictureU8 {
  const picture = scene(640, 360);
  const { data } = picture;
  const [cx, cy, radius] = [430, 150, 80];
  for (let y = 0; y < 360; y++) {
    for (let x = 0; x < 640; x++) {
      const [dx, dy] = [Math.abs(x - cx), Math.abs(y - cy)];
      const reach = Math.max(dx, dy, (dx + dy) / Math.SQRT2);
      if (dx < 5 && y > cy) data.set([120, 120, 125], (y * 640 + x) * 3);
      if (reach < radius) data.set(reach < radius - 6 ? [190, 20, 30] : [240, 240, 240], (y * 640 + x) * 3);
    }
  }
  const letters = { paper: [190, 20, 30], ink: [245, 245, 245] } as const;
  const word = scene(200, 100);
  const { letters: box } = drawSign(word, { text: 'STOP', x: 0, y: 0, dotPx: 5, ...letters });
  for (let y = 0; y < box.height; y++) {
    const from = ((box.y + y) * word.width + box.x) * 3;
    data.set(word.data.subarray(from, from + box.width * 3), ((cy - 17 + y) * 640 + cx - 57) * 3);
  }
  addNoise(picture, 1);
  return picture;
}

describe('objects', () => {
  const box = { x: 350, y: 70, width: 160, height: 160 };

  test('finds and places a stop sign', async () => {
    const [best] = await detectObjects(models, stopSign());
    expect(best.label).toBe('stop sign');
    for (const side of ['x', 'y', 'width', 'height'] as const)
      expect(Math.abs(best.region[side] - box[side])).toBeLessThanOrEqual(12);
  });

  test('looks at a region in px of the picture', async () => {
    const [best] = await detectObjects(models, stopSign(), { region: box });
    expect(best.label).toBe('stop sign');
    for (const side of ['x', 'y', 'width', 'height'] as const)
      expect(Math.abs(best.region[side] - box[side])).toBeLessThanOrEqual(12);
  });

  test('gives nothing that does not touch the region', async () => {
    expect(await detectObjects(models, stopSign(), { region: { x: 20, y: 200, width: 60, height: 60 } })).toEqual([]);
  });

  test('gives the same twice', async () => {
    expect(await detectObjects(models, stopSign())).toEqual(await detectObjects(models, stopSign()));
  });
});

describe('embedding', () => {
  test('has unit length, and is nearer to the same scene than to another', async () => {
    const a = await embed(models, sign('OPEN').picture);
    const dimmed = sign('OPEN').picture;
    const b = await embed(models, { ...dimmed, data: dimmed.data.map((level) => level * 0.9) });
    const other = await embed(models, stopSign());
    expect(a).toHaveLength(1792);
    expect(cosine(a, a)).toBeCloseTo(1, 5);
    expect(Math.hypot(...a)).toBeCloseTo(1, 5);
    expect(cosine(a, b)).toBeGreaterThan(cosine(a, other) + 0.1);
  });
});

test('closed models refuse to run', async () => {
  const closing = await openModels();
  await closing.close();
  await expect(embed(closing, scene(32, 32))).rejects.toMatchObject({ code: 'MODELS_CLOSED' });
});
