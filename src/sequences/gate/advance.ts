import type { CellGrid, CellPlanes } from '../../pixels/cells.js';
import { pointOf, type FrameEvidence, type FrameRef, type Nuisance, type SettledRegion } from '../../records/index.js';
import type { LightFit } from '../../pixels/light.js';
import { components, regionOf, sharpness, type Component } from '../../pixels/components.js';
import { differences, GREY, type CellDifferences, type Differences } from './differences.js';
import type { GateOptions } from './options.js';
import { freshHaze, hazeOf } from './haze.js';
import { changeLight, forgetIn, isOtherLight, lightChanged } from './illumination.js';
import { arrive, resume } from './interruption.js';
import { isCompressed, nuisancesOf } from './nuisances.js';
import { countFlips, fadeFlips, overlaysOf, type Overlays } from './overlays.js';
import { keepReference } from './reference.js';
import type { GateState } from './state.js';
import { countRestless, isRestless, isUnsettled, withUnsettled } from './restless.js';
import { scrolled } from './scrolling.js';
import { isLookDue, look } from './steps.js';
import { linkTracks } from './tracks.js';
import { freshView, isLost, isOutOfFocus, isSceneNow, lossOf, viewOf } from './view.js';

/** Under this steepness of its border (a ramp has a third, an edge one) a component is a shadow or a lamp, not a thing. */
const SHARP = 0.65;
/**
 * Mean logarithm of the change of light under which a component is faint: 10 %. Soft shadows end in it, and an encoder
 * that spends more or fewer bits does as much.
 */
const FAINT = 0.1;
/** Mean difference of colour over its threshold from which a faint component is a thing all the same. */
const COLOURED = 2;
/** Time constants, ms. */
const RECENT_MS = 150;
const BASELINE_MS = 8_000;
const NOISE_MS = 3_000;

/** What a component of differing cells is taken for. */
interface Part extends Component {
  readonly kind: 'thing' | 'soft' | 'speckle' | 'drift';
  readonly moving: boolean;
}

/** What is known of a scene, how its pictures are divided, and where each frame's values go. */
export interface Scene {
  readonly state: GateState;
  readonly grid: CellGrid;
  /** Cell means of the frame. */
  readonly planes: CellPlanes;
  readonly cells: CellDifferences;
  /** 1 for cells of which nothing is told, and for those that are black because they are private. */
  readonly zones?: { readonly unwatched: Uint8Array; readonly hidden: Uint8Array };
}

