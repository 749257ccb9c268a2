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
  shrinkLuma(picture, grid, out.plane);
  cellMeans(out.plane, grid, out.y);
  const { u, v, chromaWidth, chromaHeight } = planesOf(picture);
  const { blue, red } = scalesOf(picture);
  const chroma = { chromaWidth, chromaHeight, grid };
  measureChroma({ ...chroma, samples: u, scale: blue }, out.u);
  measureChroma({ ...chroma, samples: v, scale: red }, out.v);
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

/** Means of the plane over each cell. A plane narrower than a cell repeats its last samples. */
function cellMeans(plane: Uint8Array, { planeWidth, planeHeight, columns, rows }: CellGrid, out: Float32Array): void {
  const x1 = Math.min(1, planeWidth - 1);
  const x2 = Math.min(2, planeWidth - 1);
  const x3 = Math.min(3, planeWidth - 1);
  for (let row = 0, c = 0; row < rows; row++) {
    let i = row * CELL * planeWidth;
    const down = (samples: number) => Math.min(samples, planeHeight - 1) * planeWidth;
    const [y1, y2, y3] = [down(1), down(2), down(3)];
    for (let column = 0; column < columns; column++, c++, i += CELL) {
      const j = i + y1;
      const k = i + y2;
      const l = i + y3;
      const sum =
        plane[i] +
        plane[i + x1] +
        plane[i + x2] +
        plane[i + x3] +
        (plane[j] + plane[j + x1] + plane[j + x2] + plane[j + x3]) +
        (plane[k] + plane[k + x1] + plane[k + x2] + plane[k + x3]) +
        (plane[l] + plane[l + x1] + plane[l + x2] + plane[l + x3]);
      out[c] = sum / (CELL * CELL);
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
  const count = 4 * pairsAcross * pairsDown;
  for (let row = 0, c = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++, c++) {
      let sum = 0;
      let start = row * side * chromaWidth + column * side;
      for (let y = 0; y < pairsDown; y++, start += 2 * step * chromaWidth) {
        for (let x = 0, i = start; x < pairsAcross; x++, i += 2 * step) {
          sum += samples[i] + samples[i + right] + samples[i + down] + samples[i + down + right];
        }
      }
      out[c] = (sum / count - 128) * scale;
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
  // The mask is a second difference across of second differences down, which neighbours share.
  const bend = (i: number) => data[i - stride] - 2 * data[i] + data[i + stride];
  let samples = 0;
  for (let y = 1; y < height - 1; y += rowStep) {
    let i = y * stride + channel;
    let left = bend(i);
    let here = bend((i += channels));
    for (let x = 1, counted = 1; x < width - 1; x++) {
      const right = bend((i += channels));
      if (x === counted) {
        const value = Math.abs(left - 2 * here + right);
        histogram[value < 2048 ? value : 2047]++;
        samples++;
        counted += columnStep;
      }
      left = here;
      here = right;
    }
  }
  let below = 0;
  let median = 0;
  while (median < 2047 && (below += histogram[median]) * 2 < samples) median++;
  // Linear inside the bin, so that 8-bit pictures give a continuous figure.
  const inside = histogram[median] === 0 ? 0 : (samples / 2 - (below - histogram[median])) / histogram[median];
  return Math.max(0, median - 0.5 + inside) / (0.6745 * 6);
}
