import { createHash, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import type { KafkaMessage, Message } from 'kafkajs';
import { describe, expect, it } from 'vitest';
import { encodeStateRecord, forgetting, StateReader, type StateRecord } from '../../src/log/kafka/state-record.js';

type Written = Exclude<StateRecord, { type: 'forgotten' }>;

const lane = fc.constantFrom('input/g/frames/0', 'key/watch/"yard"', 'key/ß');
const size = fc.constantFrom(0, 1, 524_287, 524_288, 524_289, 1_600_000);

function blob(of: string, bytes: Buffer): Written {
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const pieces = Math.max(1, Math.ceil(bytes.byteLength / 524_288));
  return { type: 'blob', lane: of, blob: { sha256, mediaType: 'image/png', bytes }, pieces };
}

const record: fc.Arbitrary<Written> = fc.oneof(
  fc.record({
    type: fc.constant('claim' as const),
    lane,
    claim: fc.record({ incarnation: fc.uuid(), term: fc.nat(), released: fc.boolean() }),
  }),
  fc.record({
    type: fc.constant('step' as const),
    lane,
    step: fc.record({ incarnation: fc.uuid(), ordinal: fc.nat(), eventsEnd: fc.nat(), contradictedEnd: fc.nat() }),
  }),
  fc.record({ lane, key: fc.string(), size }).map(({ lane: of, key, size: bytes }): Written => ({
    ...{ type: 'checkpoint', lane: of, key },
    bytes: randomBytes(bytes),
    blobs: ['ab'.repeat(32)],
  })),
  fc.record({ lane, size }).map(({ lane: of, size: bytes }) => blob(of, randomBytes(bytes))),
);

/** As a consumer is given it. */
const received = ({ key, value, headers }: Message, offset: number): KafkaMessage => ({
  key: Buffer.from(String(key)),
  value: value === null ? null : Buffer.from(value),
  headers: Object.fromEntries(Object.entries(headers ?? {}).map(([name, text]) => [name, Buffer.from(String(text))])),
  offset: String(offset),
  timestamp: '0',
  attributes: 0,
});

const hashOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** With hashes instead of bytes, which take long to compare. */
function shown(all: readonly StateRecord[]): unknown[] {
  return all.map((one) => {
    if (one.type === 'checkpoint') return { ...one, bytes: hashOf(one.bytes) };
    return one.type === 'blob' ? { ...one, blob: { ...one.blob, bytes: hashOf(one.blob.bytes) } } : one;
  });
}

/** Of several writers, whose messages come between each other. */
function interleaved(writers: readonly (readonly Message[])[], order: readonly number[]): Message[] {
  const left = writers.map((messages) => [...messages]);
  const all: Message[] = [];
  for (const n of order) all.push(...left[n % left.length].splice(0, 1));
  return [...all, ...left.flat()];
}

describe('records of the state of a log', () => {
  it('are read as they were written, large ones in pieces, whatever others write between them', () => {
    fc.assert(
      fc.property(
        fc.array(record, { maxLength: 4 }),
        fc.array(record, { maxLength: 4 }),
        fc.array(fc.nat(1)),
        (a, b, order) => {
          // Two writers never write one lane at a time.
          const own = b.map((one): Written => ({ ...one, lane: `other/${one.lane}` }));
          const messages = interleaved([a.flatMap(encodeStateRecord), own.flatMap(encodeStateRecord)], order);
          const reader = new StateReader();
          const read = messages.flatMap((message, i) => reader.read(received(message, i))?.record ?? []);
          const of = (all: readonly StateRecord[], isOther: boolean) =>
            all.filter(({ lane: name }) => name.startsWith('other/') === isOther);
          expect(shown(of(read, false))).toEqual(shown(a));
          expect(shown(of(read, true))).toEqual(shown(own));
          expect(reader.firstOpen).toBeUndefined();
          for (const { value } of messages) expect(value?.length ?? 0).toBeLessThanOrEqual(524_288);
        },
      ),
      { numRuns: 40 },
    );
  });

  it('hold back the offset of the first piece until the last has come', () => {
    const messages = encodeStateRecord(blob('key/a', randomBytes(1_200_000)));
    const reader = new StateReader();
    expect(reader.read(received(messages[0], 7))).toBeUndefined();
    expect(reader.read(received(messages[1], 9))).toBeUndefined();
    expect(reader.firstOpen).toBe(7);
    expect(reader.read(received(messages[2], 12))).toMatchObject({ from: 7 });
    expect(reader.firstOpen).toBeUndefined();
  });

  it('pass over what compaction has left of an older one', () => {
    const checkpoint = (bytes: number): Written => ({
      ...{ type: 'checkpoint', lane: 'key/a', key: 'a', blobs: [] },
      bytes: randomBytes(bytes),
    });
    const old = encodeStateRecord(checkpoint(1_200_000));
    const now = checkpoint(600_000);
    const reader = new StateReader();
    // The first two pieces have the keys of the newer one's.
    const left = [old[2], ...encodeStateRecord(now)];
    expect(shown(left.flatMap((message, i) => reader.read(received(message, i))?.record ?? []))).toEqual(shown([now]));
  });

  it('are forgotten by a tombstone for each piece, which is read once', () => {
    const reader = new StateReader();
    const tombstones = forgetting('key/a', 'ab'.repeat(32), 3);
    expect(tombstones.map(({ key }) => key)).toEqual(
      encodeStateRecord(blob('key/a', randomBytes(1_200_000))).map(({ key }) =>
        String(key).replace(/[0-9a-f]{64}/, 'ab'.repeat(32)),
      ),
    );
    expect(tombstones.flatMap((message, i) => reader.read(received(message, i)) ?? [])).toEqual([
      { record: { type: 'forgotten', lane: 'key/a', sha256: 'ab'.repeat(32) }, from: 0 },
    ]);
  });
});
