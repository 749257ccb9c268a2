import type { ReplayBound } from '../sources/kafka/replay/stretch.js';
import type { reasoners } from './watch-options.js';

/** What `replay` was asked for beside the deployment file. */
export interface ReplayOptions {
  readonly from: ReplayBound;
  /** Not part of it; without it, all that is there now. */
  readonly to?: ReplayBound;
  /** Name of the source in the file; may be left out where there is one that can be looked at again. */
  readonly source?: string;
  /** Those that are looked at; empty: all. */
  readonly camera: readonly string[];
  readonly run?: string;
  readonly reasoner?: (typeof reasoners)[number];
  readonly question?: string;
  /** A folder of its own for the results; without it, the log of the deployment. */
  readonly out?: string;
}