/** One step of the gate: changes `state`, returns what the frame in `planes` shows. */
export function advance(
  { state, grid, planes, cells, zones }: Scene,
  ref: FrameRef,
  sigma: number,
  options: GateOptions,
): FrameEvidence {
  const first = Number.isNaN(state.lastElapsedMs);
  // Over a gap nothing is learned and nothing has rested.
  const dtMs = first || state.interrupted ? 0 : Math.min(1_000, Math.max(0, ref.elapsedMs - state.lastElapsedMs));
  if (first) begin(state, planes, grid);
  state.last = { eventTimeMs: ref.eventTimeMs, index: ref.index };
  state.lastElapsedMs = ref.elapsedMs;

  const overlays = overlaysOf(state, grid);
  const compressed = isCompressed(state, sigma);
  const masks = {
    silent: zones === undefined ? overlays.mask : either(overlays.mask, zones.unwatched),
    untold: withUnsettled(zones === undefined ? overlays.mask : either(overlays.mask, zones.hidden), state.restless),
  };
  const compare = () => differences(state, grid, planes, masks, { deviations: options.deviations, compressed }, cells);
  const lightBefore = state.light;
  let found = compare();
  const wasLost = isLost(state.view);
  const isSeen = !first && !wasLost && !state.interrupted;
  let isRelit = isSeen && isOtherLight(state, found, planes, grid);
  if (!first && (wasLost || found.isDoubtful || isLookDue(state.steps, ref.elapsedMs))) {
    const view = viewOf(state, planes, grid, { untold: masks.untold, sigma });
    const loss = lossOf(state.view, view, ref.elapsedMs);
    // Another light may show less of the detail, and where edges are all the same; a lens out of focus takes them all.
    isRelit &&= loss === undefined || !isOutOfFocus(loss);
    if (isRelit) state.view = freshView();
    else if (loss !== undefined && !isSceneNow(state.view, loss, ref.elapsedMs))
      return unseen(state, loss, { light: lightBefore, noiseSigma: sigma, overlays });
    else if (loss !== undefined) begin(state, planes, grid);
    if (wasLost) state.interrupted = true;
  }
  const { illumination } = state;
  if (isRelit) {
    changeLight(state, found, planes, grid, { elapsedMs: ref.elapsedMs, sigma });
    found = compare();
    resume(state, found, ref);
    // What differs from a light that is known again came with it, and is no slow change.
    arrive(state, found, ref);
    found = compare();
  }
  if (state.interrupted) {
    resume(state, found, ref);
    found = compare();
  }
  const parts = components(found.foreground, grid.columns, grid.rows).map((part) => classify(part, found, state, grid));
  const things = parts.filter((part) => part.kind === 'thing');
  const points = linkTracks(
    state.tracking,
    things.map((part) => ({ region: regionOf(part, grid), moving: part.moving && !isUnrest(part, state) })),
    pointOf(ref),
    dtMs,
  );
  if (isLookDue(state.steps, ref.elapsedMs)) {
    countFlips(state, scrolled(state.steps.plane, planes.plane(), state.restless.share, grid));
    countFlips(state, look(state.steps, planes, grid, { elapsedMs: ref.elapsedMs, sigma }));
  }
  rest(state, found, ref, dtMs);
  countRestless(state.restless, found.stirring, grid, { elapsedMs: ref.elapsedMs, dtMs });
  const atRest = parts.filter((part) => isAtRest(part, state, options.settleMs));
  const settled = settle(state, grid, found, atRest, ref, options.settleMs);
  fadeFlips(state, dtMs);
  if (parts.length === 0 && found.shift.explained === 0) keepReference(state, planes, ref.elapsedMs);
  learn(state, found, parts, masks.silent, dtMs);
  const haze = hazeOf(state.haze, planes, grid, {
    ...{ apart: state.leftFrame, silent: masks.untold, elapsedMs: ref.elapsedMs, sigma },
  });
  const nuisances = [
    ...lightChanged(illumination, ref.elapsedMs),
    ...haze,
    ...nuisancesOf(state, grid, found, parts, overlays, { sigma, compressed, isHazy: haze.length > 0, dtMs }),
  ];
  return {
    motion: things.length > 0 ? 'active' : 'still',
    nuisances,
    tracks: points,
    settled,
    light: found.light,
    illumination: illumination.id,
    overlays: overlays.regions,
    restless: state.restless.regions,
    noiseSigma: sigma,
    changedShare: things.reduce((sum, part) => sum + part.cells.length, 0) / state.baseY.length,
  };
}

/** What a picture tells that does not show the scene. Nothing is learned of it, and nothing that was followed is known now. */
function unseen(
  state: GateState,
  loss: Nuisance,
  {
    light,
    noiseSigma,
    overlays,
  }: { readonly light: LightFit; readonly noiseSigma: number; readonly overlays: Overlays },
): FrameEvidence {
  state.light = light;
  state.tracking.tracks = [];
  return {
    motion: 'unseen',
    nuisances: [loss],
    tracks: [],
    settled: [],
    light,
    illumination: state.illumination.id,
    overlays: overlays.regions,
    noiseSigma,
    changedShare: 0,
  };
}

const either = (a: Uint8Array, b: Uint8Array): Uint8Array => a.map((value, c) => value | b[c]);

