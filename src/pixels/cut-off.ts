const JPEG_END = Buffer.from([0xff, 0xd9]);
const PNG_END = Buffer.from('IEND', 'latin1');

/**
 * Whether a JPEG or PNG lacks its end, as one does that was not sent or stored whole. Says nothing of damage in between:
 * that only decoding tells.
 */
export function isCutOff(bytes: Uint8Array, mediaType: 'image/jpeg' | 'image/png'): boolean {
  const all = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  // From behind: the end is near there, unless a camera has appended something, such as a film.
  return all.lastIndexOf(mediaType === 'image/jpeg' ? JPEG_END : PNG_END) < 0;
}
