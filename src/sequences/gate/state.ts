import { cellGrid } from '../../pixels/cells.js';
import { sameLight, type LightFit } from '../../pixels/light.js';
import type { Nuisance } from '../../records/index.js';
import type { EventOrder } from '../reorder.js';
import { freshHaze, type HazeState } from './haze.js';
import { freshRestless, type RestlessState } from './restless.js';
import { freshSteps, type StepsState } from './steps.js';
import type { TracksState } from './tracks.js';
import { freshView, type ViewState } from './view.js';

/** How the settled scene looked in one light when it was left; rounded, since every checkpoint holds it. */
export interface Illumination {
  readonly id: number;
  readonly leftMs: number;
  readonly y: Uint8ClampedArray;
  readonly u: Int8Array;
  readonly v: Int8Array;
  /** 0 where the look was not known, or something else lies there by now. */
  readonly known: Uint8Array;
  readonly noiseSigma: number;
}

/** In which light the scene is seen, and those in which it was; plain, lives in the checkpoint. */
export interface IlluminationState {
  id: number;
  nextId: number;
  /** The one that was left last comes last. */
  remembered: Illumination[];
  /** The last change of it, and since when; told for a moment. */
  switchedMs: number;
  told: Nuisance | undefined;
}

/** Everything the gate knows about a scene; plain and structured-clonable. Arrays hold one value a cell. */
export interface GateState {
  readonly width: number;
  readonly height: number;
  /** The last frame that was gated. */
  last: EventOrder;
  lastElapsedMs: number;
  /** Pictures have been missing since that frame. */
  interrupted: boolean;
  /** The settled scene in its own light: luma, blue and red difference. */
  baseY: Float32Array;
  baseU: Float32Array;
  baseV: Float32Array;
  /** 1 where the baseline is known: what moves from the first frame on is not a baseline. */
  known: Uint8Array;
  /** The scene of the last moments, smoothed over time, in the baseline's light. */
  recentY: Float32Array;
  recentU: Float32Array;
  recentV: Float32Array;
  /** Usual deviation of a resting cell from frame to frame, grey levels. */
  noise: Float32Array;
  /** How long a cell has not moved. */
  stillMs: Float32Array;
  restless: RestlessState;
  /** Since which frame a cell has differed from the baseline, -1 where it does not. */
  leftFrame: Int32Array;
  leftElapsedMs: Float64Array;
  /** Since which frame a cell has been at rest. */
  restFrame: Int32Array;
  restElapsedMs: Float64Array;
  /** How often a cell took another look in place lately; fades. */
  flips: Float32Array;
  /** For how much longer a cell is known to belong to an overlay. */
  overlayMs: Float32Array;
  steps: StepsState;
  view: ViewState;
  /** Luma plane of a frame of the settled scene, for finding shifts of the camera. */
  reference: Uint8Array;
  referenceMs: number;
  light: LightFit;
  /** Gain as usual lately; what departs from it is a change of light. */
  usualGain: number;
  usualOffset: number;
  usualNoiseSigma: number;
  speckles: number;
  illumination: IlluminationState;
  haze: HazeState;
  tracking: TracksState;
}

/** The state of a gate that has seen nothing of a scene that begins with the frame `first`. */
export function freshState(width: number, height: number, first: EventOrder): GateState {
  const grid = cellGrid(width, height);
  const cells = grid.columns * grid.rows;
  return {
    width,
    height,
    last: { eventTimeMs: first.eventTimeMs, index: first.index },
    lastElapsedMs: Number.NaN,
    interrupted: false,
    baseY: new Float32Array(cells),
    baseU: new Float32Array(cells),
    baseV: new Float32Array(cells),
    known: new Uint8Array(cells),
    recentY: new Float32Array(cells),
    recentU: new Float32Array(cells),
    recentV: new Float32Array(cells),
    noise: new Float32Array(cells).fill(1),
    stillMs: new Float32Array(cells),
    restless: freshRestless(grid),
    leftFrame: new Int32Array(cells).fill(-1),
    leftElapsedMs: new Float64Array(cells),
    restFrame: new Int32Array(cells),
    restElapsedMs: new Float64Array(cells),
    flips: new Float32Array(cells),
    overlayMs: new Float32Array(cells),
    steps: freshSteps(grid),
    view: freshView(),
    reference: new Uint8Array(grid.planeWidth * grid.planeHeight),
    referenceMs: 0,
    light: sameLight,
    usualGain: 1,
    usualOffset: 0,
    usualNoiseSigma: Number.NaN,
    speckles: 0,
    illumination: { id: 0, nextId: 1, remembered: [], switchedMs: Number.NEGATIVE_INFINITY, told: undefined },
    haze: freshHaze(grid),
    tracking: { nextId: 1, tracks: [] },
  };
}
