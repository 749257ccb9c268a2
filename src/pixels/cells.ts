import type { PictureU8, Yuv420Picture, YuvColour } from '../records/index.js';
import { planesOf, scalesOf } from './yuv420.js';

/** Side of a cell in samples of the shrunken plane. */
export const CELL = 4;
/** Samples that a shrunken plane has at most, roughly: 320×240. */
const PLANE_SAMPLES = 76_800;

/** How a picture is divided: a luma plane shrunken by a whole factor, and square cells over it. */
export interface CellGrid {
  readonly width: number;
  readonly height: number;
  /** Original pixels per sample of the plane. */
  readonly shrink: number;
  readonly planeWidth: number;
  readonly planeHeight: number;
  readonly columns: number;
  readonly rows: number;
  /** Side of a cell in original pixels. */
  readonly cellPx: number;
}

/** The grid of pictures of this size. Pictures under 8×8 px have a single cell. */
export function cellGrid(width: number, height: number): CellGrid {
  const shrink = Math.max(1, Math.round(Math.sqrt((width * height) / PLANE_SAMPLES)));
  const planeWidth = Math.max(1, Math.floor(width / shrink));
  const planeHeight = Math.max(1, Math.floor(height / shrink));
  return {
    width,
    height,
    shrink,
    planeWidth,
    planeHeight,
    columns: Math.max(1, Math.floor(planeWidth / CELL)),
    rows: Math.max(1, Math.floor(planeHeight / CELL)),
    cellPx: CELL * shrink,
  };
}

/** What cells are measured of: video frames as they come, everything else as RGB or grey. */
export type MeasuredPicture = PictureU8 | Yuv420Picture;

/**
 * Luma plane and cell means of one picture after another, all of one grid. A plane sample is the mean of up to 2×2 pixels
 * of its block, so that the cost per original pixel falls with size. Of RGB, luma by the integer weights of BT.601
 * (77, 150, 29)/256; of planes, luma and chroma as they are, in the same units.
 */
export class CellPlanes {
  /** Per-cell means of luma, blue and red difference (−255–255). */
  readonly y: Float32Array;
  readonly u: Float32Array;
  readonly v: Float32Array;
  readonly #grid: CellGrid;
  readonly #plane: Uint8Array;
  #notInPlane: Yuv420Picture | undefined;

  constructor(grid: CellGrid) {
    const cells = grid.columns * grid.rows;
    this.y = new Float32Array(cells);
    this.u = new Float32Array(cells);
    this.v = new Float32Array(cells);
    this.#grid = grid;
    this.#plane = new Uint8Array(grid.planeWidth * grid.planeHeight);
  }

