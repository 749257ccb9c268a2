import { CELL, type CellGrid, type CellPlanes } from '../../pixels/cells.js';
import type { RatioPlane } from '../../pixels/components.js';
import { cellGradients, planeShift } from '../../pixels/shift.js';
import { fitLight, type LightFit } from '../../pixels/light.js';
import { robustSpread } from '../../pixels/spread.js';
import { DARK } from './detail.js';
import type { GateState } from './state.js';

/** Values of each cell, in the baseline's light. One set serves every frame of a scene. */
export interface CellDifferences {
  /** The frame's cell means. */
  readonly y: Float32Array;
  readonly u: Float32Array;
  readonly v: Float32Array;
  /** 1 where a cell differs from the baseline (or, where none is known, moves). */
  readonly foreground: Uint8Array;
  /** 1 where a cell differs from what it was a moment ago. */
  readonly moving: Uint8Array;
  /** The same by the noise of the whole picture, whatever the cell's own has come to be. */
  readonly stirring: Uint8Array;
  /** Difference over its threshold. As the next two, only valid in the foreground. */
  readonly score: Float32Array;
  /** The same of colour alone. */
  readonly colourScore: Float32Array;
  /** Logarithm of frame over baseline. */
  readonly ratio: Float32Array;
}

/** How a frame differs from the settled scene, cell by cell, light and small shifts of the camera allowed for. */
export interface Differences extends CellDifferences {
  /** Logarithm of frame over settled scene, sample by sample of the planes. */
  readonly ratioPlane: RatioPlane;
  readonly light: LightFit;
  /** So much is otherwise that it may not be the scene that is seen. */
  readonly isDoubtful: boolean;
  /** Colour of the frame over colour of the baseline; about 0 when the camera went grey. */
  readonly chroma: number;
  readonly shift: { readonly dxPx: number; readonly dyPx: number; readonly explained: number };
}

export const emptyDifferences = ({ columns, rows }: CellGrid): CellDifferences => {
  const floats = () => new Float32Array(columns * rows);
  const flags = () => new Uint8Array(columns * rows);
  return {
    y: floats(),
    u: floats(),
    v: floats(),
    foreground: flags(),
    moving: flags(),
    stirring: flags(),
    score: floats(),
    colourScore: floats(),
    ratio: floats(),
  };
};

/** Below this gain of colour the camera went grey, and colours say nothing. */
export const GREY = 0.4;
/** Squared colour difference beyond which a cell has no more to say about the colour of the whole picture. */
const MOST_COLOUR = 144;
/** Least difference of a cell's mean that counts, grey levels. */
export const LEAST_DIFFERENCE = 5;
/** The same where an encoder has flattened the picture: it moves the mean of its blocks by several levels. */
const COMPRESSED_DIFFERENCE = 10;
/** Cells that tell of a whole picture what they have in common. */
const WITNESSES = 1_800;
/** Deviation of all cells from the settled scene, grey levels, and gain of the light that no usual change leaves. */
const DOUBTFUL_SPREAD = 8;
const DOUBTFUL_GAIN = 0.5;
/** Shifts are looked for once this share of cells differs. */
const SHIFT_SHARE = 0.01;

/** 1 for cells that have no part in it. */
export interface CellMasks {
  /** In which no difference is told. */
  readonly silent: Uint8Array;
  /** Which tell nothing of the whole picture. */
  readonly untold: Uint8Array;
}

