import { CELL, type CellGrid, type CellPlanes } from '../../pixels/cells.js';
import type { RatioPlane } from '../../pixels/components.js';
import { planeShift } from '../../pixels/shift.js';
import { fitLight, type LightFit } from '../../pixels/light.js';
import type { GateState } from './state.js';

/** How a frame differs from the settled scene, cell by cell, light and small shifts of the camera allowed for. */
export interface Differences {
  /** The frame's cell means in the baseline's light. */
  readonly y: Float32Array;
  readonly u: Float32Array;
  readonly v: Float32Array;
  /** Difference over its threshold; above 1 a cell differs. */
  readonly score: Float32Array;
  /** The same of colour alone. */
  readonly colourScore: Float32Array;
  /** 1 where a cell differs from the baseline (or, where none is known, moves). */
  readonly foreground: Uint8Array;
  /** 1 where a cell differs from what it was a moment ago. */
  readonly moving: Uint8Array;
  /** Logarithm of frame over baseline; all 0 where nothing differs. */
  readonly ratio: Float32Array;
  /** The same, sample by sample of the planes. */
  readonly ratioPlane: RatioPlane;
  readonly light: LightFit;
  /** Colour of the frame over colour of the baseline; about 0 when the camera went grey. */
  readonly chroma: number;
  /** Deviation of the cell means over the whole picture, grey levels. */
  readonly spread: number;
  readonly shift: { readonly dxPx: number; readonly dyPx: number; readonly explained: number };
}

/** Below this gain of colour the camera went grey, and colours say nothing. */
export const GREY = 0.4;
/** Squared colour difference beyond which a cell has no more to say about the colour of the whole picture. */
const MOST_COLOUR = 144;
/** Least difference of a cell's mean that counts, grey levels. */
const LEAST_DIFFERENCE = 5;
/** The same where an encoder has flattened the picture: it moves the mean of its blocks by several levels. */
const COMPRESSED_DIFFERENCE = 10;
/** Keeps the logarithm calm in the dark, grey levels. */
const DARK = 16;
/** Shifts are looked for once this share of cells differs. */
const SHIFT_SHARE = 0.01;

export function differences(
  state: GateState,
  grid: CellGrid,
  planes: CellPlanes,
  overlay: Uint8Array,
  { deviations, compressed }: { readonly deviations: number; readonly compressed: boolean },
): Differences {
  const least = compressed ? COMPRESSED_DIFFERENCE : LEAST_DIFFERENCE;
  const cells = state.baseY.length;
  const weight = new Uint8Array(cells);
  for (let c = 0; c < cells; c++) weight[c] = overlay[c] === 0 && state.leftFrame[c] < 0 ? 1 : 0;
  const light = fitLight(planes.y, state.baseY, weight, state.light);
  state.light = light;
  const chroma = chromaGain(state, planes, weight);
  const y = new Float32Array(cells);
  const u = new Float32Array(cells);
  const v = new Float32Array(cells);
  for (let c = 0; c < cells; c++) {
    y[c] = (planes.y[c] - light.offset) / light.gain;
    u[c] = planes.u[c] / light.gain;
    v[c] = planes.v[c] / light.gain;
  }
  // What a shift of a fraction of a sample may leave over at strong edges, cell by cell.
  const slackY = new Float32Array(cells);
  const slackColour = new Float32Array(cells);
  let spread = spreadOf(y, state.baseY, weight);
  let shift = { dxPx: 0, dyPx: 0, explained: 0 };
  const apart = countApart(y, state.baseY, deviations * Math.max(spread, 1));
  if (apart > cells * SHIFT_SHARE) {
    const found = planeShift(state.reference, planes.plane, grid, light);
    const size = Math.hypot(found.dx, found.dy);
    if (found.explained > 0.3 && size > 0.1 && size < 4) {
      shift = { dxPx: found.dx * grid.shrink, dyPx: found.dy * grid.shrink, explained: found.explained };
      for (let c = 0; c < cells; c++) {
        y[c] += (found.gradientX[c] * found.dx + found.gradientY[c] * found.dy) / light.gain;
        slackY[c] = 0.5 * (Math.abs(found.gradientX[c] * found.dx) + Math.abs(found.gradientY[c] * found.dy));
      }
      colourSlack(state, grid, size, slackColour);
      spread = spreadOf(y, state.baseY, weight);
    }
  }
  const grey = chroma < GREY;
  const spreadU = grey ? Number.POSITIVE_INFINITY : spreadOf(u, state.baseU, weight);
  const spreadV = grey ? Number.POSITIVE_INFINITY : spreadOf(v, state.baseV, weight);
  const leastColour = Math.max(least, deviations * Math.max(spreadU, spreadV));
  const score = new Float32Array(cells);
  const colourScore = new Float32Array(cells);
  const foreground = new Uint8Array(cells);
  const moving = new Uint8Array(cells);
  const ratio = new Float32Array(cells);
  for (let c = 0; c < cells; c++) {
    const threshold =
      slackY[c] + Math.max(least / Math.min(1, light.gain), deviations * Math.max(spread, state.noise[c]));
    const colourThreshold = leastColour + slackColour[c];
    // Less light makes every colour difference smaller by the same factor; only what is left is another colour.
    const k = Math.min(1.5, Math.max(0, y[c] + DARK) / (state.baseY[c] + DARK));
    const colour = Math.max(Math.abs(u[c] - k * state.baseU[c]), Math.abs(v[c] - k * state.baseV[c])) / colourThreshold;
    colourScore[c] = grey ? 0 : colour;
    score[c] = Math.max(Math.abs(y[c] - state.baseY[c]) / threshold, colourScore[c]);
    const recentColour =
      Math.max(Math.abs(u[c] - state.recentU[c]), Math.abs(v[c] - state.recentV[c])) / colourThreshold;
    const recent = Math.max(Math.abs(y[c] - state.recentY[c]) / threshold, grey ? 0 : recentColour);
    moving[c] = recent > 1 ? 1 : 0;
    if (overlay[c] === 1) continue;
    foreground[c] = state.known[c] === 1 ? (score[c] > 1 ? 1 : 0) : moving[c];
  }
  // Only the borders and insides of what differs are looked at: most frames have none.
  if (foreground.includes(1)) {
    for (let c = 0; c < cells; c++) ratio[c] = Math.log((Math.max(0, y[c]) + DARK) / (state.baseY[c] + DARK));
  }
  const ratioPlane: RatioPlane = {
    width: grid.planeWidth,
    height: grid.planeHeight,
    cell: CELL,
    at: (px, py) => {
      const i = py * grid.planeWidth + px;
      const frame = Math.max(0, (planes.plane[i] - light.offset) / light.gain);
      return Math.log((frame + DARK) / (state.reference[i] + DARK));
    },
  };
  return { y, u, v, ratioPlane, score, colourScore, foreground, moving, ratio, light, chroma, spread, shift };
}

