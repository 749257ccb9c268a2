import { EventEmitter, once } from 'node:events';
import { eventEntry } from '../../src/log/entry.js';
import type { ChangeLog, Cursor, EventFilter, LogEntry, ReadFrom } from '../../src/log/index.js';
import { encodeChangeEvent } from '../../src/records/convert/change.js';
import { BlinkstreamError, type Blob, type ChangeEvent } from '../../src/records/index.js';

const everything: EventFilter = { sources: [], kinds: [], topologies: [] };

const passes = (event: ChangeEvent, { sources, kinds, topologies }: EventFilter): boolean =>
  (sources.length === 0 || sources.includes(event.source)) &&
  (kinds.length === 0 || kinds.includes(event.kind)) &&
  (topologies.length === 0 || topologies.includes(event.topology));

const refused = (code: string, message: string) =>
  new BlinkstreamError(message, { code, class: 'user', stage: 'log', hint: 'Start from the earliest.' });

/** As much of a log as outputs read, with the faults that they must stand: forgetting and a new epoch. */
export class FakeLog implements ChangeLog {
  readonly #events: ChangeEvent[] = [];
  readonly #encoded: Uint8Array[] = [];
  readonly #grown = new EventEmitter().setMaxListeners(0);
  readonly #stored = new Map<string, Blob>();
  /** Readers that have not ended yet. */
  openReaders = 0;
  #first = 0;

  constructor(readonly epoch = 'epoch-1') {}

  readonly blobs = {
    get: (sha256: string) => Promise.resolve(this.#stored.get(sha256)),
    has: (sha256: string) => Promise.resolve(this.#stored.has(sha256)),
  };

  probe(): Promise<void> {
    return Promise.resolve();
  }

  append(...events: ChangeEvent[]): void {
    for (const event of events) {
      this.#events.push(event);
      this.#encoded.push(encodeChangeEvent(event));
    }
    this.#grown.emit('grown');
  }

  store(...blobs: Blob[]): void {
    for (const blob of blobs) this.#stored.set(blob.sha256, blob);
  }

  /** Retention: the first `count` events of all are gone. */
  forget(count: number): void {
    this.#first = count;
  }

  async *read({ cursor, start, filter = everything, untilEnd, onBehind, signal }: ReadFrom): AsyncGenerator<LogEntry> {
    let at = cursor ? this.#offsetOf(cursor, filter) : start === 'latest' ? this.#events.length : this.#first;
    if (at < this.#first) throw refused('CURSOR_EXPIRED', `events before ${this.#first} are gone`);
    this.openReaders += 1;
    onBehind?.(() => this.#events.length - at);
    try {
      while (!signal.aborted) {
        while (at < this.#events.length) {
          const event = this.#events[at];
          const encoded = this.#encoded[at];
          at += 1;
          if (passes(event, filter)) yield eventEntry(this.#cursor(at, filter), encoded);
          if (signal.aborted) return;
        }
        yield { type: 'progress', cursor: this.#cursor(at, filter), caughtUp: true };
        if (untilEnd || signal.aborted) return;
        if (at === this.#events.length) await once(this.#grown, 'grown', { signal }).catch(() => undefined);
      }
    } finally {
      this.openReaders -= 1;
    }
  }

  earliest(filter = everything): Promise<Cursor> {
    return Promise.resolve(this.#cursor(this.#first, filter));
  }

  change(changeId: string): Promise<ChangeEvent[]> {
    return Promise.resolve(this.#events.slice(this.#first).filter((event) => event.changeId === changeId));
  }

  changes(options: { filter?: EventFilter; limit: number; afterChangeId?: string }): Promise<ChangeEvent[]> {
    const last = new Map<string, ChangeEvent>();
    for (const event of this.#events.slice(this.#first)) last.set(event.changeId, event);
    const all = [...last.values()].filter((event) => passes(event, options.filter ?? everything));
    const from = all.findIndex((event) => event.changeId === options.afterChangeId) + 1;
    return Promise.resolve(all.slice(from, from + options.limit));
  }

  commit = () => Promise.reject(new Error('outputs never write to the log'));
  checkpoint = this.commit;
  contradicted = this.commit;
  prune = this.commit;
  close = () => Promise.resolve();

  #cursor(at: number, filter: EventFilter): Cursor {
    return Buffer.from(JSON.stringify([this.epoch, filter.sources, filter.kinds, filter.topologies, at]));
  }

  #offsetOf(cursor: Cursor, filter: EventFilter): number {
    const text = Buffer.from(cursor).toString();
    const at = Number(/,(\d+)\]$/.exec(text)?.[1]);
    if (text !== Buffer.from(this.#cursor(at, filter)).toString()) throw refused('CURSOR_INVALID', 'not of this log');
    return at;
  }
}
