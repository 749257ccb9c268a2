import {
  cellGrid,
  emptyPlanes,
  measureCells,
  noiseSigma,
  type CellGrid,
  type CellPlanes,
  type MeasuredPicture,
} from '../../pixels/cells.js';
import type { FrameEvidence, FrameRef } from '../../records/index.js';
import { advance } from './advance.js';
import { freshState, type GateState } from './state.js';

export interface GateOptions {
  /** A change that rests this long is part of the scene; default 500 ms. */
  readonly settleMs: number;
  /** Deviations of the measured noise above which a cell differs; default 5. */
  readonly deviations: number;
}

export const gateDefaults: GateOptions = { settleMs: 500, deviations: 5 };

/**
 * The gate: a reducer over the frames of one source, `(state, frame) → (state, evidence)`. It looks at cell means only,
 * so its cost does not depend on what is in the picture. State is changed in place and handed back; `snapshot` copies it.
 *
 * Every frame is held against the settled baseline once light (gain and offset) and small shifts of the camera are
 * allowed for. What differs beyond the measured noise is grouped; groups with soft borders are light or shadow, groups in
 * which cells move are followed as tracks, and groups that rest for `settleMs` are adopted into the baseline and told
 * as settled regions.
 */
export class Gate {
  #state: GateState | undefined;
  #grid: CellGrid | undefined;
  #planes: CellPlanes | undefined;
  readonly #options: GateOptions;

  constructor(options: Partial<GateOptions> = {}, restored?: GateState) {
    this.#options = { ...gateDefaults, ...options };
    if (restored !== undefined) {
      this.#state = structuredClone(restored);
      this.#grid = cellGrid(restored.width, restored.height);
      this.#planes = emptyPlanes(this.#grid);
    }
  }

  /** The last frame gated, by a run before this one too. */
  get last(): GateState['last'] | undefined {
    return this.#state?.last;
  }

  /** A copy of the state that later frames do not change. */
  snapshot(): GateState | undefined {
    return this.#state === undefined ? undefined : structuredClone(this.#state);
  }

  /** Measures one frame. A frame of another size begins a new scene. */
  measure(ref: FrameRef, picture: MeasuredPicture): FrameEvidence {
    let state = this.#state;
    let grid = this.#grid;
    let planes = this.#planes;
    if (
      state === undefined ||
      grid === undefined ||
      planes === undefined ||
      state.width !== picture.width ||
      state.height !== picture.height
    ) {
      // Tracks are told apart over the whole source, not only within a scene.
      const nextId = state?.tracking.nextId ?? 1;
      ({ state, grid } = freshState(picture.width, picture.height, ref));
      state.tracking.nextId = nextId;
      planes = emptyPlanes(grid);
      this.#state = state;
      this.#grid = grid;
      this.#planes = planes;
    }
    measureCells(picture, grid, planes);
    return advance(state, grid, planes, ref, noiseSigma(picture), this.#options);
  }
}
