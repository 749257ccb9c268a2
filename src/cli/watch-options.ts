import type { ServerSecurityOptions } from './security-options.js';

/** Who may describe what was found. */
export const reasoners = ['measured'] as const;

/** What `watch` was asked for. */
export interface WatchOptions extends ServerSecurityOptions {
  /** Video file, http(s) URL, folder, glob or picture. */
  readonly input: string;
  readonly out: string;
  /** Name of the source in events; without it, that of the input. */
  readonly name?: string;
  /** File with the areas of the picture. */
  readonly zones?: string;
  /** Hours in which changes are told. */
  readonly schedule?: string;
  /** Of the schedule and the report, as IANA names it; without it, that of this machine. */
  readonly timeZone?: string;
  /** Time between images that do not tell their own, ms. */
  readonly interval?: number;
  /** How to read a time out of a file name. */
  readonly timePattern?: string;
  /** Local worker processes; without it, one less than there are cores. */
  readonly workers?: number;
  /** Workers that run already; empty for local ones. */
  readonly workerAddress: readonly string[];
  /** Where events are served; without it they are not. */
  readonly listen?: string;
  readonly keepServing?: true;
  readonly reasoner: (typeof reasoners)[number];
  readonly failOnChange?: true;
}
