import { frames } from '../src/topology/operators/frames.js';
import { gate } from '../src/topology/operators/gate.js';
import { reason } from '../src/topology/operators/reason.js';
import { reorder } from '../src/topology/operators/reorder.js';
import { track } from '../src/topology/operators/track.js';
import { window, type WindowOptions } from '../src/topology/operators/window.js';
import { topology } from '../src/topology/topology.js';
import type { GateOptions } from '../src/sequences/gate/options.js';
import { activity, type ActivityOptions } from '../src/sequences/windows/activity.js';
import type { Source } from '../src/sources/index.js';

export interface WatchOptions {
  readonly source: Source;
  readonly reasoner?: string;
  readonly gate?: Partial<GateOptions>;
  readonly window?: Partial<ActivityOptions & WindowOptions>;
  /** How far out of order frames may come, ms; default 0: a file is in order. */
  readonly allowedLatenessMs?: number;
}

/** Watches a scene: what appeared, went, moved or changed in it, what passed through, and what only disturbed the picture. */
export default topology('watch', (options: WatchOptions) =>
  frames(options.source).pipe(
    reorder({ allowedLatenessMs: options.allowedLatenessMs ?? 0 }),
    gate(options.gate),
    window(activity(options.window), options.window),
    reason({ question: 'What changed in this scene?', ...(options.reasoner && { reasoner: options.reasoner }) }),
    track(),
  ),
);
