import { CELL, type CellGrid, type CellPlanes } from '../../pixels/cells.js';
import type { Nuisance } from '../../records/index.js';
import { DIFFERENCES, energyAt, noiseEnergy } from './detail.js';

/** Cells that are asked, spread over the picture. */
const ASKED = 800;
/** A place has detail from a root mean square difference of 3 grey levels on, above its noise. */
const LEAST_DETAIL = DIFFERENCES * 3 ** 2;
/** Scenes of hardly any contrast (deviation of cell means, grey levels) or few places with detail have none to lose. */
const LEAST_CONTRAST = 6;
const LEAST_PLACES = 0.05;
/** Correlation of cell means from which the scene is there still. */
const SAME_SCENE = 0.7;
/**
 * Energy of the detail, for the contrast that there is, under which a picture is out of focus; and share of the places that
 * have less than half of theirs: a line of text that is gone may have had most of the energy.
 */
const BLURRED = 0.3;
const BLURRED_PLACES = 0.5;
/** Where this share of all places has lost its detail, and not got as much of another, something is before the lens. */
const BLOCKED = 0.75;
const BLOCKED_DETAIL = 0.3;
/** A place has lost its detail when less than this of its energy is left. */
const LOST = 0.2;
/** A mean under this is black: the black of limited range and a sensor's dark noise lie below, grey levels. */
const BLACK = 20;
/** Energy that is expected must be this many times that of the noise, or nobody can tell whether it is there. */
const ABOVE_NOISE = 2;
/** A lost view is back once it is this much better than where it was lost, or for so long better at all. */
const BETTER = 1.6;
const BACK_MS = 1_000;
/** What blocks the view for longer is the scene, ms. Black never is. */
const STAYS_MS = 60_000;

/** What is known of the settled scene; values as in the state of the gate. */
export interface SettledScene {
  readonly baseY: Float32Array;
  readonly known: Uint8Array;
  readonly reference: Uint8Array;
  readonly usualNoiseSigma: number;
}

/** How much of the scene a picture shows. */
export interface View {
  /** Correlation of its cell means with those of the settled scene. */
  readonly likeness: number;
  /** Energy of its detail over that of the settled scene. */
  readonly detail: number;
  /** The same for the contrast that is left of the scene. */
  readonly sharpness: number;
  /** Share of the places with detail that have lost it; and that have lost half of it, for the contrast that there is. */
  readonly lost: number;
  readonly blurred: number;
  /** Mean luma over that of the settled scene, and as it is. */
  readonly light: number;
  readonly luma: number;
  /** False where the noise would hide what is asked. */
  readonly isTold: boolean;
}

/** Since when the view has been lost, and better again; NaN where it is not. Plain, lives in the checkpoint. */
export interface ViewState {
  lostMs: number;
  betterMs: number;
}

export const freshView = (): ViewState => ({ lostMs: Number.NaN, betterMs: Number.NaN });

export const isLost = ({ lostMs }: ViewState): boolean => !Number.isNaN(lostMs);

/**
 * Measures how much of the settled scene a picture shows: means tell what is where, gradients how sharp it is. A camera
 * that was turned shows other things as sharply; a lens out of focus the same things less so; a hand neither.
 * @param untold 1 for cells that have no part in it
 * @returns undefined where the settled scene has nothing to lose
 */
