import { createHash } from 'node:crypto';

/** The name of a blob: 64 hexadecimal digits in lower case. */
export const sha256Of = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
