import type { MomentTime } from '../sources/moments.js';
import type { TimesAsked } from './times-asked.js';
import type { reasoners } from './watch-options.js';

export { reasoners } from './watch-options.js';

/** What `compare` was asked for. */
export interface CompareOptions extends TimesAsked {
  /** A picture; or a video, a folder of images, or the output folder of a watch. */
  readonly source: string;
  /** The other picture. */
  readonly other?: string;
  /** Which source, of a log of several. */
  readonly camera?: string;
  readonly at?: MomentTime;
  readonly with?: MomentTime;
  readonly zones?: string;
  readonly out?: string;
  readonly reasoner: (typeof reasoners)[number];
  readonly failOnChange?: true;
}
