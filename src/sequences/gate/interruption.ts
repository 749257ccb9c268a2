import type { FrameRef } from '../../records/index.js';
import type { Differences } from './differences.js';
import type { GateState } from './state.js';

/**
 * Goes on after a gap with the first frame that came: it is what was seen a moment ago, so nothing in it moves. What
 * differs from the settled scene got there unseen, as a slow change does, and is left to the comparison of scenes.
 */
export function resume(state: GateState, { foreground, y, u, v }: Differences, ref: FrameRef): void {
  state.interrupted = false;
  state.recentY.set(y);
  state.recentU.set(u);
  state.recentV.set(v);
  state.stillMs.fill(0);
  // What was followed before is not what moves now.
  state.tracking.tracks = [];
  for (let c = 0; c < foreground.length; c++) {
    if (foreground[c] === 0) continue;
    state.leftFrame[c] = ref.index;
    state.leftElapsedMs[c] = ref.elapsedMs;
  }
}

/** What differs has just come to rest where it is. */
export function arrive({ restFrame, restElapsedMs }: GateState, { foreground }: Differences, ref: FrameRef): void {
  for (let c = 0; c < foreground.length; c++) {
    if (foreground[c] === 0) continue;
    restFrame[c] = ref.index;
    restElapsedMs[c] = ref.elapsedMs;
  }
}
