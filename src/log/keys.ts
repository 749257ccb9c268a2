import { createHash } from 'node:crypto';

/** The SHA-256 of an id or key, which may have any length and hold any character, as a key of 32 bytes. */
export const keyOf = (text: string): Buffer => createHash('sha256').update(text).digest();