export function viewOf(
  { baseY, known, reference, usualNoiseSigma }: SettledScene,
  planes: CellPlanes,
  grid: CellGrid,
  { untold, sigma }: { readonly untold: Uint8Array; readonly sigma: number },
): View | undefined {
  const plane = planes.plane();
  const stride = Math.max(1, Math.floor(baseY.length / ASKED));
  const noise = noiseEnergy(sigma, grid);
  const ownNoise = Number.isNaN(usualNoiseSigma) ? noise : noiseEnergy(usualNoiseSigma, grid);
  let [n, sb, sf, sbb, sff, sbf, ownDetail, detail, lost] = [0, 0, 0, 0, 0, 0, 0, 0, 0];
  /** Of the energy of each place that has detail. */
  const left: number[] = [];
  for (let row = 0; row < grid.rows; row++) {
    // Each row begins elsewhere, so that a pattern of the scene cannot hide between.
    for (let column = row % stride; column < grid.columns; column += stride) {
      const c = row * grid.columns + column;
      if (known[c] === 0 || untold[c] === 1) continue;
      const [b, f] = [baseY[c], planes.y[c]];
      n++;
      sb += b;
      sf += f;
      sbb += b * b;
      sff += f * f;
      sbf += b * f;
      const at = row * CELL * grid.planeWidth + column * CELL;
      const ownHere = energyAt(reference, at, grid.planeWidth) - ownNoise;
      const here = energyAt(plane, at, grid.planeWidth) - noise;
      ownDetail += ownHere;
      detail += here;
      if (ownHere < LEAST_DETAIL) continue;
      left.push(here / ownHere);
      if (here < LOST * ownHere) lost++;
    }
  }
  if (n < ASKED / 10 || grid.planeWidth < CELL || grid.planeHeight < CELL) return undefined;
  const ownContrast = sbb / n - (sb / n) ** 2;
  if (ownContrast < LEAST_CONTRAST ** 2 || left.length < LEAST_PLACES * n) return undefined;
  const contrast = Math.max(1, sff / n - (sf / n) ** 2);
  const shared = sbf / n - (sb / n) * (sf / n);
  const detailLeft = Math.max(0, detail) / ownDetail;
  const expected = (shared / ownContrast) ** 2;
  return {
    likeness: shared / Math.sqrt(ownContrast * contrast),
    detail: detailLeft,
    sharpness: detailLeft / Math.max(expected, Number.EPSILON),
    lost: lost / left.length,
    blurred: left.filter((share) => share < expected / 2).length / left.length,
    light: sf / Math.max(1, sb),
    luma: sf / n,
    isTold: (expected * ownDetail) / n > ABOVE_NOISE * noise,
  };
}

/** What is left of the scene, by what keeps it from being seen. */
const units = { black: 'of its light', blocked: 'of its detail', blurred: 'of its sharpness' } as const;

/** What keeps the scene from being seen; `ease` above 1 asks for less before it says so. */
function obstacleOf(view: View, ease: number): Nuisance | undefined {
  const { likeness, detail, sharpness, lost, blurred, light, luma, isTold } = view;
  if (likeness < SAME_SCENE && lost > BLOCKED / ease && detail < BLOCKED_DETAIL * ease) {
    return luma < BLACK
      ? { cause: 'OBSCURED', strength: light, unit: units.black }
      : { cause: 'OBSCURED', strength: detail, unit: units.blocked };
  }
  if (likeness >= SAME_SCENE && isTold && sharpness < BLURRED * ease && blurred > BLURRED_PLACES / ease)
    return { cause: 'OBSCURED', strength: sharpness, unit: units.blurred };
  return undefined;
}

/**
 * Whether the scene is not to be seen in this picture, and why. What is lost is lost until the view is clearly better,
 * lest a hand that trembles before the lens be taken for things that come and go.
 */
export function lossOf(state: ViewState, view: View | undefined, nowMs: number): Nuisance | undefined {
  const hard = view && obstacleOf(view, 1);
  if (!isLost(state)) {
    if (hard !== undefined) Object.assign(state, { lostMs: nowMs, betterMs: Number.NaN });
    return hard;
  }
  const soft = view && obstacleOf(view, BETTER);
  if (hard !== undefined) state.betterMs = Number.NaN;
  else if (Number.isNaN(state.betterMs)) state.betterMs = nowMs;
  if (soft !== undefined && !(nowMs - state.betterMs >= BACK_MS)) return soft;
  Object.assign(state, freshView());
  return undefined;
}

/** Whether what blocks the view has done so for so long that it is what the camera watches now, as a closed gate is. */
export const isSceneNow = ({ lostMs }: ViewState, loss: Nuisance, nowMs: number): boolean =>
  loss.unit === units.blocked && nowMs - lostMs >= STAYS_MS;

export const isOutOfFocus = ({ unit }: Nuisance): boolean => unit === units.blurred;
