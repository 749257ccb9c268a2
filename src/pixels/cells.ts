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

/** Luma plane (0–255) and per-cell means of luma, blue and red difference (−255–255). */
export interface CellPlanes {
  readonly plane: Uint8Array;
  readonly y: Float32Array;
  readonly u: Float32Array;
  readonly v: Float32Array;
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

export const emptyPlanes = (grid: CellGrid): CellPlanes => {
  const cells = grid.columns * grid.rows;
  return {
    plane: new Uint8Array(grid.planeWidth * grid.planeHeight),
    y: new Float32Array(cells),
    u: new Float32Array(cells),
    v: new Float32Array(cells),
  };
};

/** What cells are measured of: video frames as they come, everything else as RGB or grey. */
export type MeasuredPicture = PictureU8 | Yuv420Picture;

/**
 * Measures a picture into `out`. A plane sample is the mean of up to 2×2 pixels of its block, so that the cost per
 * original pixel falls with size. Of RGB, luma by the integer weights of BT.601 (77, 150, 29)/256; of planes, luma and
 * chroma as they are, in the same units.
 */
export function measureCells(picture: MeasuredPicture, grid: CellGrid, out: CellPlanes): void {
  if (picture.type === 'u8') return measureRgb(picture, grid, out);
  measureLuma(picture, grid, out);
  const { u, v, chromaWidth, chromaHeight } = planesOf(picture);
  const { blue, red } = scalesOf(picture);
  const chroma = { chromaWidth, chromaHeight, grid };
  measureChroma({ ...chroma, samples: u, scale: blue }, out.u);
  measureChroma({ ...chroma, samples: v, scale: red }, out.v);
}

/** Grey level of the mean of four luma samples, by their sum. */
const levelsOfSums = (range: YuvColour['range']): Uint8ClampedArray => {
  const { luma, black } = scalesOf({ matrix: 'bt601', range });
  return Uint8ClampedArray.from({ length: 4 * 255 + 1 }, (_, sum) => luma * (sum / 4 - black));
};
const levelOfSum = { limited: levelsOfSums('limited'), full: levelsOfSums('full') };

function measureLuma(picture: Yuv420Picture, grid: CellGrid, out: CellPlanes): void {
  const { data, width } = picture;
  const { shrink, planeWidth, planeHeight, columns, rows } = grid;
  const level = levelOfSum[picture.range];
  const half = shrink >> 1;
  const { plane, y } = out;
  y.fill(0);
  const wholeWidth = planeWidth - (planeWidth % CELL);
  for (let py = 0; py < planeHeight; py++) {
    const row = Math.min(rows - 1, py >> 2) * columns;
    const inRows = py < rows * CELL;
    let i = py * shrink * width;
    let k = i + half * width;
    let o = py * planeWidth;
    // Four samples, one cell's width, at a time: the sums are in a register for as long.
    let px = 0;
    for (; px < wholeWidth; px += CELL) {
      let sum = 0;
      for (const end = o + CELL; o < end; i += shrink, k += shrink, o++) {
        const value = half === 0 ? level[4 * data[i]] : level[data[i] + data[i + half] + data[k] + data[k + half]];
        plane[o] = value;
        sum += value;
      }
      if (inRows) y[row + (px >> 2)] += sum;
    }
    for (; px < planeWidth; px++, i += shrink, k += shrink, o++) {
      plane[o] = level[data[i] + data[i + half] + data[k] + data[k + half]];
      // A picture narrower than a cell has one all the same.
      if (inRows && wholeWidth === 0) y[row] += plane[o];
    }
  }
  for (let c = 0; c < y.length; c++) y[c] /= CELL * CELL;
}

/** Chroma samples along the side of a cell that its mean is taken of at most. */
const CHROMA_SIDE = 8;

/** Cell means of one chroma plane, in grey levels about 0. */
function measureChroma({ samples, scale, chromaWidth, chromaHeight, grid }: ChromaPlane, out: Float32Array): void {
  const { columns, rows, cellPx } = grid;
  const side = cellPx >> 1;
  const step = Math.ceil(side / CHROMA_SIDE);
  for (let row = 0; row < rows; row++) {
    const top = row * side;
    const bottom = Math.min(top + side, chromaHeight);
    for (let column = 0; column < columns; column++) {
      const left = column * side;
      const right = Math.min(left + side, chromaWidth);
      let sum = 0;
      let count = 0;
      for (let y = top; y < bottom; y += step) {
        for (let i = y * chromaWidth + left, end = y * chromaWidth + right; i < end; i += step, count++) {
          sum += samples[i];
        }
      }
      out[row * columns + column] = (sum / count - 128) * scale;
    }
  }
}

interface ChromaPlane {
  readonly samples: Uint8Array;
  /** Grey levels per step. */
  readonly scale: number;
  readonly chromaWidth: number;
  readonly chromaHeight: number;
  readonly grid: CellGrid;
}

function measureRgb(picture: PictureU8, grid: CellGrid, out: CellPlanes): void {
  const { data, width, channels } = picture;
  const { shrink, planeWidth, planeHeight, columns, rows } = grid;
  const g = channels >= 3 ? 1 : 0;
  const b = channels >= 3 ? 2 : 0;
  const half = (shrink >> 1) * channels;
  const down = (shrink >> 1) * width * channels;
  const stepX = shrink * channels;
  const { plane, y, u, v } = out;
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

/**
 * Standard deviation of the noise of one pixel in grey levels: Immerkær's Laplacian difference mask, its median instead
 * of its mean so that texture does not count as noise. On the green channel of RGB; on luma, which is mostly green,
 * where there is a plane of it.
 * Source: J. Immerkær, "Fast Noise Variance Estimation", CVIU 64(2), 1996.
 */
export function noiseSigma(picture: MeasuredPicture): number {
  if (picture.type === 'yuv420') return scalesOf(picture).luma * channelNoise(picture, 1, 0);
  return channelNoise(picture, picture.channels, picture.channels >= 3 ? 1 : 0);
}

/** `channel` of interleaved samples, `channels` a pixel. */
function channelNoise(
  { data, width, height }: Pick<MeasuredPicture, 'data' | 'width' | 'height'>,
  channels: number,
  channel: number,
): number {
  if (width < 3 || height < 3) return 0;
  const stride = width * channels;
  const histogram = new Uint32Array(2048);
  const rowStep = Math.max(1, Math.floor(height / 24));
  const columnStep = Math.max(1, Math.floor(width / 320));
  let samples = 0;
  for (let y = 1; y < height - 1; y += rowStep) {
    for (let x = 1; x < width - 1; x += columnStep) {
      const i = y * stride + x * channels + channel;
      const a =
        data[i - stride - channels] +
        data[i - stride + channels] +
        data[i + stride - channels] +
        data[i + stride + channels];
      const e = data[i - stride] + data[i + stride] + data[i - channels] + data[i + channels];
      const value = Math.abs(a - 2 * e + 4 * data[i]);
      histogram[value < 2048 ? value : 2047]++;
      samples++;
    }
  }
  let below = 0;
  let median = 0;
  while (median < 2047 && (below += histogram[median]) * 2 < samples) median++;
  // Linear inside the bin, so that 8-bit pictures give a continuous figure.
  const inside = histogram[median] === 0 ? 0 : (samples / 2 - (below - histogram[median])) / histogram[median];
  return Math.max(0, median - 0.5 + inside) / (0.6745 * 6);
}
