/**
 * Where pictures are that are too large for a message, by SHA-256 (claim check): whoever sends one stores it first, and
 * the message names it. Drivers: `folder.ts`, and `s3.ts` for any S3-compatible store.
 */
export interface ClaimCheckStore {
  /**
   * The bytes that have this hash, held against it; undefined where they are not there, or not any more.
   * @throws BlinkstreamError `BLOB_DAMAGED`, `BLOB_TOO_LARGE` and `BLOB_NAME` (data), `BLOBS_UNREACHABLE` (external),
   *   `BLOBS_REFUSED` (user)
   */
  get(sha256: string): Promise<{ readonly bytes: Uint8Array } | undefined>;
  /** Whether there is anything under this hash, which is not looked at. @throws as `get` */
  has(sha256: string): Promise<boolean>;
  /**
   * Stores the bytes; when it returns they are durable. What is there already is written anew, so that its age, by which
   * it goes one day, counts from now on.
   * @returns their SHA-256, by which they are found
   * @throws BlinkstreamError `BLOBS_UNREACHABLE` (external), `BLOBS_REFUSED` (user), `BLOBS_FULL` (resource)
   */
  put(bytes: Uint8Array, mediaType: string): Promise<string>;
}
