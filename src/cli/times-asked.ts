import type { ImageTimes } from '../sources/image-times.js';
import { usageError } from './failure.js';

/** How images tell their time, as it was asked for. */
export interface TimesAsked {
  /** Time between images that do not tell their own, ms. */
  readonly interval?: number;
  /** How to read a time out of a file name. */
  readonly timePattern?: string;
}

/** @throws BlinkstreamError (usage) where two ways are asked for */
export function timesOf({ interval, timePattern }: TimesAsked): ImageTimes | undefined {
  if (interval !== undefined && timePattern !== undefined) {
    throw usageError('--interval and --time-pattern are two ways to tell the time of an image', 'give one of them');
  }
  if (timePattern !== undefined) return { pattern: timePattern };
  return interval === undefined ? undefined : { intervalMs: interval };
}