function begin(state: GateState, planes: CellPlanes, grid: CellGrid): void {
  const { y, u, v } = planes;
  state.baseY.set(y);
  state.baseU.set(u);
  state.baseV.set(v);
  state.recentY.set(y);
  state.recentU.set(u);
  state.recentV.set(v);
  state.reference.set(planes.plane());
  state.view = freshView();
  state.haze = freshHaze(grid);
}

/**
 * A thing must be larger than chance makes it: two cells that differ at five deviations never touch by noise alone, but
 * rain and compression throw up clusters, so the more speckles a scene has shown lately the larger a thing must be.
 */
function classify(part: Component, found: Differences, state: GateState, grid: CellGrid): Part {
  const moved = part.cells.reduce((n, c) => n + found.moving[c], 0);
  const moving = moved >= Math.max(1, part.cells.length * 0.05);
  // What came to differ without ever moving crept there: a slow change, found by comparing settled scenes.
  const crept = part.cells.reduce(
    (n, c) => n + (state.leftFrame[c] >= 0 && state.restElapsedMs[c] < state.leftElapsedMs[c] ? 1 : 0),
    0,
  );
  if (!moving && crept > part.cells.length * 0.7) return { ...part, kind: 'drift', moving };
  const strength = part.cells.reduce((sum, c) => sum + found.score[c], 0);
  const leastCells = 3 + Math.min(9, state.speckles * 0.6);
  if (part.cells.length < leastCells || strength < leastCells * 1.3) return { ...part, kind: 'speckle', moving };
  const lit = part.cells.reduce((sum, c) => sum + Math.abs(found.ratio[c]), 0) / part.cells.length;
  const kind = isColoured(part, found, lit) || (lit >= FAINT && isSharp(part, found, grid)) ? 'thing' : 'soft';
  return { ...part, kind, moving };
}

/** Whether a component differs by colour and hardly by light; shadows are tinted too, and have their border to tell. */
function isColoured(part: Component, found: Differences, lit: number): boolean {
  return lit < FAINT && part.cells.reduce((sum, c) => sum + found.colourScore[c], 0) >= COLOURED * part.cells.length;
}

/** Where nothing has rested for a while, what differs is no thing that has come; one that is followed already goes on. */
const isUnrest = ({ cells }: Part, state: GateState): boolean =>
  cells.filter((c) => isUnsettled(state.restless, c)).length > 0.5 * cells.length;

const isSharp = (part: Component, found: Differences, grid: CellGrid): boolean =>
  sharpness(part, found.foreground, found.ratio, grid.columns, found.ratioPlane) >= SHARP;

/** Keeps the clocks of each cell: how long it has been at rest, since when it has been unlike the baseline. */
function rest(state: GateState, { foreground, moving, y, u, v }: Differences, ref: FrameRef, dtMs: number): void {
  const { stillMs, restFrame, restElapsedMs, leftFrame, leftElapsedMs } = state;
  for (let c = 0; c < stillMs.length; c++) {
    if (moving[c] === 1) {
      stillMs[c] = 0;
      restFrame[c] = ref.index;
      restElapsedMs[c] = ref.elapsedMs;
    } else {
      stillMs[c] += dtMs;
    }
    if (foreground[c] === 0) {
      leftFrame[c] = -1;
    } else if (leftFrame[c] < 0) {
      leftFrame[c] = ref.index;
      leftElapsedMs[c] = ref.elapsedMs;
    }
  }
  const blend = 1 - Math.exp(-dtMs / RECENT_MS);
  follow(state.recentY, y, blend);
  follow(state.recentU, u, blend);
  follow(state.recentV, v, blend);
}

function follow(smoothed: Float32Array, values: Float32Array, blend: number): void {
  for (let c = 0; c < smoothed.length; c++) smoothed[c] += blend * (values[c] - smoothed[c]);
}

/** Whether nearly all of it has been still for `settleMs`. */
function isAtRest({ cells }: Part, { stillMs }: GateState, settleMs: number): boolean {
  const restless = cells.reduce((n, c) => n + (stillMs[c] < settleMs ? 1 : 0), 0);
  return restless <= cells.length * 0.1;
}

