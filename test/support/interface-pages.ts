import { randomOf } from '../../fixtures/random.js';
import type { PictureU8, Region } from '../../src/records/index.js';

type Colour = readonly [number, number, number];

const white: Colour = [255, 255, 255];
const ink: Colour = [33, 33, 33];

/** Something drawn upon a page. */
export type Part =
  /** A line of made-up letters, 10 px high; the same word always looks the same. */
  | {
      readonly word: string;
      readonly x: number;
      readonly y: number;
      readonly colour?: Colour;
      readonly smooth?: boolean;
    }
  | { readonly box: Region; readonly fill?: Colour; readonly border?: Colour };

/** A page of `width × height` px. */
export function drawPage(width: number, height: number, parts: readonly Part[]): PictureU8 {
  const data = new Uint8Array(width * height * 3);
  const put = (x: number, y: number, colour: Colour, share = 1): void => {
    if (x < 0 || y < 0 || x >= width || y >= height) return;
    const at = 3 * (y * width + x);
    for (let c = 0; c < 3; c++) data[at + c] = Math.round(data[at + c] * (1 - share) + colour[c] * share);
  };
  data.fill(255);
  for (const part of parts) {
    if ('word' in part) drawWord(part, put);
    else drawBox(part, put);
  }
  return { type: 'u8', channels: 3, width, height, data };
}

type Put = (x: number, y: number, colour: Colour, share?: number) => void;

function drawBox({ box, fill = white, border }: Extract<Part, { box: Region }>, put: Put): void {
  for (let y = 0; y < box.height; y++) {
    for (let x = 0; x < box.width; x++) {
      const isRim = x === 0 || y === 0 || x === box.width - 1 || y === box.height - 1;
      put(box.x + x, box.y + y, isRim && border ? border : fill);
    }
  }
}

const letterPx = 6;
const advancePx = 8;

/** Each letter a stem with strokes that its character decides; `smooth` draws it half a pixel to the right. */
function drawWord({ word, x, y, colour = ink, smooth = false }: Extract<Part, { word: string }>, put: Put): void {
  [...word].forEach((letter, i) => {
    const random = randomOf((letter.codePointAt(0) ?? 0) * 7_919);
    const bars = Array.from({ length: 5 }, (_, bar) => bar === 0 || random() < 0.5);
    const isInk = (dx: number, dy: number): boolean =>
      dx === 0 || (dx > 0 && dx < letterPx && dy % 2 === 0 && bars[dy / 2]);
    for (let dy = 0; dy < 10; dy++) {
      for (let dx = 0; dx <= letterPx; dx++) {
        const share = smooth ? (Number(isInk(dx, dy)) + Number(isInk(dx - 1, dy))) / 2 : Number(isInk(dx, dy));
        if (share > 0) put(x + i * advancePx + dx, y + dy, colour, share);
      }
    }
  });
}

/** A menu of such words, a row every 24 px from `y` on. */
export const menu = (words: readonly string[], y = 10): Part[] =>
  words.map((word, i) => ({ word, x: 20, y: y + 24 * i }));
