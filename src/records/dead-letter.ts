/** An item of an input that could not be processed: set aside with where it was, why, and as it came. */
export interface DeadLetter {
  /** Where it was found, the same each time it is read: `TOPIC/PARTITION/OFFSET` of a message. */
  readonly where: string;
  /** The source that it belongs to, where that is known. */
  readonly source?: string;
  /** As of `BlinkstreamError.code`. */
  readonly code: string;
  readonly problem: string;
  readonly hint?: string;
  readonly key?: Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
  /** Absent where it is too large to be set aside whole. */
  readonly value?: Uint8Array;
}
