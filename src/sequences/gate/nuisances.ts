import type { CellGrid } from '../../pixels/cells.js';
import type { Nuisance } from '../../records/index.js';
import { regionOf, type Component } from '../../pixels/components.js';
import { GREY, type Differences } from './differences.js';
import type { Overlays } from './overlays.js';
import { isUnsettled } from './restless.js';
import type { GateState } from './state.js';

/** What is usual is learned over this long, ms: a light that stays is the new usual after a minute. */
const USUAL_MS = 30_000;
/** A gain or offset that departs by this much is seen as a change of light: 4 % and 4 grey levels. */
const LEAST_GAIN = 0.04;
const LEAST_NOISE = 1.5;

/** Sensor noise that is told from none, grey levels. */
const GRAIN = 0.15;

/** Whether an encoder has taken the grain out of the picture: less than a quarter of the usual noise is left. */
export const isCompressed = ({ usualNoiseSigma }: GateState, sigma: number): boolean =>
  usualNoiseSigma > GRAIN && sigma < 0.25 * usualNoiseSigma;

/** Why the pixels of this frame differ although nothing in the scene does. Learns what is usual. */
export function nuisancesOf(
  state: GateState,
  grid: CellGrid,
  found: Differences,
  parts: readonly (Component & { readonly kind: string; readonly moving: boolean })[],
  overlays: Overlays,
  {
    sigma,
    compressed,
    isHazy,
    dtMs,
  }: { readonly sigma: number; readonly compressed: boolean; readonly isHazy: boolean; readonly dtMs: number },
): Nuisance[] {
  const usual = 1 - Math.exp(-dtMs / USUAL_MS);
  const list: Nuisance[] = [];
  const level = 100;
  const brightness = (found.light.gain * level + found.light.offset) / (state.usualGain * level + state.usualOffset);
  if (found.chroma < GREY) {
    list.push({ cause: 'COLOR_MODE', strength: found.chroma, unit: 'colour gain' });
    // Light from the haze itself is no change of the light.
  } else if (!isHazy && Math.abs(brightness - 1) > LEAST_GAIN) {
    list.push({ cause: 'LIGHTING', strength: brightness, unit: 'gain' });
  }
  // What haze does to the fit is over when it clears up.
  if (!isHazy) {
    state.usualGain += usual * (found.light.gain - state.usualGain);
    state.usualOffset += usual * (found.light.offset - state.usualOffset);
  }
  if (Number.isNaN(state.usualNoiseSigma)) state.usualNoiseSigma = sigma;
  if (compressed) list.push({ cause: 'NOISE', strength: sigma / state.usualNoiseSigma, unit: 'of the usual grain' });
  if (sigma > 1.6 * state.usualNoiseSigma + LEAST_NOISE)
    list.push({ cause: 'NOISE', strength: sigma, unit: 'grey levels' });
  state.usualNoiseSigma += usual * (sigma - state.usualNoiseSigma);
  if (found.shift.explained > 0 && Math.hypot(found.shift.dxPx, found.shift.dyPx) >= 0.5) {
    list.push({ cause: 'CAMERA_MOVED', strength: Math.hypot(found.shift.dxPx, found.shift.dyPx), unit: 'px' });
  }
  for (const part of parts) {
    const rested = part.cells.filter((c) => !isUnsettled(state.restless, c)).length;
    if (part.kind !== 'soft' || rested * 100 < state.known.length) continue;
    const mean = part.cells.reduce((sum, c) => sum + found.ratio[c], 0) / part.cells.length;
    list.push({
      cause: mean < 0 ? 'SHADOW' : 'LIGHTING',
      strength: Math.exp(mean),
      unit: 'gain',
      region: regionOf(part, grid),
    });
  }
  for (const region of overlays.changing) list.push({ cause: 'OVERLAY', strength: 1, unit: 'overlay', region });
  // Drops and flakes are elsewhere in every frame; the ragged border of a shadow is not.
  const speckles = parts.filter(({ kind }) => kind === 'speckle');
  const falling = speckles.filter(({ moving }) => moving).length * 2 > speckles.length;
  if (state.speckles >= 4 && falling && !compressed && found.shift.explained === 0)
    list.push({ cause: 'WEATHER', strength: state.speckles, unit: 'specks a frame' });
  return list;
}
