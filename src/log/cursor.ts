import { createHash, createHmac, createSecretKey, timingSafeEqual, type KeyObject } from 'node:crypto';
import { BlinkstreamError } from '../records/index.js';
import { filterTag } from './filter.js';
import type { Cursor, EventFilter } from './index.js';

const version = 1;
const tagBytes = 8;
const offsetBytes = 8;
/** Of the 32 of HMAC-SHA256: forging one is still a matter of 2^127 tries. */
const macBytes = 16;
const epochAt = 1;
const filterAt = epochAt + tagBytes;
const offsetsAt = filterAt + tagBytes;

/**
 * A cursor's bytes: version (1), epoch (8, hashed), filter (8, hashed), then for each partition the offset of the next
 * event to read (8, big endian), then a MAC over all of it (16) under a secret that never leaves the log. So a reader
 * can neither make a cursor nor change one, and nothing of it need be checked beyond its origin.
 */
export class CursorCodec {
  readonly #secret: KeyObject;
  readonly #epochTag: Buffer;

  /** `secret` has 32 bytes and belongs to this `epoch` alone; `partitions` is fixed for the life of a log. */
  constructor(
    readonly epoch: string,
    secret: Uint8Array,
    readonly partitions: number,
  ) {
    this.#secret = createSecretKey(secret);
    this.#epochTag = createHash('sha256').update(epoch).digest().subarray(0, tagBytes);
  }

  /** Makes the cursors of one reader, from the offsets of the next event in each partition. */
  encoder(filter: EventFilter): (offsets: readonly number[]) => Cursor {
    const head = Buffer.concat([Buffer.of(version), this.#epochTag, filterTag(filter, tagBytes)]);
    return (offsets) => {
      const signed = Buffer.allocUnsafe(offsetsAt + offsets.length * offsetBytes);
      head.copy(signed);
      offsets.forEach((offset, i) => signed.writeBigUInt64BE(BigInt(offset), offsetsAt + i * offsetBytes));
      return Buffer.concat([signed, this.#mac(signed)]);
    };
  }

  /**
   * The offsets in a cursor that this log gave for this filter.
   * @throws BlinkstreamError `CURSOR_INVALID` (user), saying which of these it is not
   */
  decode(cursor: Cursor, filter: EventFilter): number[] {
    const bytes = Buffer.from(cursor.buffer, cursor.byteOffset, cursor.byteLength);
    if (bytes.length !== offsetsAt + this.partitions * offsetBytes + macBytes || bytes[0] !== version) {
      throw invalidCursor('cursor is not one that this version of Blinkstream gives', hints.asGiven);
    }
    // Before the MAC, which another log's cursor cannot pass: whoever kept a cursor too long should be told that.
    if (!bytes.subarray(epochAt, filterAt).equals(this.#epochTag)) {
      throw invalidCursor(`cursor is of another log: this one has epoch ${this.epoch}`, hints.startOver);
    }
    const signed = bytes.subarray(0, -macBytes);
    if (!timingSafeEqual(bytes.subarray(-macBytes), this.#mac(signed))) {
      throw invalidCursor('cursor is damaged or forged', hints.asGiven);
    }
    if (!bytes.subarray(filterAt, offsetsAt).equals(filterTag(filter, tagBytes))) {
      throw invalidCursor('cursor was given for another filter', hints.sameFilter);
    }
    return Array.from({ length: this.partitions }, (_, i) =>
      Number(signed.readBigUInt64BE(offsetsAt + i * offsetBytes)),
    );
  }

  #mac(signed: Uint8Array): Buffer {
    return createHmac('sha256', this.#secret).update(signed).digest().subarray(0, macBytes);
  }
}

const hints = {
  asGiven: 'Send a cursor exactly as this log gave it, or start from the earliest.',
  startOver: 'Start from the earliest.',
  sameFilter: 'Send a cursor with the filter that it was given for, or start from the earliest.',
};

const invalidCursor = (message: string, hint: string): BlinkstreamError =>
  new BlinkstreamError(message, { code: 'CURSOR_INVALID', class: 'user', stage: 'log', hint });

/** The log ends before where the cursor points; reading on would silently skip what comes next. */
export const cursorAhead = (offset: number, next: number): BlinkstreamError =>
  invalidCursor(
    `cursor is ahead of the log (at offset ${offset}, the log ends at ${next}): the log has lost its last events, ` +
      'as when it was restored from a backup',
    hints.startOver,
  );

export const cursorExpired = (offset: number, earliest: number): BlinkstreamError =>
  new BlinkstreamError(
    `cursor has expired: it is at offset ${offset}, the earliest kept is ${earliest}; those between were pruned`,
    { code: 'CURSOR_EXPIRED', class: 'user', stage: 'log', hint: 'Start from the earliest.' },
  );
