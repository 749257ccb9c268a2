import type { Observable } from 'rxjs';
import type { Step } from './operators/track.js';

/** A pipeline by name: from options to the steps that the runtime commits. */
export interface Topology<Options> {
  /** Part of every change id and of the checkpoint's key. */
  readonly name: string;
  readonly build: (options: Options) => Observable<Step>;
}

/**
 * Defines a topology. `build` runs once for each source, inside that source's pipeline, and ends with `track`. Operators
 * of RxJS that keep order and do not delay may stand anywhere in it; what `filter` drops is covered by the next
 * checkpoint. `mergeMap` and the like do not keep order: put nothing of that kind between `frames` and `track`.
 */
export const topology = <Options>(name: string, build: (options: Options) => Observable<Step>): Topology<Options> => ({
  name,
  build,
});