/** Adopts what has come to rest as a whole, and what was unknown and rests; tells of what is no speckle and did not creep. */
function settle(
  state: GateState,
  grid: CellGrid,
  found: Differences,
  atRest: readonly Part[],
  ref: FrameRef,
  settleMs: number,
): SettledRegion[] {
  const timeZeroMs = ref.eventTimeMs - ref.elapsedMs;
  const settled: SettledRegion[] = [];
  for (const part of atRest) {
    const isLargeLight = part.kind === 'soft' && part.cells.length * 100 >= state.known.length;
    if (part.kind === 'thing' || isLargeLight) {
      // Half of the cells had left by then, and all of them rest since.
      const left = byTime(part.cells, state.leftElapsedMs)[part.cells.length >> 1];
      const rested = byTime(part.cells, state.restElapsedMs)[part.cells.length - 1];
      const at = (frame: number, elapsedMs: number) => ({ frame, timeMs: timeZeroMs + elapsedMs, elapsedMs });
      settled.push({
        region: regionOf(part, grid),
        leftAt: at(state.leftFrame[left], state.leftElapsedMs[left]),
        restedAt: at(state.restFrame[rested], state.restElapsedMs[rested]),
        ...(isLargeLight && { mayBeLight: true as const }),
      });
      if (part.kind === 'thing') forgetIn(state.illumination, part, grid);
    }
    for (const c of part.cells) adopt(state, found, c);
  }
  const { known, stillMs } = state;
  for (let c = 0; c < known.length; c++) if (known[c] === 0 && stillMs[c] >= settleMs) adopt(state, found, c);
  return settled;
}

function adopt(state: GateState, found: Differences, c: number): void {
  state.baseY[c] = state.recentY[c];
  // By night the colours of the day are kept, to know it again.
  if (found.chroma >= GREY) {
    state.baseU[c] = state.recentU[c];
    state.baseV[c] = state.recentV[c];
  }
  state.known[c] = 1;
  state.leftFrame[c] = -1;
  found.foreground[c] = 0;
}

/** Lets the baseline follow slowly where nothing differs, and learns how restless each cell is by nature. */
function learn(state: GateState, found: Differences, parts: readonly Part[], silent: Uint8Array, dtMs: number): void {
  const { baseY, baseU, baseV, noise, known } = state;
  const { y, u, v, foreground, moving } = found;
  const baseline = 1 - Math.exp(-dtMs / BASELINE_MS);
  const colour = found.chroma < GREY ? 0 : baseline;
  const noiseBlend = 1 - Math.exp(-dtMs / NOISE_MS);
  const near = new Uint8Array(known.length);
  for (const part of parts) if (part.kind === 'thing') for (const c of part.cells) near[c] = 1;
  for (let c = 0; c < near.length; c++) {
    // What never rests has no settled look: how it looks on the whole is its baseline, and its movement is its noise.
    const restless = isRestless(state.restless, c);
    if (known[c] === 0 && restless) adopt(state, found, c);
    if ((near[c] === 1 && !restless) || known[c] === 0) continue;
    const off = y[c] - baseY[c];
    // A digit's flips are no noise: taken for it, they would not be seen any more and the overlay be forgotten.
    if (silent[c] === 0) noise[c] += noiseBlend * (1.2533 * Math.abs(off) - noise[c]);
    if (foreground[c] === 1 && moving[c] === 1 && !restless) continue;
    baseY[c] += baseline * off;
    baseU[c] += colour * (u[c] - baseU[c]);
    baseV[c] += colour * (v[c] - baseV[c]);
  }
  const speckles = parts.reduce((n, part) => n + (part.kind === 'speckle' ? 1 : 0), 0);
  state.speckles += (1 - Math.exp(-dtMs / 500)) * (speckles - state.speckles);
}

const byTime = (cells: readonly number[], elapsedMs: Float64Array): number[] =>
  [...cells].sort((a, b) => elapsedMs[a] - elapsedMs[b]);
