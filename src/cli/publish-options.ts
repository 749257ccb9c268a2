export const speeds = ['real', 'full'] as const;

/** What `publish` was asked for. */
export interface PublishOptions {
  readonly topic: string;
  /** Where the brokers are; without it, as the deployment file says. */
  readonly brokers?: readonly string[];
  readonly deployment?: string;
  /** Key of the messages; without it, the name of the input. */
  readonly camera?: string;
  readonly speed: (typeof speeds)[number];
  /** Event time of the first frame, ms since the epoch; without it, now. */
  readonly start?: number;
  /** Of the JPEG that video frames become. */
  readonly quality: number;
  /** Time between images that do not tell their own, ms. */
  readonly interval?: number;
  /** Larger pictures go to the blob store, where there is one. */
  readonly maxInlineBytes?: number;
  /** A folder, or s3://BUCKET/PREFIX. */
  readonly blobs?: string;
  readonly repeat?: true;
}
