import { closeSync, openSync, readSync } from 'node:fs';
import { endianness } from 'node:os';

const magic = 0xbeefc0de;
/** After the header of the first page, which has 24 bytes in the LMDB that lmdb-js brings. */
const magicAt = 24;

/**
 * Whether a file is, or is empty and may become, an LMDB store of this machine: lmdb-js 3.5 crashes the process on
 * opening any other.
 * @throws Error of the file system
 */
export function isLmdbFile(path: string): boolean {
  const head = Buffer.alloc(magicAt + 4);
  const file = openSync(path, 'r');
  try {
    const length = readSync(file, head, 0, head.length, 0);
    if (length < head.length) return length === 0;
  } finally {
    closeSync(file);
  }
  return (endianness() === 'LE' ? head.readUInt32LE(magicAt) : head.readUInt32BE(magicAt)) === magic;
}
