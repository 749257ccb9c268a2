import type { CellPlanes } from '../../pixels/cells.js';
import type { GateState } from './state.js';

/** A scene in which nothing differs becomes the reference for shifts and borders this often. */
const REFERENCE_MS = 1_000;

/** Takes the frame's plane, in the baseline's light, as the reference of the settled scene. */
export function referTo(state: GateState, planes: CellPlanes): void {
  const { gain, offset } = state.light;
  const plane = planes.plane();
  for (let i = 0; i < plane.length; i++)
    state.reference[i] = Math.min(255, Math.max(0, (plane[i] - offset) / gain + 0.5));
}

/** The same once in a while, for slow changes. */
export function keepReference(state: GateState, planes: CellPlanes, nowMs: number): void {
  if (nowMs - state.referenceMs < REFERENCE_MS) return;
  state.referenceMs = nowMs;
  referTo(state, planes);
}