/** Measures the differences of a frame into `out`, and its light into `state`. */
export function differences(
  state: GateState,
  grid: CellGrid,
  planes: CellPlanes,
  { silent, untold }: CellMasks,
  { deviations, compressed }: { readonly deviations: number; readonly compressed: boolean },
  out: CellDifferences,
): Differences {
  const { baseY, baseU, baseV } = state;
  const { y, u, v } = out;
  const cells = baseY.length;
  const { witnesses, enough } = witnessesOf(state, grid, untold);
  const light = enough ? fitLight(planes.y, baseY, witnesses, state.light) : state.light;
  state.light = light;
  const chroma = chromaGain(state, planes, witnesses);
  inLight(planes.y, light.offset, light.gain, y);
  inLight(planes.u, 0, light.gain, u);
  inLight(planes.v, 0, light.gain, v);
  let spread = spreadOf(y, baseY, witnesses);
  let shift = { dxPx: 0, dyPx: 0, explained: 0 };
  let slack: Slack | undefined;
  const isApart = countApart(y, baseY, deviations * Math.max(spread, 1)) > cells * SHIFT_SHARE;
  // Where nothing is as it was, all differs alike; where there is nothing at all, it passes for the scene in little light.
  const isDoubtful = isApart || spread > DOUBTFUL_SPREAD || light.gain < DOUBTFUL_GAIN;
  if (isApart) {
    const { dx, dy, explained } = planeShift(state.reference, planes.plane(), grid, light);
    const size = Math.hypot(dx, dy);
    if (explained > 0.3 && size > 0.1 && size < 4) {
      shift = { dxPx: dx * grid.shrink, dyPx: dy * grid.shrink, explained };
      const gradients = cellGradients(state.reference, grid);
      for (let c = 0; c < cells; c++) y[c] += gradients.x[c] * dx + gradients.y[c] * dy;
      slack = {
        y: gradients.x.map((x, c) => 0.5 * light.gain * (Math.abs(x * dx) + Math.abs(gradients.y[c] * dy))),
        colour: colourSlack(state, grid, size),
      };
      spread = spreadOf(y, baseY, witnesses);
    }
  }
  const spreadColour =
    chroma < GREY ? Number.POSITIVE_INFINITY : Math.max(spreadOf(u, baseU, witnesses), spreadOf(v, baseV, witnesses));
  const least = compressed ? COMPRESSED_DIFFERENCE : LEAST_DIFFERENCE;
  mark(state, silent, out, {
    y: Math.max(least / Math.min(1, light.gain), deviations * spread),
    colour: Math.max(least, deviations * spreadColour),
    deviations,
    slack,
  });
  return { ...out, ratioPlane: ratioPlaneOf(state, grid, planes, light), light, isDoubtful, chroma, shift };
}

/**
 * Cells at rest, of which no more are asked than it takes to tell light, colour and noise of the whole picture. Each row
 * begins elsewhere, so that a pattern of the scene cannot hide between them. They are enough from a tenth of those asked.
 */
function witnessesOf(
  { leftFrame }: GateState,
  { columns, rows }: CellGrid,
  untold: Uint8Array,
): { readonly witnesses: Int32Array; readonly enough: boolean } {
  const stride = Math.max(1, Math.floor((columns * rows) / WITNESSES));
  const list = new Int32Array(rows * Math.ceil(columns / stride));
  let asked = 0;
  let n = 0;
  for (let row = 0; row < rows; row++) {
    const end = (row + 1) * columns;
    for (let c = row * columns + (row % stride); c < end; c += stride, asked++) {
      if (untold[c] === 0 && leftFrame[c] < 0) list[n++] = c;
    }
  }
  return { witnesses: list.subarray(0, n), enough: n * 10 >= asked };
}

/** A frame's values in the baseline's light. */
function inLight(values: Float32Array, offset: number, gain: number, out: Float32Array): void {
  const inverse = 1 / gain;
  for (let c = 0; c < values.length; c++) out[c] = (values[c] - offset) * inverse;
}

/** What a shift of a fraction of a sample may leave over at strong edges, cell by cell. */
interface Slack {
  readonly y: Float32Array;
  readonly colour: Float32Array;
}

/** Least differences that count; of luma no less than `deviations` of the cell's own noise. */
interface Thresholds {
  readonly y: number;
  readonly colour: number;
  readonly deviations: number;
  readonly slack: Slack | undefined;
}

