import { cellGrid, CellPlanes, type MeasuredPicture } from '../../pixels/cells.js';
import { noiseSigma } from '../../pixels/noise.js';
import { hiddenMask, unwatchedMask } from '../../pixels/zones.js';
import type { FrameEvidence, FrameRef, Zone } from '../../records/index.js';
import { advance, type Scene } from './advance.js';
import { emptyDifferences } from './differences.js';
import { gateDefaults, type GateOptions } from './options.js';
import { freshState, type GateState } from './state.js';

/**
 * The gate: a reducer over the frames of one source, `(state, frame) → (state, evidence)`. It looks at cell means only,
 * so its cost does not depend on what is in the picture. State is changed in place and handed back; `snapshot` copies it.
 *
 * Every frame is held against the settled baseline once light (gain and offset) and small shifts of the camera are
 * allowed for. What differs beyond the measured noise is grouped; groups with soft borders are light or shadow, groups in
 * which cells move are followed as tracks, and groups that rest for `settleMs` are adopted into the baseline and told
 * as settled regions. Where zones say that nothing is told, nothing is looked for; what is private tells nothing of the
 * light either.
 */
export class Gate {
  #scene: Scene | undefined;
  readonly #options: GateOptions;
  readonly #zones: readonly Zone[] | undefined;

  constructor(options: Partial<GateOptions> = {}, restored?: GateState, zones?: readonly Zone[]) {
    this.#options = { ...gateDefaults, ...options };
    this.#zones = zones;
    if (restored !== undefined) this.#scene = sceneOf(structuredClone(restored), zones);
  }

  /** The last frame gated, by a run before this one too. */
  get last(): GateState['last'] | undefined {
    return this.#scene?.state.last;
  }

  /** A copy of the state that later frames do not change. */
  snapshot(): GateState | undefined {
    return this.#scene && structuredClone(this.#scene.state);
  }

  /** Pictures are missing at that time: what the next frame shows, nobody saw coming. */
  interrupt(eventTimeMs: number): void {
    const state = this.#scene?.state;
    // A gap that was met before a restart is met again, perhaps after frames that followed it.
    if (state !== undefined && eventTimeMs > state.last.eventTimeMs) state.interrupted = true;
  }

  /** Measures one frame. A frame of another size begins a new scene. */
  measure(ref: FrameRef, picture: MeasuredPicture): FrameEvidence {
    const { width, height } = picture;
    let scene = this.#scene;
    if (scene === undefined || scene.state.width !== width || scene.state.height !== height) {
      const state = freshState(width, height, ref);
      // Tracks are told apart over the whole source, not only within a scene.
      state.tracking.nextId = scene?.state.tracking.nextId ?? 1;
      this.#scene = scene = sceneOf(state, this.#zones);
    }
    scene.planes.measure(picture);
    return advance(scene, ref, noiseSigma(picture), this.#options);
  }
}

function sceneOf(state: GateState, zones: readonly Zone[] | undefined): Scene {
  const grid = cellGrid(state.width, state.height);
  const cells = { width: grid.columns, height: grid.rows };
  const [unwatched, hidden] = [unwatchedMask(zones, cells), hiddenMask(zones, cells)];
  return {
    ...{ state, grid, planes: new CellPlanes(grid), cells: emptyDifferences(grid) },
    ...(unwatched && hidden && { zones: { unwatched, hidden } }),
  };
}
