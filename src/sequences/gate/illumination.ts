import { regionOf, type Component } from '../../pixels/components.js';
import { CELL, type CellGrid, type CellPlanes } from '../../pixels/cells.js';
import { fitLight, sameLight, type LightFit } from '../../pixels/light.js';
import { cellGradients } from '../../pixels/shift.js';
import type { Nuisance } from '../../records/index.js';
import { DARK } from './detail.js';
import { GREY, LEAST_DIFFERENCE, type CellDifferences, type Differences } from './differences.js';
import { referTo } from './reference.js';
import { hasRested } from './restless.js';
import type { GateState, Illumination, IlluminationState } from './state.js';
import { freshHaze } from './haze.js';

/** By day, by night, and either with a lamp on. */
const MOST_REMEMBERED = 4;
/** A lamp lights this share of what is watched, or it is a thing that lights up; and by so much, as a logarithm. */
const SUDDEN = 0.1;
const LEAST_CHANGE = 0.1;
/** Agreement of the directions of edges, −1–1 and about 0 for another scene, from which it is the same scene. */
const SAME_EDGES = 0.6;
/** Steepness on one side, and on the other, that tells a direction, grey levels a sample; so many of the cells have it. */
const LEAST_STEEPNESS = 2;
const FAINT_STEEPNESS = 1;
const LEAST_EDGES = 0.05;
/** A light is known again where so few cells differ from how it was, and so many fewer than from how it is now. */
const MOST_OTHER = 0.3;
const BETTER = 0.5;
/** What of luma is another light or another thing, and not noise, grey levels. */
const APART = 12;
/** The sun moves shadows on: a light that was left longer ago is known again, but what differs from then is the scene, ms. */
const SHADOWS_MOVE_MS = 600_000;
/** Gain of what changed that is worth telling. */
const LEAST_TOLD = 0.04;
/** A change of light is told for this long, ms: one frame alone would be chance. */
const TOLD_MS = 1_000;

/**
 * Whether another light has come at once: a good part of the picture looks otherwise than a moment ago, while its edges are
 * where they were and run as they did. Of what comes into the picture or covers it they are others. The direction of an edge
 * does not depend on light; by infrared it may be reversed, which counts as the same.
 */
export function isOtherLight(state: GateState, found: Differences, planes: CellPlanes, grid: CellGrid): boolean {
  if (found.shift.explained > 0) return false;
  const { y } = found;
  // Not what differs beyond the noise of the whole picture: where all of it differs, that is taken for noise.
  const changed: number[] = [];
  let size = 0;
  for (let c = 0; c < y.length; c++) {
    if (Math.abs(y[c] - state.recentY[c]) <= APART || !hasRested(state.restless, c)) continue;
    if (Math.abs(y[c] - state.baseY[c]) <= APART) continue;
    changed.push(c);
    size += Math.abs(ratioAt(c, state, found));
  }
  if (changed.length < SUDDEN * y.length || size < LEAST_CHANGE * changed.length) return false;
  const [then, now] = [cellGradients(state.reference, grid), cellGradients(planes.plane(), grid)];
  let [edges, agreement, weight] = [0, 0, 0];
  for (const c of changed) {
    const [ax, ay, bx, by] = [then.x[c], then.y[c], now.x[c], now.y[c]];
    const [a, b] = [ax * ax + ay * ay, bx * bx + by * by];
    if (Math.max(a, b) < LEAST_STEEPNESS ** 2) continue;
    const along = ax * bx + ay * by;
    const across = ax * by - ay * bx;
    // The cosine of twice the angle between them; an edge that is there on one side alone agrees with nothing.
    edges++;
    const strength = Math.sqrt(Math.max(a, b));
    weight += strength;
    if (Math.min(a, b) >= FAINT_STEEPNESS ** 2) agreement += (strength * (along * along - across * across)) / (a * b);
  }
  return edges >= LEAST_EDGES * changed.length && agreement >= SAME_EDGES * weight;
}

/** Logarithm of a cell's frame over its settled scene. */
const ratioAt = (c: number, { baseY }: GateState, { y }: CellDifferences): number =>
  Math.log((Math.max(0, y[c]) + DARK) / (Math.max(0, baseY[c]) + DARK));

/**
 * Takes the scene over into another light: one in which it is remembered, or else as it looks now wherever it differs, which
 * is then as little known as at a cold start. How it looked so far is remembered.
 */
export function changeLight(
  state: GateState,
  found: Differences,
  planes: CellPlanes,
  grid: CellGrid,
  { elapsedMs, sigma }: { readonly elapsedMs: number; readonly sigma: number },
): void {
  const { illumination } = state;
  illumination.switchedMs = elapsedMs;
  const left = remembered(state, elapsedMs);
  const again = illumination.remembered.filter((one) => isAgain(one, left, planes)).at(-1);
  const others = illumination.remembered.filter((one) => one !== again);
  illumination.told = nuisanceOf(state, found, grid, again !== undefined);
  // A flash is over before anything of the scene is known in it.
  const isScene = left.known.reduce((sum, one) => sum + one, 0) * 2 > left.known.length;
  illumination.remembered = (isScene ? [...others, left] : others).slice(-MOST_REMEMBERED);
  if (again === undefined) {
    beginAnew(state, found);
    referTo(state, planes);
  } else {
    takeUp(state, again, planes, elapsedMs);
    referTo(state, planes);
    flatten(state, planes, grid);
  }
  illumination.id = again?.id ?? illumination.nextId++;
  state.usualNoiseSigma = again?.noiseSigma ?? sigma;
  state.haze = freshHaze(grid);
}

