import { BinaryWriter } from '@bufbuild/protobuf/wire';
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

const cursorField = (1 << 3) | 2;
const eventField = (2 << 3) | 2;

/** The bytes of a `SubscribeResponse`. */
export function encodeEntry(entry: LogEntry): Buffer {
  if (entry.type === 'event') {
    const writer = new BinaryWriter();
    return asBuffer(writer.uint32(cursorField).bytes(entry.cursor).uint32(eventField).bytes(entry.encoded).finish());
  }
  const message = { $case: 'progress' as const, value: { caughtUp: entry.caughtUp } };
  return asBuffer(SubscribeResponse.encode({ cursor: asBuffer(entry.cursor), message }).finish());
}

/** The same bytes as a Buffer, not copied. */
export const asBuffer = ({ buffer, byteOffset, byteLength }: Uint8Array): Buffer =>
  Buffer.from(buffer, byteOffset, byteLength);
