import type { KafkaMessage, Message } from 'kafkajs';
import { z } from 'zod';
import type { Blob } from '../../records/index.js';
import { isSha256 } from '../commit.js';
import type { Claim, Step } from './lane-state.js';

/** What stands in the compacted topic of a log. */
export type StateRecord =
  | { readonly type: 'claim'; readonly lane: string; readonly claim: Claim }
  | { readonly type: 'step'; readonly lane: string; readonly step: Step }
  | {
      readonly type: 'checkpoint';
      readonly lane: string;
      readonly key: string;
      readonly bytes: Buffer;
      /** SHA-256 of the pictures that it needs. */
      readonly blobs: readonly string[];
    }
  | { readonly type: 'blob'; readonly lane: string; readonly blob: Blob; readonly pieces: number }
  /** Nothing of the lane needs that picture any more: compaction may remove it. */
  | { readonly type: 'forgotten'; readonly lane: string; readonly sha256: string };

/** A larger value is cut up: by default Kafka takes messages, and what is sent at once, up to 1 MB. */
const pieceBytes = 512 * 1_024;

/** The messages of a record. Each has a key of its own, so that compaction keeps the last of each. */
export function encodeStateRecord(record: Exclude<StateRecord, { type: 'forgotten' }>): Message[] {
  switch (record.type) {
    case 'claim':
      return pieces([record.type, record.lane, ''], Buffer.from(JSON.stringify(record.claim)));
    case 'step':
      return pieces([record.type, record.lane, ''], Buffer.from(JSON.stringify(record.step)));
    case 'checkpoint':
      return pieces([record.type, record.lane, record.key], record.bytes, { blobs: record.blobs.join(',') });
    case 'blob':
      return pieces([record.type, record.lane, record.blob.sha256], Buffer.from(record.blob.bytes), {
        'content-type': record.blob.mediaType,
      });
  }
}

/** The tombstones of a picture that was in so many pieces. */
export const forgetting = (lane: string, sha256: string, count: number): Message[] =>
  Array.from({ length: count }, (_, piece) => ({ key: keyText(['blob', lane, sha256], piece), value: null }));

export const piecesOf = ({ bytes }: Pick<Blob, 'bytes'>): number =>
  Math.max(1, Math.ceil(bytes.byteLength / pieceBytes));

type Key = readonly [type: string, lane: string, id: string];

const keyText = (key: Key, piece: number): string => JSON.stringify([...key, piece]);

function pieces(key: Key, bytes: Buffer, headers: Readonly<Record<string, string>> = {}): Message[] {
  const count = Math.max(1, Math.ceil(bytes.byteLength / pieceBytes));
  return Array.from({ length: count }, (_, piece) => ({
    key: keyText(key, piece),
    value: bytes.subarray(piece * pieceBytes, (piece + 1) * pieceBytes),
    headers: { pieces: String(count), ...(piece === 0 && headers) },
  }));
}

const keySchema = z.tuple([z.string(), z.string(), z.string(), z.number()]);
const claimSchema = z.object({ incarnation: z.string(), term: z.number(), released: z.boolean() });
const stepSchema = z.object({
  incarnation: z.string(),
  ordinal: z.number(),
  eventsEnd: z.number(),
  contradictedEnd: z.number(),
});

/**
 * Puts the records of one partition together again. Lanes write between each other; the pieces of one record come in
 * order. What is not whole, because compaction has left pieces of an older record behind, is passed over.
 */
export class StateReader {
  readonly #open = new Map<
    string,
    { readonly from: number; readonly blobs: string; readonly mediaType: string; readonly parts: Buffer[] }
  >();

  /** Offset of the first piece of a record that is not whole yet. */
  get firstOpen(): number | undefined {
    return [...this.#open.values()].reduce<number | undefined>(
      (least, { from }) => (least === undefined || from < least ? from : least),
      undefined,
    );
  }

  /**
   * The record that this message completes, and the offset of its first piece.
   * @throws ZodError, SyntaxError for what nothing here has written
   */
  read({
    key,
    value,
    headers,
    offset,
  }: KafkaMessage): { readonly record: StateRecord; readonly from: number } | undefined {
    const [type, lane, id, piece] = keySchema.parse(JSON.parse(key?.toString() ?? ''));
    if (value === null) {
      const isForgotten = type === 'blob' && piece === 0;
      return isForgotten ? { record: { type: 'forgotten', lane, sha256: id }, from: Number(offset) } : undefined;
    }
    const name = JSON.stringify([type, lane, id]);
    const header = (wanted: string): string => headers?.[wanted]?.toString() ?? '';
    const before = this.#open.get(name);
    this.#open.delete(name);
    if (piece > 0 && before?.parts.length !== piece) return undefined;
    const begun =
      piece > 0 && before !== undefined
        ? before
        : { from: Number(offset), blobs: header('blobs'), mediaType: header('content-type'), parts: [] };
    begun.parts.push(value);
    if (begun.parts.length < Number(header('pieces'))) {
      this.#open.set(name, begun);
      return undefined;
    }
    const record = recordOf([type, lane, id], Buffer.concat(begun.parts), begun);
    return record && { record, from: begun.from };
  }
}

function recordOf(
  [type, lane, id]: Key,
  bytes: Buffer,
  { blobs, mediaType }: { readonly blobs: string; readonly mediaType: string },
): StateRecord | undefined {
  switch (type) {
    case 'claim':
      return { type, lane, claim: claimSchema.parse(JSON.parse(bytes.toString())) };
    case 'step':
      return { type, lane, step: stepSchema.parse(JSON.parse(bytes.toString())) };
    case 'checkpoint':
      return { type, lane, key: id, bytes, blobs: blobs.split(',').filter(isSha256) };
    case 'blob': {
      const blob = { sha256: id, mediaType, bytes };
      return { type, lane, blob, pieces: piecesOf(blob) };
    }
    default:
      // The identity of the log, or of a later version.
      return undefined;
  }
}