  /** Luma (0–255) of the last picture, valid until the next. Made when asked for: most frames need not be seen so closely. */
  plane(): Uint8Array {
    if (this.#notInPlane !== undefined) shrinkLuma(this.#notInPlane, this.#grid, this.#plane);
    this.#notInPlane = undefined;
    return this.#plane;
  }

  /** @param picture of the grid's size */
  measure(picture: MeasuredPicture): void {
    if (picture.type === 'u8') {
      this.#notInPlane = undefined;
      measureRgb(picture, this.#grid, this.#plane, this);
      return;
    }
    this.#notInPlane = picture;
    const { y, u, v, chromaWidth, chromaHeight } = planesOf(picture);
    const { luma, black, blue, red } = scalesOf(picture);
    if (this.#grid.shrink === 1) cellMeans(y, this.#grid, { scale: luma, zero: black }, this.y);
    else cellMeans(this.plane(), this.#grid, { scale: 1, zero: 0 }, this.y);
    const chroma = { chromaWidth, chromaHeight, grid: this.#grid };
    measureChroma({ ...chroma, samples: u, scale: blue }, this.u);
    measureChroma({ ...chroma, samples: v, scale: red }, this.v);
  }
}

/** Grey level of each sum of `count` luma samples. */
const levelsOfSums = (count: number, range: YuvColour['range']): Uint8Array => {
  const { luma, black } = scalesOf({ matrix: 'bt601', range });
  const levels = Uint8ClampedArray.from({ length: count * 255 + 1 }, (_, sum) => luma * (sum / count - black));
  return new Uint8Array(levels.buffer);
};
const levelOfSample = { limited: levelsOfSums(1, 'limited'), full: levelsOfSums(1, 'full') };
const levelOfFour = { limited: levelsOfSums(4, 'limited'), full: levelsOfSums(4, 'full') };

/** Fills the plane with grey levels. */
function shrinkLuma({ data, width, range }: Yuv420Picture, grid: CellGrid, plane: Uint8Array): void {
  const { shrink, planeWidth, planeHeight } = grid;
  if (shrink === 1) {
    const level = levelOfSample[range];
    let i = 0;
    // Four at a time take half the time.
    for (const whole = plane.length - 3; i < whole; i += 4) {
      plane[i] = level[data[i]];
      plane[i + 1] = level[data[i + 1]];
      plane[i + 2] = level[data[i + 2]];
      plane[i + 3] = level[data[i + 3]];
    }
    for (; i < plane.length; i++) plane[i] = level[data[i]];
    return;
  }
  const level = levelOfFour[range];
  const half = shrink >> 1;
  for (let py = 0, o = 0; py < planeHeight; py++) {
    let i = py * shrink * width;
    let k = i + half * width;
    for (const end = o + planeWidth; o < end; o++, i += shrink, k += shrink) {
      plane[o] = level[data[i] + data[i + half] + data[k] + data[k + half]];
    }
  }
}

/** Means of luma samples over each cell, in grey levels. A plane narrower than a cell repeats its last samples. */
function cellMeans(
  plane: Uint8Array,
  { planeWidth, planeHeight, columns, rows }: CellGrid,
  { scale, zero }: { readonly scale: number; readonly zero: number },
  out: Float32Array,
): void {
  const x1 = Math.min(1, planeWidth - 1);
  const x2 = Math.min(2, planeWidth - 1);
  const x3 = Math.min(3, planeWidth - 1);
  const y1 = Math.min(1, planeHeight - 1) * planeWidth;
  const y2 = Math.min(2, planeHeight - 1) * planeWidth;
  const y3 = Math.min(3, planeHeight - 1) * planeWidth;
  for (let row = 0, c = 0; row < rows; row++) {
    let i = row * CELL * planeWidth;
    for (let column = 0; column < columns; column++, c++, i += CELL) {
      const j = i + y1;
      const k = i + y2;
      const l = i + y3;
      const first = plane[i] + plane[i + x1] + plane[i + x2] + plane[i + x3];
      const second = plane[j] + plane[j + x1] + plane[j + x2] + plane[j + x3];
      const third = plane[k] + plane[k + x1] + plane[k + x2] + plane[k + x3];
      const fourth = plane[l] + plane[l + x1] + plane[l + x2] + plane[l + x3];
      out[c] = scale * ((first + second + third + fourth) / (CELL * CELL) - zero);
    }
  }
}

/** Chroma samples along the side of a cell that its mean is taken of at most. */
const CHROMA_SIDE = 8;

/** Cell means of one chroma plane, in grey levels about 0; samples are taken two by two. */
function measureChroma({ samples, scale, chromaWidth, chromaHeight, grid }: ChromaPlane, out: Float32Array): void {
  const { columns, rows, cellPx } = grid;
  const side = cellPx >> 1;
  const step = Math.ceil(side / CHROMA_SIDE);
  const right = Math.min(step, chromaWidth - 1);
  const down = Math.min(step, chromaHeight - 1) * chromaWidth;
  const pairsAcross = Math.max(1, Math.floor(Math.min(side, chromaWidth) / (2 * step)));
  const pairsDown = Math.max(1, Math.floor(Math.min(side, chromaHeight) / (2 * step)));
  out.fill(0);
  for (let pair = 0; pair < pairsAcross * pairsDown; pair++) {
    const inCell = 2 * step * (Math.floor(pair / pairsAcross) * chromaWidth + (pair % pairsAcross));
    for (let row = 0, c = 0; row < rows; row++) {
      let i = row * side * chromaWidth + inCell;
      for (let column = 0; column < columns; column++, c++, i += side) {
        out[c] += samples[i] + samples[i + right] + samples[i + down] + samples[i + down + right];
      }
    }
  }
  const share = scale / (4 * pairsAcross * pairsDown);
  const zero = 128 * scale;
  for (let c = 0; c < out.length; c++) out[c] = out[c] * share - zero;
}

interface ChromaPlane {
  readonly samples: Uint8Array;
  /** Grey levels per step. */
  readonly scale: number;
  readonly chromaWidth: number;
  readonly chromaHeight: number;
  readonly grid: CellGrid;
}

function measureRgb(
  { data, width, channels }: PictureU8,
  grid: CellGrid,
  plane: Uint8Array,
  { y, u, v }: Pick<CellPlanes, 'y' | 'u' | 'v'>,
): void {
  const { shrink, planeWidth, planeHeight, columns, rows } = grid;
  const g = channels >= 3 ? 1 : 0;
  const b = channels >= 3 ? 2 : 0;
  const half = (shrink >> 1) * channels;
  const down = (shrink >> 1) * width * channels;
  const stepX = shrink * channels;
  y.fill(0);
  u.fill(0);
  v.fill(0);
  const usedWidth = columns * CELL;
  for (let py = 0; py < planeHeight; py++) {
    const row = Math.min(rows - 1, py >> 2) * columns;
    const inRows = py < rows * CELL;
    let i = py * shrink * width * channels;
    let o = py * planeWidth;
    for (let px = 0; px < planeWidth; px++, i += stepX, o++) {
      let red = data[i];
      let green = data[i + g];
      let blue = data[i + b];
      if (shrink > 1) {
        const j = i + half;
        const k = i + down;
        const l = k + half;
        red = (red + data[j] + data[k] + data[l]) >> 2;
        green = (green + data[j + g] + data[k + g] + data[l + g]) >> 2;
        blue = (blue + data[j + b] + data[k + b] + data[l + b]) >> 2;
      }
      const luma = (77 * red + 150 * green + 29 * blue + 128) >> 8;
      plane[o] = luma;
      if (inRows && px < usedWidth) {
        const c = row + (px >> 2);
        y[c] += luma;
        u[c] += blue - luma;
        v[c] += red - luma;
      }
    }
  }
  const scale = 1 / (CELL * CELL);
  for (let c = 0; c < y.length; c++) {
    y[c] *= scale;
    u[c] *= scale;
    v[c] *= scale;
  }
}