/** What lies there is another thing in every light; how it looks in the others is not known, nor its border a cell around. */
export function forgetIn(
  { remembered }: IlluminationState,
  { left, top, right, bottom }: Pick<Component, 'left' | 'top' | 'right' | 'bottom'>,
  { columns, rows }: CellGrid,
): void {
  const [from, to] = [Math.max(0, left - 1), Math.min(columns, right + 2)];
  for (const { known } of remembered)
    for (let row = Math.max(0, top - 1); row <= Math.min(rows - 1, bottom + 1); row++)
      known.fill(0, row * columns + from, row * columns + to);
}

/** The change of light, as long as it is told. */
export const lightChanged = ({ told, switchedMs }: IlluminationState, nowMs: number): Nuisance[] =>
  told !== undefined && nowMs - switchedMs <= TOLD_MS ? [told] : [];

/** Undefined where the camera went grey, which is told by itself, or where it is as bright as before on the whole. */
function nuisanceOf(state: GateState, found: Differences, grid: CellGrid, isKnownAgain: boolean): Nuisance | undefined {
  if (found.chroma < GREY) return undefined;
  const { y } = found;
  let [n, sum] = [0, 0];
  let [left, top, right, bottom] = [grid.columns, grid.rows, 0, 0];
  for (let c = 0; c < y.length; c++) {
    if (Math.abs(y[c] - state.baseY[c]) <= APART) continue;
    const column = c % grid.columns;
    const row = (c - column) / grid.columns;
    [left, right] = [Math.min(left, column), Math.max(right, column)];
    [top, bottom] = [Math.min(top, row), Math.max(bottom, row)];
    n++;
    sum += ratioAt(c, state, found);
  }
  const strength = Math.exp(sum / Math.max(1, n));
  if (Math.abs(strength - 1) < LEAST_TOLD) return undefined;
  const isPart = n * 2 < y.length;
  const region = isPart ? { region: regionOf({ left, top, right, bottom }, grid) } : {};
  // A part that is darker is in a shadow, unless it is as it was before a lamp was on.
  const cause = isPart && strength < 1 && !isKnownAgain ? 'SHADOW' : 'LIGHTING';
  return { cause, strength, unit: 'gain', ...region };
}

function remembered(
  { illumination, baseY, baseU, baseV, known, usualNoiseSigma }: GateState,
  nowMs: number,
): Illumination {
  return {
    id: illumination.id,
    leftMs: nowMs,
    y: Uint8ClampedArray.from(baseY),
    u: Int8Array.from(baseU, toByte),
    v: Int8Array.from(baseV, toByte),
    known: known.slice(),
    noiseSigma: usualNoiseSigma,
  };
}

const toByte = (value: number): number => Math.max(-128, Math.min(127, Math.round(value)));

/** Whether a frame shows the scene in this light, rather than in that which was just left. */
function isAgain(one: Illumination, left: Illumination, { y }: CellPlanes): boolean {
  const share = otherShare(one, y);
  return share <= MOST_OTHER && share <= BETTER * otherShare(left, y);
}

/** Share of the known cells that differ, gain and offset of the whole picture allowed for. */
function otherShare(one: Illumination, now: Float32Array): number {
  const cells = knownIn(one);
  if (cells.length * 4 < one.known.length) return 1;
  const { gain, offset } = lightIn(one, now);
  let other = 0;
  for (const c of cells) if (Math.abs(now[c] - gain * one.y[c] - offset) > APART) other++;
  return other / cells.length;
}

const knownIn = ({ known }: Illumination): Int32Array => Int32Array.from(known.keys()).filter((c) => known[c] === 1);
const lightIn = (one: Illumination, now: Float32Array): LightFit =>
  fitLight(now, Float32Array.from(one.y), knownIn(one), sameLight);

/** What differs is taken as it is; without colour, that of the scene by day is kept to know it again. */
function beginAnew({ baseY, baseU, baseV, known }: GateState, { y, u, v, chroma }: Differences): void {
  for (let c = 0; c < known.length; c++) {
    if (Math.abs(y[c] - baseY[c]) <= LEAST_DIFFERENCE) continue;
    known[c] = 0;
    baseY[c] = y[c];
    if (chroma < GREY) continue;
    baseU[c] = u[c];
    baseV[c] = v[c];
  }
}

/** What was known of it is known again. */
function takeUp(state: GateState, again: Illumination, { y, u, v }: CellPlanes, nowMs: number): void {
  const { baseY, baseU, baseV, known } = state;
  const { gain, offset } = (state.light = lightIn(again, y));
  [state.usualGain, state.usualOffset] = [gain, offset];
  const isLongAgo = nowMs - again.leftMs > SHADOWS_MOVE_MS;
  for (let c = 0; c < known.length; c++) {
    const here = (y[c] - offset) / gain;
    const isKnown = again.known[c] === 1 && !(isLongAgo && Math.abs(here - again.y[c]) > APART);
    known[c] = isKnown ? 1 : 0;
    baseY[c] = isKnown ? again.y[c] : here;
    baseU[c] = isKnown ? again.u[c] : u[c] / gain;
    baseV[c] = isKnown ? again.v[c] : v[c] / gain;
  }
}

/** Where something else lies now than did in this light, the reference shows what is known of that: how bright it was. */
function flatten({ reference, baseY, light, known }: GateState, { y }: CellPlanes, grid: CellGrid): void {
  for (let c = 0; c < known.length; c++) {
    if (known[c] === 0 || Math.abs((y[c] - light.offset) / light.gain - baseY[c]) <= APART) continue;
    const column = c % grid.columns;
    const at = ((c - column) / grid.columns) * CELL * grid.planeWidth + column * CELL;
    for (let row = 0; row < CELL; row++) {
      const from = at + row * grid.planeWidth;
      reference.fill(baseY[c], from, from + CELL);
    }
  }
}
