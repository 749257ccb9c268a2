import { frames } from '../src/topology/operators/frames.js';
import { reason } from '../src/topology/operators/reason.js';
import { track } from '../src/topology/operators/track.js';
import { window } from '../src/topology/operators/window.js';
import { topology } from '../src/topology/topology.js';
import { pair } from '../src/sequences/windows/pair.js';
import type { Source } from '../src/sources/index.js';

export interface CompareOptions {
  /** Gives the scene as it was, and as it is. */
  readonly source: Source;
  readonly reasoner?: string;
}

/** Holds two pictures of one scene against each other, be they hours or days apart. */
export default topology('compare', ({ source, reasoner }: CompareOptions) =>
  frames(source).pipe(
    window(pair()),
    reason({ question: 'What differs between these two pictures of one scene?', ...(reasoner && { reasoner }) }),
    track(),
  ),
);
