/**
 * The compressions that producers of others use. kafkajs brings gzip alone, and that without a limit; on the others its
 * consumer stops while the process lives on.
 */
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { Decompress } from 'fzstd';
import kafkajs from 'kafkajs';
import { decompressFrame } from 'lz4-napi';
import { uncompress } from 'snappy';
import { BlinkstreamError, messageOf } from '../records/index.js';

/** A batch of a few MB may be made to unpack into GBs. Pictures hardly shrink: an honest batch stays far below this. */
export const maxUnpackedBytes = 64 * 1024 * 1024;

interface Codec {
  compress(encoder: { readonly buffer: Buffer }): Promise<Buffer>;
  decompress(buffer: Buffer): Promise<Buffer>;
}

/** By the three bits of a record batch's attributes that tell its codec. */
const codecs: Readonly<Record<number, Codec>> = {
  1: {
    compress: async ({ buffer }) => promisify(gzip)(buffer),
    decompress: unpacking('gzip', (packed) => promisify(gunzip)(packed, { maxOutputLength: maxUnpackedBytes })),
  },
  2: readOnly('snappy', unpackSnappy),
  3: readOnly('lz4', unpackLz4),
  4: readOnly('zstd', unpackZstd),
  5: unknown(5),
  6: unknown(6),
  7: unknown(7),
};

/** Gives kafkajs, which has one table for the process, the codecs. Idempotent. */
export function registerCodecs(): void {
  // Not by name: Node finds only some names in this CommonJS package, and not that of its table.
  const table: Record<number, () => Codec> = kafkajs.CompressionCodecs;
  for (const [id, codec] of Object.entries(codecs)) table[Number(id)] = () => codec;
}

function readOnly(name: string, unpack: (packed: Buffer) => Promise<Buffer>): Codec {
  const refuse = (): Promise<never> =>
    Promise.reject(fatal(`${name} is only read`, { code: 'KAFKA_CODEC_UNKNOWN', hint: 'Write with gzip or without.' }));
  return { compress: refuse, decompress: unpacking(name, unpack) };
}

/** kafkajs would take what is packed by these for not packed at all. */
function unknown(id: number): Codec {
  const refuse = (): Promise<never> =>
    Promise.reject(
      fatal(`messages are packed by compression codec ${id}, which is not known`, {
        code: 'KAFKA_CODEC_UNKNOWN',
        hint: 'Let its producer use gzip, snappy, lz4, zstd or none.',
      }),
    );
  return { compress: refuse, decompress: refuse };
}

function unpacking(name: string, unpack: (packed: Buffer) => Promise<Buffer>): (packed: Buffer) => Promise<Buffer> {
  return async (packed) => {
    try {
      return await unpack(packed);
    } catch (error) {
      if (error instanceof TooLarge || (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') {
        throw fatal(`messages packed by ${name} unpack into more than ${maxUnpackedBytes} bytes`, {
          code: 'KAFKA_BATCH_TOO_LARGE',
          hint: 'Let its producer send smaller batches, or skip these by setting the offset of the group behind them.',
        });
      }
      throw fatal(`messages packed by ${name} cannot be unpacked: ${messageOf(error)}`, {
        code: 'KAFKA_BATCH_BROKEN',
        hint: 'Skip them by setting the offset of the group behind them.',
      });
    }
  };
}

/** As kafkajs wants it: it takes any other error for one that a repetition may heal. */
function fatal(message: string, { code, hint }: { code: string; hint: string }): Error {
  const cause = new BlinkstreamError(message, { code, class: 'user', stage: 'source', hint });
  return Object.assign(new kafkajs.KafkaJSNonRetriableError(message), { cause });
}

class TooLarge extends Error {}

function admit(bytes: number): void {
  if (bytes > maxUnpackedBytes) throw new TooLarge();
}

/** Java's producers write blocks of at most 32 KiB under this header (snappy-java's stream), others one bare block. */
const snappyStream = Buffer.from([0x82, ...Buffer.from('SNAPPY'), 0]);
const snappyHeaderBytes = snappyStream.length + 8;

async function unpackSnappy(packed: Buffer): Promise<Buffer> {
  if (!packed.subarray(0, snappyStream.length).equals(snappyStream)) return unpackSnappyBlocks([packed]);
  const blocks: Buffer[] = [];
  for (let at = snappyHeaderBytes; at < packed.length;) {
    const end = at + 4 + packed.readUInt32BE(at);
    if (end > packed.length) throw new Error('a block is cut off');
    blocks.push(packed.subarray(at + 4, end));
    at = end;
  }
  return unpackSnappyBlocks(blocks);
}

async function unpackSnappyBlocks(blocks: readonly Buffer[]): Promise<Buffer> {
  admit(blocks.reduce((sum, block) => sum + snappyLength(block), 0));
  const unpacked: Buffer[] = [];
  for (const block of blocks) unpacked.push((await uncompress(block, { asBuffer: true })) as Buffer);
  return Buffer.concat(unpacked);
}

/** A block begins with its unpacked length, seven bits a byte, low ones first. */
function snappyLength(block: Buffer): number {
  let length = 0;
  for (let i = 0; i < 5; i++) {
    const byte = block.readUInt8(i);
    length += (byte & 0x7f) * 2 ** (7 * i);
    if (byte < 0x80) return length;
  }
  throw new Error('a block tells no length');
}

async function unpackLz4(packed: Buffer): Promise<Buffer> {
  admit(lz4Bound(packed));
  return decompressFrame(packed);
}

/** LZ4 makes at most 255 bytes of one. */
const lz4MaxRatio = 255;
const lz4FrameMagic = 0x184d2204;

/** No fewer bytes than the frame unpacks into: each of its blocks is bounded by the frame's block size and its own. */
function lz4Bound(packed: Buffer): number {
  if (packed.readUInt32LE(0) !== lz4FrameMagic) throw new Error('no LZ4 frame');
  const flags = packed.readUInt8(4);
  const blockBytes = 2 ** (8 + 2 * ((packed.readUInt8(5) >> 4) & 7));
  const hasSize = (flags & 0x08) !== 0;
  const hasDictionary = (flags & 0x01) !== 0;
  const blockChecksumBytes = (flags & 0x10) !== 0 ? 4 : 0;
  let bound = 0;
  for (let at = 7 + (hasSize ? 8 : 0) + (hasDictionary ? 4 : 0); ;) {
    const word = packed.readUInt32LE(at);
    if (word === 0) return bound;
    const bytes = word & 0x7fffffff;
    const isPlain = word > 0x7fffffff;
    bound += isPlain ? bytes : Math.min(blockBytes, bytes * lz4MaxRatio);
    at += 4 + bytes + blockChecksumBytes;
  }
}

function unpackZstd(packed: Buffer): Promise<Buffer> {
  const unpacked: Uint8Array[] = [];
  let bytes = 0;
  const stream = new Decompress((piece) => {
    bytes += piece.length;
    admit(bytes);
    unpacked.push(piece);
  });
  stream.push(packed, true);
  return Promise.resolve(Buffer.concat(unpacked));
}
