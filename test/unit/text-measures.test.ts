import { describe, expect, test } from 'vitest';
import { textBoxes } from '../../src/evidence/text-boxes.js';
import { decodeCtc } from '../../src/evidence/text-decoding.js';
import { drawOut, inkOf, joinWords, type InkLine } from '../../src/evidence/text-ink.js';
import type { Region } from '../../src/records/index.js';
import { drawSign, scene } from '../support/signs.js';

describe('decodeCtc', () => {
  const keys = ['', 'A', 'B', ' '];
  /** One step each: the class and its probability; the rest goes to the blank or, for the blank, to A. */
  const steps = (...list: readonly (readonly [number, number])[]) => {
    const values = new Float32Array(list.length * keys.length);
    list.forEach(([best, probability], step) => {
      values[step * keys.length + best] = probability;
      values[step * keys.length + (best === 0 ? 1 : 0)] = 1 - probability;
    });
    return { dims: [1, list.length, keys.length], values };
  };

  test('merges repeats, drops blanks, keeps what a blank parts and the space', () => {
    const path = steps([1, 0.9], [1, 0.9], [0, 0.9], [1, 0.9], [3, 0.9], [2, 0.9]);
    expect(decodeCtc(path, keys).text).toBe('AA B');
  });

  test('confidence is the mean over characters, not over blanks and repeats', () => {
    expect(decodeCtc(steps([1, 0.8], [1, 0.99], [0, 0.99], [2, 0.6]), keys).confidence).toBeCloseTo(0.7, 6);
  });

  test('blanks alone are no text', () => {
    expect(decodeCtc(steps([0, 1], [0, 1]), keys)).toEqual({ text: '', confidence: 0 });
  });
});

describe('textBoxes', () => {
  const mapOf = (width: number, height: number, boxes: readonly (readonly [Region, number])[]): Float32Array => {
    const map = new Float32Array(width * height);
    for (const [box, probability] of boxes)
      for (let y = box.y; y < box.y + box.height; y++)
        map.fill(probability, y * width + box.x, y * width + box.x + box.width);
    return map;
  };

  test('grows a component by area × 1.5 / perimeter', () => {
    const [found] = textBoxes(mapOf(60, 40, [[{ x: 20, y: 15, width: 20, height: 5 }, 0.9]]), 60, 40);
    // 20 × 5 × 1.5 / 50 = 3
    expect(found.box).toEqual({ x: 17, y: 12, width: 26, height: 11 });
    expect(found.score).toBeCloseTo(0.9, 6);
  });

  test('clips to the map and orders from top to bottom', () => {
    const low = { x: 0, y: 30, width: 30, height: 10 };
    const high = { x: 20, y: 4, width: 20, height: 5 };
    const found = textBoxes(
      mapOf(60, 40, [
        [low, 0.9],
        [high, 0.8],
      ]),
      60,
      40,
    );
    expect(found.map(({ box }) => [box.x, box.y + box.height])).toEqual([
      [17, 12],
      [0, 40],
    ]);
  });

  test('drops specks, unsure components and what lies under the threshold', () => {
    const boxes = [
      [{ x: 5, y: 5, width: 2, height: 9 }, 0.9],
      [{ x: 20, y: 5, width: 9, height: 9 }, 0.5],
      [{ x: 40, y: 5, width: 9, height: 9 }, 0.3],
    ] as const;
    expect(textBoxes(mapOf(60, 40, boxes), 60, 40)).toEqual([]);
  });
});

describe('ink', () => {
  const white = [245, 245, 245] as const;
  const blue = [20, 50, 120] as const;
  const around = (box: Region, margin: number): Region => ({
    x: box.x - margin,
    y: box.y - margin,
    width: box.width + 2 * margin,
    height: box.height + 2 * margin,
  });
  const drawn = (text: string) => {
    const picture = scene(400, 120);
    return { picture, ...drawSign(picture, { text, x: 40, y: 30, dotPx: 3, paper: blue, ink: white }) };
  };

  test('is fitted to the letters', () => {
    const { picture, letters } = drawn('OPEN');
    expect(inkOf(picture, around(letters, 6))?.box).toEqual(letters);
  });

  test('leaves a rule under the letters out', () => {
    const { picture, letters } = drawn('OPEN');
    for (let x = letters.x - 10; x < letters.x + letters.width + 10; x++) {
      picture.data.set(white, ((letters.y + letters.height + 3) * picture.width + x) * 3);
    }
    expect(inkOf(picture, around(letters, 6))?.box).toEqual(letters);
  });

  test('is not there where nothing differs from the paper', () => {
    expect(inkOf(scene(400, 120), { x: 40, y: 30, width: 60, height: 20 })).toBeUndefined();
  });

  test('is drawn out to a lone last digit, not to the frame', () => {
    const { picture, letters } = drawn('PLATFORM 4');
    const seen = around({ ...letters, width: 8 * 18 - 3 }, 5);
    const line = inkOf(picture, seen);
    expect(line?.box.width).toBe(8 * 18 - 3);
    expect(drawOut(line as InkLine, picture, [])).toEqual(letters);
  });

  test('is not drawn out into another line', () => {
    const { picture, letters } = drawn('PLATFORM 4');
    const words = around({ ...letters, width: 8 * 18 - 3 }, 5);
    const digit = around({ ...letters, x: letters.x + 9 * 18, width: 15 }, 5);
    const [left, right] = [inkOf(picture, words) as InkLine, inkOf(picture, digit) as InkLine];
    expect(drawOut(left, picture, [right])).toEqual(left.box);
  });
});

describe('joinWords', () => {
  const word = (x: number, y: number, width: number, height = 20): InkLine => ({
    box: { x, y, width, height },
    isInk: () => true,
  });
  const join = (...words: InkLine[]): Region[] => joinWords(words).map(({ box }) => box);

  test('joins words a blank apart, in any order', () => {
    expect(join(word(125, 1, 40), word(0, 0, 100))).toEqual([{ x: 0, y: 0, width: 165, height: 21 }]);
  });

  test('keeps columns, lines below and other sizes apart', () => {
    expect(join(word(0, 0, 100), word(140, 0, 40))).toHaveLength(2);
    expect(join(word(0, 0, 100), word(0, 25, 100))).toHaveLength(2);
    expect(join(word(0, 0, 100, 50), word(110, 10, 100, 20))).toHaveLength(2);
  });

  test('joins a mark that is lower than the letters', () => {
    expect(join(word(0, 0, 100), word(110, 9, 8, 3))).toHaveLength(1);
  });
});
