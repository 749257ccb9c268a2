import type { Message, RecordMetadata, Transaction } from 'kafkajs';
import { deadLetterMessage } from '../../kafka/dead-letter-message.js';
import { asKafkaError } from '../../kafka/errors.js';
import { encodeEventMessage, type EventFormat } from '../../kafka/event-message.js';
import type { DeadLetter } from '../../records/index.js';
import type { EncodedCommit } from '../commit.js';
import type { BlobStore } from '../index.js';
import type { LmdbTables } from '../lmdb-tables.js';
import { unseen } from '../lmdb-writes.js';
import { encodeStateRecord, piecesOf } from './state-record.js';

/** What a step writes. */
export interface LaneStep {
  readonly commit: EncodedCommit;
  readonly letters: readonly DeadLetter[];
}

/** The messages of the steps that go into one transaction, by what they are. */
export interface StepMessages {
  readonly events: readonly Message[];
  readonly contradicted: readonly Message[];
  readonly letters: readonly Message[];
  /** Pictures and checkpoints. */
  readonly state: readonly Message[];
  /** How many events of each step are new. */
  readonly appended: number[];
}

/**
 * Leaves out what the index holds already: events by their ids, pictures by their hashes. Pictures that events name are
 * sent again all the same: what named them before may be pruned any moment.
 */
export async function stepMessages(
  steps: readonly LaneStep[],
  {
    tables,
    blobs,
    lane,
    format,
  }: { readonly tables: LmdbTables; readonly blobs: BlobStore; readonly lane: string; readonly format: EventFormat },
): Promise<StepMessages> {
  const isNew = unseen(tables.eventIds);
  const isNewClaim = unseen(tables.contradictedIds);
  const events = steps.map(({ commit }) => commit.events.filter(isNew));
  const contradicted = steps.flatMap(({ commit }) => commit.contradicted.filter(isNewClaim));
  const named = new Set(events.flat().flatMap(({ event }) => event.pictures.map(({ sha256 }) => sha256)));
  const state: Message[] = [];
  const sent = new Set<string>();
  for (const { commit } of steps) {
    for (const blob of commit.blobs) {
      if (sent.has(blob.sha256) || (!named.has(blob.sha256) && (await blobs.has(blob.sha256)))) continue;
      sent.add(blob.sha256);
      state.push(...encodeStateRecord({ type: 'blob', lane, blob, pieces: piecesOf(blob) }));
    }
    const { key, checkpoint: bytes } = commit;
    state.push(...encodeStateRecord({ type: 'checkpoint', lane, key, bytes, blobs: [...commit.needs] }));
  }
  return {
    events: events.flat().map(({ event }) => encodeEventMessage(event, format)),
    contradicted: contradicted.map(({ event }) => encodeEventMessage(event, format)),
    letters: steps.flatMap((step) => step.letters.map(deadLetterMessage)),
    state,
    appended: events.map(({ length }) => length),
  };
}

/** Largest sum of the values that are sent at once: by default Kafka takes 1 MB. */
const sendBytes = 768 * 1_024;

/** Sends messages to one partition, in order. @returns the offset behind them; 0 for none */
export async function sendTo(
  transaction: Transaction,
  topic: string,
  partition: number,
  messages: readonly Message[],
): Promise<number> {
  let end = 0;
  for (const some of inPortions(messages)) {
    const told = await transaction
      .send({ topic, acks: -1, messages: some.map((one) => ({ ...one, partition })) })
      .catch(asKafkaError({ topic, operation: 'WRITE' }));
    end = baseOffset(told) + some.length;
  }
  return end;
}

/** In order, each of no more than what Kafka takes at once, or of one message. */
function inPortions(messages: readonly Message[]): Message[][] {
  const portions: Message[][] = [];
  let bytes = 0;
  for (const message of messages) {
    const size = message.value?.length ?? 0;
    const last = portions.at(-1);
    if (last === undefined || bytes + size > sendBytes) {
      portions.push([message]);
      bytes = size;
    } else {
      last.push(message);
      bytes += size;
    }
  }
  return portions;
}

const baseOffset = ([{ baseOffset: offset }]: readonly RecordMetadata[]): number => Number(offset);
