import type { EventFilter } from '../log/index.js';
import { everything, passes } from '../log/filter.js';
import type { ChangeEvent, Phase } from '../records/index.js';

/** Which events an output sends. A list that is empty, or not there, lets everything through. */
export interface OutputFilter extends Partial<EventFilter> {
  readonly phases?: readonly Phase[];
}

/** The log is not asked to filter: its cursors are bound to their filter, and one that was kept must outlive a change of it. */
export const isWanted = (event: ChangeEvent, { phases = [], ...filter }: OutputFilter = {}): boolean =>
  passes(event, { ...everything, ...filter }) && (phases.length === 0 || phases.includes(event.phase));
