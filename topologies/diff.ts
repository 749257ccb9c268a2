import { screenshotPairs } from '../src/sequences/windows/screenshots.js';
import type { ScreenshotSource } from '../src/sources/screenshots.js';
import { frames } from '../src/topology/operators/frames.js';
import { group } from '../src/topology/operators/group.js';
import { reason } from '../src/topology/operators/reason.js';
import { window } from '../src/topology/operators/window.js';
import { topology } from '../src/topology/topology.js';

export interface DiffOptions {
  /** Gives the screenshots of two releases, pair by pair. */
  readonly source: ScreenshotSource;
}

/** Tells what differs between the screenshots of two releases: each change once, however many of them show it. */
export default topology('diff', ({ source }: DiffOptions) =>
  frames(source).pipe(
    window(screenshotPairs()),
    reason({ question: 'What differs between these two screenshots?' }),
    group(source),
  ),
);
