import type { EncodedPicture } from '../records/index.js';

/** A frame that a camera sends. */
export interface SentFrame {
  readonly camera: string;
  /** When it was taken, ms since the epoch; written in whole ones. */
  readonly eventTimeMs: number;
  readonly mediaType: EncodedPicture['mediaType'];
  readonly sha256: string;
  /** Absent where the picture is in a blob store under its SHA-256. */
  readonly bytes?: Uint8Array;
}

/** A frame message as kafkajs takes it: what the Kafka source reads. */
export interface FrameMessage {
  readonly key: string;
  readonly value: Buffer;
  readonly headers: Readonly<Record<string, string>>;
}

/** Event time may be ahead of the message's own time by no more: readers take it for a clock that is wrong. */
export const maxAheadMs = 3_600_000;

export const encodeFrameMessage = ({ camera, eventTimeMs, mediaType, sha256, bytes }: SentFrame): FrameMessage => ({
  key: camera,
  // No value at all would delete the key from a compacted topic.
  value: bytes === undefined ? Buffer.alloc(0) : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength),
  headers: {
    ce_time: new Date(Math.round(eventTimeMs)).toISOString(),
    ce_sha256: sha256,
    'content-type': mediaType,
    ...(bytes === undefined && { ce_dataref: `sha256:${sha256}` }),
  },
});
