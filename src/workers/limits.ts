/** Bytes of one picture chunk and of one blob chunk: large enough for few messages, small enough to cancel between. */
export const chunkBytes = 1024 * 1024;

/** What a worker takes of one call, and a caller of one answer; beyond it the message is refused. */
export const limits = {
  /** One message: headers of ten thousand frames with their evidence have a few MiB. */
  messageBytes: 64 * 1024 * 1024,
  framesPerSequence: 100_000,
  picturesPerSequence: 1_024,
  /** 16-bit RGB of 44 megapixels. */
  pictureBytes: 256 * 1024 * 1024,
  sequenceBytes: 1024 * 1024 * 1024,
  questionChars: 10_000,
  blobsPerAnswer: 4_096,
  answerBytes: 512 * 1024 * 1024,
} as const;
