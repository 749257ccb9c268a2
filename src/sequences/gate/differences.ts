import type { CellGrid, CellPlanes } from '../../pixels/cells.js';
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
  /** Logarithm of frame over baseline. */
  readonly ratio: Float32Array;
  readonly light: LightFit;
  /** Colour of the frame over colour of the baseline; about 0 when the camera went grey. */
  readonly chroma: number;
  /** Deviation of the cell means over the whole picture, grey levels. */
  readonly spread: number;
  readonly shift: { readonly dxPx: number; readonly dyPx: number; readonly explained: number };
}

/** Least difference of a cell's mean that counts, grey levels. */
const LEAST_DIFFERENCE = 5;
/** Keeps the logarithm calm in the dark, grey levels. */
const DARK = 16;
/** Shifts are looked for once this share of cells differs. */
const SHIFT_SHARE = 0.01;

export function differences(
  state: GateState,
  grid: CellGrid,
  planes: CellPlanes,
  overlay: Uint8Array,
  deviations: number,
): Differences {
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
  let spread = spreadOf(y, state.baseY, weight);
  let shift = { dxPx: 0, dyPx: 0, explained: 0 };
  const apart = countApart(y, state.baseY, deviations * Math.max(spread, 1));
  if (apart > cells * SHIFT_SHARE) {
    const found = planeShift(state.reference, planes.plane, grid, light);
    const size = Math.hypot(found.dx, found.dy);
    if (found.explained > 0.3 && size > 0.1 && size < 4) {
      shift = { dxPx: found.dx * grid.shrink, dyPx: found.dy * grid.shrink, explained: found.explained };
      for (let c = 0; c < cells; c++)
        y[c] += (found.gradientX[c] * found.dx + found.gradientY[c] * found.dy) / light.gain;
      spread = spreadOf(y, state.baseY, weight);
    }
  }
  const grey = chroma < 0.4;
  const spreadU = grey ? Number.POSITIVE_INFINITY : spreadOf(u, state.baseU, weight);
  const spreadV = grey ? Number.POSITIVE_INFINITY : spreadOf(v, state.baseV, weight);
  const leastColour = Math.max(LEAST_DIFFERENCE, deviations * Math.max(spreadU, spreadV));
  const score = new Float32Array(cells);
  const colourScore = new Float32Array(cells);
  const foreground = new Uint8Array(cells);
  const moving = new Uint8Array(cells);
  const ratio = new Float32Array(cells);
  for (let c = 0; c < cells; c++) {
    const threshold = Math.max(
      LEAST_DIFFERENCE / Math.min(1, light.gain),
      deviations * Math.max(spread, state.noise[c]),
    );
    const colour = Math.max(Math.abs(u[c] - state.baseU[c]), Math.abs(v[c] - state.baseV[c])) / leastColour;
    colourScore[c] = grey ? 0 : colour;
    score[c] = Math.max(Math.abs(y[c] - state.baseY[c]) / threshold, colourScore[c]);
    const recentColour = Math.max(Math.abs(u[c] - state.recentU[c]), Math.abs(v[c] - state.recentV[c])) / leastColour;
    const recent = Math.max(Math.abs(y[c] - state.recentY[c]) / threshold, grey ? 0 : recentColour);
    ratio[c] = Math.log((Math.max(0, y[c]) + DARK) / (state.baseY[c] + DARK));
    if (overlay[c] === 1) continue;
    moving[c] = recent > 1 ? 1 : 0;
    foreground[c] = state.known[c] === 1 ? (score[c] > 1 ? 1 : 0) : moving[c];
  }
  return { y, u, v, score, colourScore, foreground, moving, ratio, light, chroma, spread, shift };
}

/** Least-squares gain of the colour differences, 1 where the scene has hardly any colour. */
function chromaGain(state: GateState, planes: CellPlanes, weight: Uint8Array): number {
  let own = 0;
  let cross = 0;
  let n = 0;
  for (let c = 0; c < weight.length; c++) {
    if (weight[c] === 0) continue;
    n++;
    own += state.baseU[c] * state.baseU[c] + state.baseV[c] * state.baseV[c];
    cross += state.baseU[c] * planes.u[c] + state.baseV[c] * planes.v[c];
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
