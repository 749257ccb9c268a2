/** What may follow the end of a picture: padding, and what cameras append. */
const TRAILER_BYTES = 64 * 1_024;
const JPEG_END = Buffer.from([0xff, 0xd9]);
const PNG_END = Buffer.from('IEND', 'latin1');

/**
 * Whether a JPEG or PNG lacks its end, as one does that was not sent or stored whole. Says nothing of damage in between:
 * that only decoding tells.
 */
export function isCutOff(bytes: Uint8Array, mediaType: 'image/jpeg' | 'image/png'): boolean {
  const tail = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).subarray(-TRAILER_BYTES);
  return !tail.includes(mediaType === 'image/jpeg' ? JPEG_END : PNG_END);
}
