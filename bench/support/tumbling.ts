import { frames } from '../../src/topology/operators/frames.js';
import { reason } from '../../src/topology/operators/reason.js';
import { track } from '../../src/topology/operators/track.js';
import { window } from '../../src/topology/operators/window.js';
import { topology } from '../../src/topology/topology.js';
import type { Source } from '../../src/sources/index.js';
import { tumbling } from '../../src/sequences/windows/timed.js';

export interface TumblingOptions {
  readonly source: Source;
  readonly sizeMs?: number;
}

/** Frames into sequences by time alone: no pixel is looked at. */
export default topology('tumbling', ({ source, sizeMs = 4_000 }: TumblingOptions) =>
  frames(source).pipe(window(tumbling({ sizeMs })), reason({ question: 'What changed in this scene?' }), track()),
);