/** Marks the cells that differ and those that move, and measures by how much the former do. */
function mark(
  { baseY, baseU, baseV, recentY, recentU, recentV, noise, known }: GateState,
  silent: Uint8Array,
  { y, u, v, foreground, moving, stirring, score, colourScore, ratio }: CellDifferences,
  { y: leastY, colour: leastColour, deviations, slack }: Thresholds,
): void {
  foreground.fill(0);
  moving.fill(0);
  stirring.fill(0);
  for (let c = 0; c < y.length; c++) {
    const here = y[c];
    const blue = u[c];
    const red = v[c];
    const before = baseY[c];
    const slackY = slack === undefined ? 0 : slack.y[c];
    const threshold = Math.max(leastY, deviations * noise[c]) + slackY;
    const colourThreshold = leastColour + (slack === undefined ? 0 : slack.colour[c]);
    const step = Math.abs(here - recentY[c]);
    const turns = Math.abs(blue - recentU[c]) > colourThreshold || Math.abs(red - recentV[c]) > colourThreshold;
    const moves = step > threshold || turns;
    if (turns || step > leastY + slackY) stirring[c] = 1;
    // Less light makes every colour difference smaller by the same factor; only what is left is another colour.
    const k = Math.min(1.5, Math.max(0, here + DARK) / (before + DARK));
    const off = Math.abs(here - before);
    const colour = Math.max(Math.abs(blue - k * baseU[c]), Math.abs(red - k * baseV[c]));
    const differs = off > threshold || colour > colourThreshold;
    if (moves) moving[c] = 1;
    else if (!differs) continue;
    if (silent[c] === 1 || (known[c] === 1 ? !differs : !moves)) continue;
    foreground[c] = 1;
    colourScore[c] = colour / colourThreshold;
    score[c] = Math.max(off / threshold, colourScore[c]);
    ratio[c] = Math.log((Math.max(0, here) + DARK) / (before + DARK));
  }
}

/** Logarithm of each grey level of the settled scene. */
const logOfLevel = Float64Array.from({ length: 256 }, (_, level) => Math.log(level + DARK));

function ratioPlaneOf({ reference }: GateState, grid: CellGrid, planes: CellPlanes, light: LightFit): RatioPlane {
  const width = grid.planeWidth;
  const lookAt = () => ({
    plane: planes.plane(),
    logInLight: logOfLevel.map((_, level) => Math.log(Math.max(0, (level - light.offset) / light.gain) + DARK)),
  });
  // Most frames have nothing to look at.
  let seen: ReturnType<typeof lookAt> | undefined;
  return {
    width,
    height: grid.planeHeight,
    cell: CELL,
    at: (x, y) => {
      const { plane, logInLight } = (seen ??= lookAt());
      const i = y * width + x;
      return logInLight[plane[i]] - logOfLevel[reference[i]];
    },
  };
}

/** What a shift of `samples` may do to a cell's colour, by its colours' step to the cells around it. */
function colourSlack({ baseU, baseV }: GateState, { columns }: CellGrid, samples: number): Float32Array {
  return baseU.map((_, c) => {
    let step = 0;
    for (const n of [c - 1, c + 1, c - columns, c + columns]) {
      if (n < 0 || n >= baseU.length) continue;
      step = Math.max(step, Math.abs(baseU[n] - baseU[c]), Math.abs(baseV[n] - baseV[c]));
    }
    return step * Math.min(1, samples / CELL);
  });
}

/**
 * Least-squares gain of the colour differences, 1 where the scene has hardly any colour. No cell says much more than
 * another, so that a thing of strong colour that comes or goes in a pale scene does not pass for a camera gone grey.
 */
function chromaGain({ baseU, baseV }: GateState, { u, v }: CellPlanes, witnesses: Int32Array): number {
  let own = 0;
  let cross = 0;
  for (let i = 0; i < witnesses.length; i++) {
    const c = witnesses[i];
    const ownHere = baseU[c] * baseU[c] + baseV[c] * baseV[c];
    const crossHere = Math.min(4 * ownHere, Math.max(0, baseU[c] * u[c] + baseV[c] * v[c]));
    const say = ownHere > MOST_COLOUR ? MOST_COLOUR / ownHere : 1;
    own += say * ownHere;
    cross += say * crossHere;
  }
  return own <= witnesses.length * 9 ? 1 : cross / own;
}

function spreadOf(values: Float32Array, base: Float32Array, witnesses: Int32Array): number {
  const off = new Float32Array(witnesses.length);
  for (let k = 0; k < off.length; k++) off[k] = values[witnesses[k]] - base[witnesses[k]];
  return robustSpread(off);
}

function countApart(values: Float32Array, base: Float32Array, limit: number): number {
  let n = 0;
  for (let c = 0; c < values.length; c++) if (Math.abs(values[c] - base[c]) > limit) n++;
  return n;
}
