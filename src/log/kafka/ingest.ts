import type { KafkaMessage } from 'kafkajs';
import { decodeEventMessage } from '../../kafka/event-message.js';
import { encodeChangeEvent } from '../../records/convert/change.js';
import { messageOf } from '../../records/index.js';
import { keyOf } from '../keys.js';
import type { LmdbTables } from '../lmdb-tables.js';
import { appendContradicted, appendEvents, putBlob, putCheckpoint, unseen, type PlacedEvent } from '../lmdb-writes.js';
import type { LaneState } from './lane-state.js';
import { StateReader, type StateRecord } from './state-record.js';

/** What was read of one partition of a topic of the log. */
export interface LogBatch {
  readonly partition: number;
  readonly messages: readonly KafkaMessage[];
  /** Offset of the next message. */
  readonly next: number;
}

/** A record that waits for the end of its transaction, or for the events that it was written with. */
interface Waiting {
  readonly record: Extract<StateRecord, { type: 'claim' | 'checkpoint' | 'step' }>;
  readonly from: number;
}

/**
 * Writes into the tables of an index what was read of the topics of its log. Each method is called inside of a
 * transaction of the tables.
 *
 * Checkpoints and steps are taken over when the events that their transaction wrote have been, which come in another
 * topic: so a checkpoint that is seen has its events, and no picture is let go of before what names it next is known.
 * What waits is read again after a restart, because the offset that is kept is before it.
 */
export class Ingest {
  readonly #tables: LmdbTables;
  readonly #problem: (problem: string) => void;
  readonly #readers = new Map<number, StateReader>();
  /** By partition and lane, in the order of the log. */
  readonly #waiting = new Map<number, Map<string, Waiting[]>>();
  /** Offset up to which state was read, by partition. */
  readonly #read = new Map<number, number>();

  /** @param problem told of a message that is none of this log's, and is passed over */
  constructor(tables: LmdbTables, problem: (problem: string) => void) {
    this.#tables = tables;
    this.#problem = problem;
  }

  events({ partition, messages, next }: LogBatch): void {
    const events = this.#decoded(messages, partition).filter(unseen(this.#tables.eventIds));
    appendEvents(this.#tables, partition, events, next);
    this.#settle(partition);
  }

  contradicted({ partition, messages, next }: LogBatch): void {
    const claims = this.#decoded(messages, partition).filter(unseen(this.#tables.contradictedIds));
    appendContradicted(this.#tables, partition, claims, next);
    this.#settle(partition);
  }

  state({ partition, messages, next }: LogBatch): void {
    const tables = this.#tables;
    const reader = this.#readers.get(partition) ?? new StateReader();
    this.#readers.set(partition, reader);
    for (const message of messages) {
      const found = this.#whole(reader, message, partition);
      if (found === undefined) continue;
      const { record, from } = found;
      switch (record.type) {
        case 'blob':
          putBlob(tables, record.blob);
          tables.laneBlobs.putSync(keyOf(record.lane), [record.blob.sha256, record.pieces]);
          break;
        case 'forgotten':
          forget(tables, record);
          break;
        default:
          this.#laneOf(partition, record.lane).push({ record, from });
      }
    }
    this.#read.set(partition, next);
    this.#settle(partition);
  }

  #laneOf(partition: number, lane: string): Waiting[] {
    const lanes = this.#waiting.get(partition) ?? new Map<string, Waiting[]>();
    this.#waiting.set(partition, lanes);
    const waiting = lanes.get(lane) ?? [];
    lanes.set(lane, waiting);
    return waiting;
  }

  /** Takes over what need not wait any more, and notes from where the rest is to be read. */
  #settle(partition: number): void {
    const tables = this.#tables;
    const lanes = this.#waiting.get(partition) ?? new Map<string, Waiting[]>();
    for (const [lane, waiting] of lanes) {
      this.#advance(partition, lane, waiting);
      if (waiting.length === 0) lanes.delete(lane);
    }
    const read = this.#read.get(partition);
    if (read === undefined) return;
    const open = [...lanes.values()].map(([first]) => first.from);
    const firstOpen = this.#readers.get(partition)?.firstOpen;
    const next = Math.min(read, ...open, firstOpen ?? read);
    tables.setExtent('checkpoints', partition, { ...tables.extent('checkpoints', partition), next });
  }

  #advance(partition: number, lane: string, waiting: Waiting[]): void {
    const tables = this.#tables;
    const key = keyOf(lane);
    const { next: eventsNext } = tables.extent('events', partition);
    const { next: contradictedNext } = tables.extent('contradicted', partition);
    for (;;) {
      const [first] = waiting;
      if (first === undefined) return;
      if (first.record.type === 'claim') {
        waiting.shift();
        const state = tables.lanes.get(key);
        const { claim } = first.record;
        if (claim.term > (state?.owner?.term ?? 0)) tables.lanes.putSync(key, { ...state, owner: claim });
        continue;
      }
      const end = waiting.findIndex(({ record }) => record.type === 'step');
      const last = waiting[end]?.record;
      if (last?.type !== 'step' || last.step.eventsEnd > eventsNext || last.step.contradictedEnd > contradictedNext) {
        return;
      }
      for (const { record } of waiting.splice(0, end + 1)) {
        if (record.type === 'checkpoint') putCheckpoint(tables, record.key, record.bytes, new Set(record.blobs));
      }
      tables.lanes.putSync(key, { ...tables.lanes.get(key), last: last.step } satisfies LaneState);
    }
  }

  #whole(reader: StateReader, message: KafkaMessage, partition: number): ReturnType<StateReader['read']> {
    try {
      return reader.read(message);
    } catch (error) {
      this.#problem(`message ${message.offset} of the state, partition ${partition}: ${messageOf(error)}`);
      return undefined;
    }
  }

  #decoded(messages: readonly KafkaMessage[], partition: number): PlacedEvent[] {
    return messages.flatMap((message) => {
      try {
        const event = decodeEventMessage(message);
        const committedMs = Number(message.timestamp);
        return [{ event, encoded: encodeChangeEvent(event), offset: Number(message.offset), committedMs }];
      } catch (error) {
        this.#problem(`message ${message.offset} of the events, partition ${partition}: ${messageOf(error)}`);
        return [];
      }
    });
  }
}

function forget(tables: LmdbTables, { lane, sha256 }: Extract<StateRecord, { type: 'forgotten' }>): void {
  const key = keyOf(lane);
  for (const pair of [...tables.laneBlobs.getValues(key)]) {
    if (pair[0] === sha256) tables.laneBlobs.removeSync(key, pair);
  }
}
