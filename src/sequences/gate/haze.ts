import { CELL, type CellGrid, type CellPlanes } from '../../pixels/cells.js';
import type { Nuisance } from '../../records/index.js';
import { DARK, DIFFERENCES, energyAt, noiseEnergy } from './detail.js';

/** Time between looks, ms: fog takes its time. */
const LOOK_MS = 1_000;
/** Clear air is soon what is usual, ms; a view that stays hazy only after hours, because it clears up again. */
const CLEARER_MS = 60_000;
const HAZIER_MS = 3_600_000;
/** A scene must have been watched for so long before it is known what is usual, ms. */
const KNOWN_MS = 5_000;
/** A cell has detail to lose from a deviation of 2.5 % between neighbouring samples on. */
const LEAST_DETAIL = 0.025 ** 2;
/** So many cells must have some. */
const LEAST_CELLS = 100;
/** Share of the usual contrast that is left, of the detail and of the scene at large, from which on it is haze. */
const HAZY_DETAIL = 0.8;
const HAZY_SCENE = 0.9;
/** A haze that is told is over once this much is left. */
const CLEAR_DETAIL = 0.9;

/** What contrast is usual in a scene; plain, lives in the checkpoint. */
export interface HazeState {
  /** Mean square difference of a cell's neighbouring samples over its squared level, without noise; as is usual. */
  readonly detail: Float32Array;
  /** Deviation of the logarithm of all cells; as is usual. */
  scene: number;
  /** How long it has been learned, and when it was looked at last, ms. */
  learnedMs: number;
  lookedMs: number;
  /** Share of its contrast that the scene has left, while there is haze. */
  left: number | undefined;
}

export const freshHaze = ({ columns, rows }: Pick<CellGrid, 'columns' | 'rows'>): HazeState => ({
  detail: new Float32Array(columns * rows),
  scene: 0,
  learnedMs: 0,
  lookedMs: Number.NEGATIVE_INFINITY,
  left: undefined,
});

/**
 * Fog, haze or glare over the whole view: light from between the camera and the scene takes the place of a part of the
 * scene's own (Koschmieder's law), so that contrast is lost at every scale, in textures as in the scene at large, whatever
 * the light does. Less light takes none of it; a cloud before the sun takes shadows and leaves textures; a lens out of focus
 * takes textures and leaves the scene at large; and so does an encoder.
 *
 * @param apart where cells are unlike the settled scene: -1 where they are not
 * @param sigma noise of the picture, grey levels
 */
export function hazeOf(
  state: HazeState,
  planes: CellPlanes,
  grid: CellGrid,
  { apart, silent, elapsedMs, sigma }: HazeLook,
): Nuisance[] {
  if (elapsedMs - state.lookedMs >= LOOK_MS) lookAt(state, planes, grid, { apart, silent, elapsedMs, sigma });
  return state.left === undefined ? [] : [{ cause: 'WEATHER', strength: state.left, unit: HAZE_UNIT }];
}

export const HAZE_UNIT = 'of its contrast';

export interface HazeLook {
  readonly apart: Int32Array;
  /** 1 for cells that have no part in it. */
  readonly silent: Uint8Array;
  readonly elapsedMs: number;
  readonly sigma: number;
}

function lookAt(state: HazeState, planes: CellPlanes, grid: CellGrid, look: HazeLook): void {
  const { apart, silent, elapsedMs, sigma } = look;
  const dtMs = Math.min(2 * LOOK_MS, elapsedMs - state.lookedMs);
  state.lookedMs = elapsedMs;
  if (grid.planeWidth < CELL || grid.planeHeight < CELL) return;
  const plane = planes.plane();
  const noise = noiseEnergy(sigma, grid);
  const now = new Float32Array(state.detail.length);
  const shares: number[] = [];
  let [n, sum, squares] = [0, 0, 0];
  for (let c = 0; c < now.length; c++) {
    now[c] = -1;
    if (apart[c] >= 0 || silent[c] === 1) continue;
    const column = c % grid.columns;
    const at = ((c - column) / grid.columns) * CELL * grid.planeWidth + column * CELL;
    const level = planes.y[c] + DARK;
    now[c] = Math.max(0, energyAt(plane, at, grid.planeWidth) - noise) / (DIFFERENCES * level * level);
    const tone = Math.log(level);
    n++;
    sum += tone;
    squares += tone * tone;
    if (state.detail[c] >= LEAST_DETAIL) shares.push(now[c] / state.detail[c]);
  }
  if (n < LEAST_CELLS) return;
  const scene = Math.sqrt(Math.max(0, squares / n - (sum / n) ** 2));
  const isKnown = state.learnedMs >= KNOWN_MS && shares.length >= LEAST_CELLS;
  const detailLeft = isKnown ? Math.sqrt(medianOf(shares)) : 1;
  const sceneLeft = isKnown ? scene / state.scene : 1;
  const isHazy = sceneLeft < HAZY_SCENE && detailLeft < (state.left === undefined ? HAZY_DETAIL : CLEAR_DETAIL);
  state.left = isHazy ? detailLeft : undefined;
  learn(state, now, scene, dtMs);
}

function learn(state: HazeState, now: Float32Array, scene: number, dtMs: number): void {
  const { detail } = state;
  state.learnedMs += dtMs;
  // As a mean over all that was seen, at first.
  const first = dtMs / state.learnedMs;
  const share = (isClearer: boolean): number =>
    Math.max(first, 1 - Math.exp(-dtMs / (isClearer ? CLEARER_MS : HAZIER_MS)));
  const [up, down] = [share(true), share(false)];
  for (let c = 0; c < now.length; c++) {
    if (now[c] >= 0) detail[c] += (now[c] > detail[c] ? up : down) * (now[c] - detail[c]);
  }
  state.scene += (scene > state.scene ? up : down) * (scene - state.scene);
}

const medianOf = (values: number[]): number => values.sort((a, b) => a - b)[values.length >> 1];
