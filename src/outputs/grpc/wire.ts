import type { LogEntry } from '../../log/index.js';
import { EventServiceService, SubscribeResponse } from '../../records/generated/blinkstream/v1/events_service.js';

/**
 * The service with responses of `Subscribe` that are encoded already: what the log has stored goes out as it is, without
 * being decoded and encoded again for every reader.
 */
export const encodedEventService = {
  ...EventServiceService,
  subscribe: { ...EventServiceService.subscribe, responseSerialize: (encoded: Buffer): Buffer => encoded },
};

const cursorTag = (1 << 3) | 2;
const eventTag = (2 << 3) | 2;

/** The bytes of a `SubscribeResponse`. */
export function encodeEntry(entry: LogEntry): Buffer {
  if (entry.type === 'progress') {
    const message = { $case: 'progress' as const, value: { caughtUp: entry.caughtUp } };
    return asBuffer(SubscribeResponse.encode({ cursor: asBuffer(entry.cursor), message }).finish());
  }
  const { cursor, encoded } = entry;
  return Buffer.concat([fieldHead(cursorTag, cursor.length), cursor, fieldHead(eventTag, encoded.length), encoded]);
}

/** What stands before a length-delimited field: its tag and its length as a varint. */
function fieldHead(tag: number, length: number): Uint8Array {
  const bytes = [tag];
  let rest = length;
  for (; rest > 0x7f; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  bytes.push(rest);
  return Uint8Array.from(bytes);
}

/** The same bytes as a Buffer, not copied. */
export const asBuffer = ({ buffer, byteOffset, byteLength }: Uint8Array): Buffer =>
  Buffer.from(buffer, byteOffset, byteLength);
