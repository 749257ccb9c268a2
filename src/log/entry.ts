import { decodeChangeEvent } from '../records/convert/change.js';
import type { ChangeEvent } from '../records/index.js';
import type { Cursor, LogEntry } from './index.js';

/** An event as a driver read it; `event` is decoded when first looked at. */
class EventEntry {
  readonly type = 'event';
  #event: ChangeEvent | undefined;

  constructor(
    readonly cursor: Cursor,
    readonly encoded: Uint8Array,
  ) {}

  get event(): ChangeEvent {
    return (this.#event ??= decodeChangeEvent(this.encoded));
  }
}

/** The entry of a stored event: for drivers of the log. `encoded` must not change afterwards. */
export const eventEntry = (cursor: Cursor, encoded: Uint8Array): LogEntry & { readonly type: 'event' } =>
  new EventEntry(cursor, encoded);
