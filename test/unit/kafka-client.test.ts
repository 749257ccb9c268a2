import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { CompressionCodecs } from 'kafkajs';
import { compressFrame } from 'lz4-napi';
import { compressSync } from 'snappy';
import { beforeAll, describe, expect, it } from 'vitest';
import { formatKafkaOffset, kafkaClient, parseKafkaOffset, type KafkaOptions } from '../../src/kafka/index.js';
import { maxUnpackedBytes, registerCodecs } from '../../src/kafka/codecs.js';

describe('a Kafka client', () => {
  const refusal = (options: Partial<KafkaOptions>): unknown => {
    try {
      kafkaClient({ brokers: ['127.0.0.1:9092'], ...options });
      return 'none';
    } catch (error) {
      return error;
    }
  };

  it('is made for brokers on this machine, and elsewhere with TLS or where plain text is allowed', () => {
    expect(refusal({})).toBe('none');
    expect(refusal({ brokers: ['kafka.example:9093'], tls: {} })).toBe('none');
    expect(refusal({ brokers: ['kafka.example:9092'], allowPlaintext: true })).toBe('none');
    expect(refusal({ brokers: ['127.0.0.1:9092', 'kafka.example:9092'] })).toMatchObject({
      code: 'KAFKA_NOT_SECURE',
      message: expect.stringContaining('kafka.example') as string,
    });
  });

  it('refuses half a certificate, no broker, and an address that is none without repeating it', () => {
    expect(refusal({ tls: { cert: 'PEM' } })).toMatchObject({ code: 'KAFKA_CREDENTIAL_INCOMPLETE' });
    expect(refusal({ brokers: [] })).toMatchObject({ code: 'KAFKA_ADDRESS_INVALID' });
    expect(refusal({ brokers: ['sasl://user:secret@kafka:9092'] })).toMatchObject({
      code: 'KAFKA_ADDRESS_INVALID',
      message: expect.not.stringContaining('secret') as string,
    });
  });
});

describe('a position in Kafka', () => {
  it('is read as it was written', () => {
    const time = fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e15, max: 1e15 }).map((ms) => ms + 0);
    fc.assert(
      fc.property(
        fc.record({
          topic: fc.stringMatching(/^[A-Za-z0-9._-]{1,60}$/),
          partition: fc.nat(),
          offset: fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }),
          firstMs: time,
          timeMs: time,
        }),
        (position) => {
          expect(parseKafkaOffset(formatKafkaOffset(position))).toEqual(position);
        },
      ),
    );
  });

  it('is refused where another source wrote it', () => {
    expect(() => parseKafkaOffset('1500/90000')).toThrow(expect.objectContaining({ code: 'POSITION_INVALID' }));
  });
});

describe('compressions of messages', () => {
  beforeAll(() => registerCodecs());
  const text = Buffer.from('frame '.repeat(20_000));
  const unpack = (id: number, packed: Buffer): Promise<Buffer> => {
    const table = CompressionCodecs as unknown as Record<number, () => { decompress(packed: Buffer): Promise<Buffer> }>;
    return table[id]().decompress(packed);
  };
  /** As Java's producers write it: a header, then each block with its length before it. */
  const snappyStream = (blocks: readonly Buffer[]): Buffer => {
    const length = (block: Buffer): Buffer => {
      const bytes = Buffer.alloc(4);
      bytes.writeUInt32BE(block.length);
      return bytes;
    };
    const header = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1]);
    return Buffer.concat([header, ...blocks.flatMap((block) => [length(block), block])]);
  };

  it('reads gzip, snappy bare and in a stream, and lz4', async () => {
    expect(await unpack(1, gzipSync(text))).toEqual(text);
    expect(await unpack(2, compressSync(text))).toEqual(text);
    const halves = [text.subarray(0, 32_768), text.subarray(32_768)].map((half) => compressSync(half));
    expect(await unpack(2, snappyStream(halves))).toEqual(text);
    expect(await unpack(3, await compressFrame(text))).toEqual(text);
  });

  it('fault 9: tells what is broken, what unpacks into too much, and a codec that nobody knows', async () => {
    for (const id of [1, 2, 3, 4]) {
      await expect(unpack(id, Buffer.from('no packed messages'))).rejects.toMatchObject({
        cause: { code: 'KAFKA_BATCH_BROKEN', class: 'user' },
      });
    }
    const bomb = gzipSync(Buffer.alloc(maxUnpackedBytes + 1));
    await expect(unpack(1, bomb)).rejects.toMatchObject({ cause: { code: 'KAFKA_BATCH_TOO_LARGE' } });
    await expect(unpack(6, Buffer.alloc(8))).rejects.toMatchObject({ cause: { code: 'KAFKA_CODEC_UNKNOWN' } });
  });
});
