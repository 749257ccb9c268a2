import type { PictureU8, Region } from '../../src/records/index.js';

/** Letters of a sign with lamps: 5×7 dots, a row a string. */
const glyphs: Readonly<Record<string, readonly string[]>> = {
  A: ['.###.', '#...#', '#...#', '#####', '#...#', '#...#', '#...#'],
  C: ['.###.', '#...#', '#....', '#....', '#....', '#...#', '.###.'],
  D: ['####.', '#...#', '#...#', '#...#', '#...#', '#...#', '####.'],
  E: ['#####', '#....', '#....', '####.', '#....', '#....', '#####'],
  F: ['#####', '#....', '#....', '####.', '#....', '#....', '#....'],
  G: ['.###.', '#...#', '#....', '#.###', '#...#', '#...#', '.####'],
  I: ['.###.', '..#..', '..#..', '..#..', '..#..', '..#..', '.###.'],
  L: ['#....', '#....', '#....', '#....', '#....', '#....', '#####'],
  M: ['#...#', '##.##', '#.#.#', '#.#.#', '#...#', '#...#', '#...#'],
  N: ['#...#', '##..#', '#.#.#', '#..##', '#...#', '#...#', '#...#'],
  O: ['.###.', '#...#', '#...#', '#...#', '#...#', '#...#', '.###.'],
  P: ['####.', '#...#', '#...#', '####.', '#....', '#....', '#....'],
  R: ['####.', '#...#', '#...#', '####.', '#.#..', '#..#.', '#...#'],
  S: ['.####', '#....', '#....', '.###.', '....#', '....#', '####.'],
  T: ['#####', '..#..', '..#..', '..#..', '..#..', '..#..', '..#..'],
  '1': ['..#..', '.##..', '..#..', '..#..', '..#..', '..#..', '.###.'],
  '2': ['.###.', '#...#', '....#', '...#.', '..#..', '.#...', '#####'],
  '4': ['...#.', '..##.', '.#.#.', '#..#.', '#####', '...#.', '...#.'],
  '7': ['#####', '....#', '...#.', '...#.', '..#..', '..#..', '..#..'],
  ' ': ['.....', '.....', '.....', '.....', '.....', '.....', '.....'],
};

export type Colour = readonly [number, number, number];

/** A grey scene with a soft gradient. */
export function scene(width: number, height: number): PictureU8 {
  const data = new Uint8Array(width * height * 3);
  for (let i = 0; i < data.length; i++) {
    const pixel = Math.floor(i / 3);
    data[i] = 90 + (pixel % width) / 16 + Math.floor(pixel / width) / 12 + (i % 3) * 4;
  }
  return { type: 'u8', width, height, channels: 3, data };
}

function fill({ data, width }: PictureU8, box: Region, colour: Colour): void {
  for (let y = box.y; y < box.y + box.height; y++) {
    for (let x = box.x; x < box.x + box.width; x++) data.set(colour, (y * width + x) * 3);
  }
}

export interface Sign {
  readonly text: string;
  readonly x: number;
  readonly y: number;
  /** Side of a dot, px: letters are 7 dots high. */
  readonly dotPx: number;
  readonly paper: Colour;
  readonly ink: Colour;
}

/** Draws a framed sign; its box, and the box of its letters. */
export function drawSign(
  picture: PictureU8,
  { text, x, y, dotPx, paper, ink }: Sign,
): { sign: Region; letters: Region } {
  const letters = { x: x + 12, y: y + 10, width: (text.length * 6 - 1) * dotPx, height: 7 * dotPx };
  const sign = { x, y, width: letters.width + 24, height: letters.height + 20 };
  fill(picture, sign, ink);
  fill(picture, { x: x + 2, y: y + 2, width: sign.width - 4, height: sign.height - 4 }, paper);
  [...text].forEach((letter, n) => {
    const rows = glyphs[letter];
    if (rows === undefined) throw new Error(`no glyph for ${letter}`);
    rows.forEach((row, j) => {
      [...row].forEach((dot, i) => {
        const at = { x: letters.x + (n * 6 + i) * dotPx, y: letters.y + j * dotPx, width: dotPx, height: dotPx };
        if (dot === '#') fill(picture, at, ink);
      });
    });
  });
  return { sign, letters };
}

/** Sensor noise of standard deviation `sigma` levels, from a fixed seed. */
export function addNoise({ data }: PictureU8, sigma: number): void {
  let state = 1;
  const uniform = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state + 1) / 4_294_967_297;
  };
  for (let i = 0; i < data.length; i++) {
    const deviate = Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
    data[i] = Math.min(255, Math.max(0, Math.round(data[i] + sigma * deviate)));
  }
}