/** What a shift of `samples` may do to a cell's colour, by its colours' step to the cells around it. */
function colourSlack({ baseU, baseV }: GateState, { columns }: CellGrid, samples: number, out: Float32Array): void {
  for (let c = 0; c < out.length; c++) {
    let step = 0;
    for (const n of [c - 1, c + 1, c - columns, c + columns]) {
      if (n < 0 || n >= out.length) continue;
      step = Math.max(step, Math.abs(baseU[n] - baseU[c]), Math.abs(baseV[n] - baseV[c]));
    }
    out[c] = step * Math.min(1, samples / CELL);
  }
}

/**
 * Least-squares gain of the colour differences, 1 where the scene has hardly any colour. No cell says much more than
 * another, so that a thing of strong colour that comes or goes in a pale scene does not pass for a camera gone grey.
 */
function chromaGain(state: GateState, planes: CellPlanes, weight: Uint8Array): number {
  let own = 0;
  let cross = 0;
  let n = 0;
  for (let c = 0; c < weight.length; c++) {
    if (weight[c] === 0) continue;
    n++;
    const ownHere = state.baseU[c] * state.baseU[c] + state.baseV[c] * state.baseV[c];
    const crossHere = state.baseU[c] * planes.u[c] + state.baseV[c] * planes.v[c];
    const say = Math.min(1, MOST_COLOUR / ownHere);
    own += say * ownHere;
    cross += say * Math.min(4 * ownHere, Math.max(0, crossHere));
  }
  return own < n * 9 ? 1 : cross / own;
}

/** Robust standard deviation: 1.4826 × the median absolute difference, in steps of 1/8 grey level. */
function spreadOf(values: Float32Array, base: Float32Array, weight: Uint8Array): number {
  const histogram = new Uint32Array(512);
  let n = 0;
  for (let c = 0; c < values.length; c++) {
    if (weight[c] === 0) continue;
    n++;
    histogram[Math.min(511, (Math.abs(values[c] - base[c]) * 8) | 0)]++;
  }
  let below = 0;
  let bin = 0;
  while (bin < 511 && (below += histogram[bin]) * 2 < n) bin++;
  return (1.4826 * (bin + 0.5)) / 8;
}

function countApart(values: Float32Array, base: Float32Array, limit: number): number {
  let n = 0;
  for (let c = 0; c < values.length; c++) if (Math.abs(values[c] - base[c]) > limit) n++;
  return n;
}
