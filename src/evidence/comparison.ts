import { planeShift } from '../pixels/shift.js';
import { robustSpread } from '../pixels/spread.js';
import { fitLight, sameLight, type LightFit } from '../pixels/light.js';
import { components, sharpness, type Component } from '../pixels/components.js';
import { gapPx, unionOf } from '../pixels/geometry.js';
import { medianPlanes, samplesOf, shiftPlanes, smooth3, yuvPlanes, type Planes } from '../pixels/planes.js';
import { unwatchedMask } from '../pixels/zones.js';
import type { PictureU8, Region, Zone } from '../records/index.js';
import { isSameSurface } from './surface.js';
import { boxOf, describeChange, type ChangedRegion } from './changed-region.js';

export interface SceneComparison {
  readonly planes: { readonly before: Planes; readonly after: Planes };
  readonly light: LightFit;
  readonly shiftPx: { readonly dx: number; readonly dy: number };
  /** Difference over its threshold, a value a sample; above 1 the scene differs there. */
  readonly score: Float32Array;
  readonly regions: readonly ChangedRegion[];
  /** Where only the light differs: soft borders. Negative strength is darker (logarithm of the gain). */
  readonly soft: readonly { readonly region: Region; readonly strength: number }[];
  readonly changedShare: number;
  /** Several regions told as one. */
  join(regions: readonly ChangedRegion[]): ChangedRegion;
}

/** Samples that the comparison looks at, roughly: 320×240. */
const SAMPLES = 76_800;
/** Least difference that counts, grey levels, and deviations of the measured noise. */
const LEAST_DIFFERENCE = 8;
const DEVIATIONS = 5;
/** A third of a sample is what alignment may be off by; edges differ by their gradient times that. */
const MISALIGNED = 0.35;
const DARK = 16;
const SHARP = 0.65;
/** Parts smaller than this many samples are not told. */
const LEAST_SAMPLES = 10;

/**
 * Holds the scene after against the scene before. Each side is the median of its frames, so that noise and rain drop
 * out; before is brought to the place and the light of after; what then differs beyond the noise measured in this very
 * comparison is grouped, and groups whose border is soft, or which show the same surface, are shadows or lamps.
 *
 * @param ignored parts of the original picture to leave out: overlays, things in motion; what zones leave out too
 * @param within parts of the original picture outside of which nothing is told; absent for all of it
 */
export function compareScenes(
  before: readonly PictureU8[],
  after: readonly PictureU8[],
  ignored: readonly Region[],
  {
    zones,
    within,
  }: { readonly zones?: readonly Zone[] | undefined; readonly within?: readonly Region[] | undefined } = {},
): SceneComparison {
  const { width, height } = after[0];
  const shrink = Math.max(1, Math.round(Math.sqrt((width * height) / SAMPLES)));
  const now = medianPlanes(after.map((picture) => yuvPlanes(picture, shrink)));
  let then = medianPlanes(before.map((picture) => yuvPlanes(picture, shrink)));
  const light = lightBetween(then, now);
  const shift = shiftBetween(then, now, light);
  if (shift.dx !== 0 || shift.dy !== 0) then = shiftPlanes(then, shift.dx, shift.dy);

  const usable = new Uint8Array(now.y.length).fill(within === undefined ? 1 : 0);
  for (const region of within ?? []) mark(usable, region, now, 1);
  for (const region of ignored) mark(usable, region, now, 0);
  const unwatched = unwatchedMask(zones, now);
  if (unwatched !== undefined) for (let i = 0; i < usable.length; i++) usable[i] &= 1 - unwatched[i];
  const size = now.y.length;
  const dy = new Float32Array(size);
  const du = new Float32Array(size);
  const dv = new Float32Array(size);
  const ratio = new Float32Array(size);
  for (let i = 0; i < size; i++) {
    const expected = light.gain * then.y[i] + light.offset;
    dy[i] = now.y[i] - expected;
    // Less light makes every colour difference smaller by the same factor; only what is left is another colour.
    const k = Math.min(1.5, (Math.max(0, now.y[i]) + DARK) / (Math.max(0, then.y[i]) + DARK));
    du[i] = now.u[i] - k * then.u[i];
    dv[i] = now.v[i] - k * then.v[i];
    ratio[i] = Math.log((Math.max(0, now.y[i]) + DARK) / (Math.max(0, expected) + DARK));
  }
  const colourless = isGrey(then) !== isGrey(now);
  const sy = smooth3(dy, now.width, now.height);
  const su = smooth3(du, now.width, now.height);
  const sv = smooth3(dv, now.width, now.height);
  // Noise is that of the whole picture, also where little of it is told.
  const asked = Int32Array.from({ length: size }, (_, i) => i).filter((i) => within !== undefined || usable[i] === 1);
  const spread = (values: Float32Array) => robustSpread(Float32Array.from(asked, (i) => values[i]));
  const least = Math.max(LEAST_DIFFERENCE, DEVIATIONS * spread(sy));
  const leastColour = Math.max(LEAST_DIFFERENCE, DEVIATIONS * Math.max(spread(su), spread(sv)));
  const score = new Float32Array(size);
  const mask = new Uint8Array(size);
  for (let y = 0; y < now.height; y++) {
    for (let x = 0; x < now.width; x++) {
      const i = y * now.width + x;
      if (usable[i] === 0) continue;
      const edge = MISALIGNED * gradient(then.y, i, x, y, now.width, now.height);
      score[i] = Math.max(
        Math.abs(sy[i]) / (least + edge),
        colourless ? 0 : Math.max(Math.abs(su[i]), Math.abs(sv[i])) / leastColour,
      );
      mask[i] = score[i] > 1 ? 1 : 0;
    }
  }
  const parts = components(mask, now.width, now.height).filter((part) => part.cells.length >= LEAST_SAMPLES);
  const coloured = (part: Component) =>
    !colourless &&
    part.cells.filter((i) => Math.max(Math.abs(su[i]), Math.abs(sv[i])) > leastColour).length > part.cells.length * 0.3;
  const samples = {
    width: now.width,
    height: now.height,
    cell: 1,
    at: (x: number, y: number) => ratio[y * now.width + x],
  };
  const isThing = (part: Component) =>
    (coloured(part) || sharpness(part, mask, ratio, now.width, samples) >= SHARP) &&
    !isSameSurface(part.cells, then, now);
  const things = parts.filter(isThing);
  const soft = parts.filter((part) => !things.includes(part));
  const mean = (part: Component) => part.cells.reduce((sum, i) => sum + ratio[i], 0) / part.cells.length;
  const described = (samples: readonly number[]) => describeChange(samples, score, mask, then, now);
  return {
    planes: { before: then, after: now },
    light,
    shiftPx: { dx: shift.dx * shrink, dy: shift.dy * shrink },
    score,
    regions: joinFragments(things, now).map(described),
    soft: soft.map((part) => ({ region: boxOf(part.cells, now), strength: mean(part) })),
    changedShare: things.reduce((n, part) => n + part.cells.length, 0) / size,
    join: (regions) => described(regions.flatMap((r) => r.samples)),
  };
}

