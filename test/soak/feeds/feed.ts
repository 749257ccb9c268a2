/** What the service of a soak run is given to look at. */
export interface Feed {
  /** What the deployment file says for it. */
  readonly deployment: { readonly limits: { readonly maxSources: number }; readonly [section: string]: unknown };
  /** Frames that the service was given. */
  readonly frames: number;
  /** Event time that the service is done with, ms from the first frame on. */
  readonly coveredMs: number;
  /** Gives the service all of it; resolves when it is done with it. */
  run(signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

export interface FeedOptions {
  /** Event time of all frames. */
  readonly spanMs: number;
  /** Of the run, for files. */
  readonly folder: string;
}