/** Whether a picture has hardly any colour: mean difference of the channels from luma, grey levels. */
function isGrey({ u, v }: Planes): boolean {
  let sum = 0;
  for (let i = 0; i < u.length; i++) sum += Math.abs(u[i]) + Math.abs(v[i]);
  return sum / u.length < 2;
}

function lightBetween(then: Planes, now: Planes): LightFit {
  return fitLight(
    now.y,
    then.y,
    new Int32Array(now.y.length).map((_, i) => i),
    sameLight,
  );
}

function shiftBetween(then: Planes, now: Planes, light: LightFit): { dx: number; dy: number } {
  const bytes = (plane: Float32Array) =>
    Uint8Array.from(plane, (value) => Math.min(255, Math.max(0, Math.round(value))));
  const grid = { planeWidth: now.width, planeHeight: now.height };
  const found = planeShift(bytes(then.y), bytes(now.y), grid, light);
  const size = Math.hypot(found.dx, found.dy);
  return found.explained > 0.15 && size > 0.05 && size < 3 ? { dx: found.dx, dy: found.dy } : { dx: 0, dy: 0 };
}

/** Parts of one thing: boxes that nearly touch, seen against their size. */
function joinFragments(parts: readonly Component[], planes: Planes): number[][] {
  const groups = parts.map((part) => ({ cells: [...part.cells], box: boxOf(part.cells, planes) }));
  for (let joined = true; joined;) {
    joined = false;
    outer: for (let a = 0; a < groups.length; a++) {
      for (let b = a + 1; b < groups.length; b++) {
        const reach =
          0.12 * Math.max(groups[a].box.width, groups[a].box.height, groups[b].box.width, groups[b].box.height);
        if (gapPx(groups[a].box, groups[b].box) > Math.max(3 * planes.shrink, reach)) continue;
        groups[a].cells.push(...groups[b].cells);
        groups[a].box = unionOf([groups[a].box, groups[b].box]);
        groups.splice(b, 1);
        joined = true;
        break outer;
      }
    }
  }
  return groups.map((group) => group.cells);
}

function mark(mask: Uint8Array, region: Region, planes: Planes, value: number): void {
  const { left, top, right, bottom } = samplesOf(region, planes);
  for (let y = top; y <= bottom; y++) mask.fill(value, y * planes.width + left, y * planes.width + right + 1);
}

function gradient(plane: Float32Array, i: number, x: number, y: number, width: number, height: number): number {
  const gx = plane[x < width - 1 ? i + 1 : i] - plane[x > 0 ? i - 1 : i];
  const gy = plane[y < height - 1 ? i + width : i] - plane[y > 0 ? i - width : i];
  return Math.abs(gx) + Math.abs(gy);
}

/**
 * Share of a box in which the comparison found the scene different, and share of all difference near the box that lies
 * inside it. What a claimed box is checked with: a box beside the change has little of both.
 */
export function changeInBox(
  comparison: SceneComparison,
  region: Region,
): { readonly filled: number; readonly covered: number } {
  const { planes, score } = comparison;
  const { left, top, right, bottom } = samplesOf(region, planes.after);
  const { width, height } = planes.after;
  const marginX = right - left + 1;
  const marginY = bottom - top + 1;
  let inside = 0;
  let around = 0;
  for (let y = Math.max(0, top - marginY); y <= Math.min(height - 1, bottom + marginY); y++) {
    for (let x = Math.max(0, left - marginX); x <= Math.min(width - 1, right + marginX); x++) {
      if (score[y * width + x] <= 1) continue;
      around++;
      if (x >= left && x <= right && y >= top && y <= bottom) inside++;
    }
  }
  return { filled: inside / (marginX * marginY), covered: around === 0 ? 0 : inside / around };
}
