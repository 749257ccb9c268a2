/**
 * Demultiplexer of NUT, the container in which ffmpeg hands over raw frames: small, exact times, and a frame and its
 * time come together, so they cannot go out of step. Only what ffmpeg writes for a single raw video stream.
 * Source: "NUT Open Container Format", ffmpeg.org/~michael/nut.txt.
 */

export interface NutVideo {
  readonly width: number;
  readonly height: number;
  /** Seconds per tick of the presentation times: num/den. */
  readonly timeBase: { readonly num: number; readonly den: number };
}

/** Every `next` asks for one of these: more bytes in `target()`, the caller's attention to the header or a frame. */
export type NutStep =
  | { readonly type: 'more' }
  | { readonly type: 'header'; readonly video: NutVideo }
  | { readonly type: 'frame'; readonly pts: number }
  /** The next frame has another number of bytes than the buffer that was given for it. */
  | { readonly type: 'resized'; readonly bytes: number };

const flag = {
  codedPts: 8,
  streamId: 16,
  sizeMsb: 32,
  checksum: 64,
  reserved: 128,
  sideData: 256,
  headerIndex: 1024,
  matchTime: 2048,
  coded: 4096,
  invalid: 8192,
} as const;

/** `N`, which begins every packet that is no frame. */
const PACKET = 0x4e;
const FILE_ID = Buffer.from('nut/multimedia container\0');
const startCode = {
  main: 0x4e4d7a561f5f04adn,
  stream: 0x4e5311405bf2f9dbn,
  syncpoint: 0x4e4be4adeeca4569n,
} as const;

/** Room for everything between two frames; what of a frame comes with it is copied, so it stays small. */
const HEAD_BYTES = 8_192;

interface FrameCode {
  readonly flags: number;
  readonly ptsDelta: number;
  readonly sizeMul: number;
  readonly sizeLsb: number;
  readonly reserved: number;
  readonly headerIndex: number;
}

/** Reads from what is there of the head; `short` tells that it was too little. */
class Cursor {
  short = false;
  constructor(
    readonly bytes: Buffer,
    public at: number,
    readonly end: number,
  ) {}

  byte(): number {
    if (this.at < this.end) return this.bytes[this.at++];
    this.short = true;
    return 0;
  }

  /** Unsigned number of variable length. Up to 2^53; presentation times stay below. */
  v(): number {
    let value = 0;
    for (let byte = this.byte(); ; byte = this.byte()) {
      value = value * 128 + (byte & 127);
      if (byte < 128) return value;
    }
  }

  /** Signed. */
  s(): number {
    const v = this.v() + 1;
    return v % 2 === 1 ? -Math.floor(v / 2) : v / 2;
  }

  skip(bytes: number): void {
    if (this.at + bytes > this.end) this.short = true;
    this.at += bytes;
  }

  slice(bytes: number): Buffer {
    this.skip(bytes);
    return Buffer.from(this.bytes.subarray(this.at - bytes, Math.min(this.at, this.end)));
  }
}

/** A push parser that lets the bytes of frames be read straight into the caller's buffers. */
export class NutReader {
  readonly #head = Buffer.allocUnsafeSlow(HEAD_BYTES);
  #start = 0;
  #end = 0;
  #begun = false;
  #codes: FrameCode[] = [];
  #elided: Buffer[] = [];
  #timeBases: { num: number; den: number }[] = [];
  #ptsShift = 0;
  #lastPts = 0;
  #announced = false;
  #intoBody = false;
  #body: { readonly buffer: Uint8Array; filled: number; readonly pts: number } | undefined;

  /** Where the next bytes of the stream belong; tell `received` how many came. Never empty after `next` gave `more`. */
  target(): Uint8Array {
    this.#intoBody = this.#body !== undefined && this.#start === this.#end;
    if (this.#body !== undefined && this.#intoBody) return this.#body.buffer.subarray(this.#body.filled);
    if (this.#start > 0) {
      this.#head.copyWithin(0, this.#start, this.#end);
      this.#end -= this.#start;
      this.#start = 0;
    }
    return this.#head.subarray(this.#end);
  }

  received(bytes: number): void {
    // By where the bytes went: `next` may have moved on since `target` was asked.
    if (this.#body !== undefined && this.#intoBody) this.#body.filled += bytes;
    else this.#end += bytes;
  }

  /**
   * Goes on as far as the bytes that are there allow. `buffer` takes the next frame, which fills it exactly; it is
   * needed once the header was given, and must stay the same until its frame is.
   * @throws Error where the stream is no NUT that ffmpeg wrote for one raw video stream
   */
  next(buffer?: Uint8Array): NutStep {
    for (;;) {
      const body = this.#body;
      if (body !== undefined) {
        const { byteLength } = body.buffer;
        if (body.filled < byteLength && this.#start < this.#end) {
          const count = Math.min(byteLength - body.filled, this.#end - this.#start);
          body.buffer.set(this.#head.subarray(this.#start, this.#start + count), body.filled);
          body.filled += count;
          this.#start += count;
        }
        if (body.filled < byteLength) return { type: 'more' };
        this.#body = undefined;
        return { type: 'frame', pts: body.pts };
      }
      const cursor = new Cursor(this.#head, this.#start, this.#end);
      const step = this.#item(cursor, buffer);
      if (cursor.short) {
        if (this.#end - this.#start === HEAD_BYTES) throw new Error('NUT: a header longer than any that ffmpeg writes');
        return { type: 'more' };
      }
      if (step?.type !== 'resized') this.#start = cursor.at;
      if (step !== undefined) return step;
    }
  }

  /** One packet or frame header. What it sets is only valid if the cursor did not run short. */
  #item(cursor: Cursor, buffer: Uint8Array | undefined): NutStep | undefined {
    if (!this.#begun) {
      const id = cursor.slice(FILE_ID.byteLength);
      if (cursor.short) return undefined;
      if (!id.equals(FILE_ID)) throw new Error('NUT: no file id');
      this.#begun = true;
      return undefined;
    }
    const first = cursor.byte();
    if (cursor.short) return undefined;
    if (first === PACKET) return this.#packet(cursor);
    if (buffer === undefined) throw new Error('NUT: a frame before the header');
    return this.#frame(cursor, first, buffer);
  }

  #packet(cursor: Cursor): NutStep | undefined {
    cursor.skip(7);
    const length = cursor.v();
    if (length > 4_096) cursor.skip(4);
    const payloadAt = cursor.at;
    cursor.skip(length);
    if (cursor.short) return undefined;
    const payload = new Cursor(this.#head, payloadAt, payloadAt + length);
    switch (this.#head.readBigUInt64BE(this.#start)) {
      case startCode.main:
        this.#mainHeader(payload);
        return undefined;
      case startCode.stream:
        return this.#streamHeader(payload);
      case startCode.syncpoint: {
        // One stream and one time base, so the time needs no rescaling.
        this.#lastPts = Math.floor(payload.v() / this.#timeBases.length);
        return undefined;
      }
      default:
        return undefined;
    }
  }

  #mainHeader(p: Cursor): void {
    const version = p.v();
    if (version > 3) p.v();
    const streams = p.v();
    if (streams !== 1) throw new Error(`NUT: ${streams} streams`);
    p.v(); // max_distance
    this.#timeBases = Array.from({ length: p.v() }, () => ({ num: p.v(), den: p.v() }));
    if (this.#timeBases.length !== 1) throw new Error(`NUT: ${this.#timeBases.length} time bases`);
    const codes: FrameCode[] = [];
    let [ptsDelta, sizeMul, headerIndex] = [0, 1, 0];
    while (codes.length < 256) {
      const flags = p.v();
      const fields = p.v();
      if (fields > 0) ptsDelta = p.s();
      if (fields > 1) sizeMul = p.v();
      if (fields > 2) p.v(); // stream: there is only one
      const size = fields > 3 ? p.v() : 0;
      const reserved = fields > 4 ? p.v() : 0;
      let count = fields > 5 ? p.v() : sizeMul - size;
      if (fields > 6) p.s(); // match time
      if (fields > 7) headerIndex = p.v();
      for (let i = 8; i < fields; i++) p.v();
      if (p.short || count <= 0) throw new Error('NUT: a damaged table of frame codes');
      for (let j = 0; count > 0 && codes.length < 256;) {
        // The code that begins packets is skipped and does not count.
        const taken = codes.length === PACKET;
        const common = { ptsDelta, sizeMul, sizeLsb: size + j, reserved, headerIndex };
        codes.push({ ...common, flags: taken ? flag.invalid : flags });
        if (!taken) {
          j++;
          count--;
        }
      }
    }
    this.#codes = codes;
    const elided = p.v();
    this.#elided = [Buffer.alloc(0), ...Array.from({ length: elided }, () => p.slice(p.v()))];
  }

  #streamHeader(p: Cursor): NutStep | undefined {
    p.v(); // stream id
    const streamClass = p.v();
    if (streamClass !== 0) throw new Error(`NUT: a stream of class ${streamClass}, which is no video`);
    p.skip(p.v()); // fourcc
    const base = this.#timeBases[p.v()];
    this.#ptsShift = p.v();
    p.v(); // max_pts_distance
    p.v(); // decode_delay
    p.v(); // stream flags
    p.skip(p.v()); // codec specific data
    const width = p.v();
    const height = p.v();
    // Headers are repeated now and then.
    if (this.#announced) return undefined;
    this.#announced = true;
    return { type: 'header', video: { width, height, timeBase: base } };
  }

  #frame(cursor: Cursor, first: number, buffer: Uint8Array): NutStep | undefined {
    const code = this.#codes[first];
    let flags = code.flags;
    if (flags & flag.invalid) throw new Error(`NUT: invalid frame code ${first}`);
    if (flags & flag.coded) flags ^= cursor.v();
    if (flags & flag.sideData) throw new Error('NUT: side data');
    if (flags & flag.streamId) cursor.v();
    const pts = flags & flag.codedPts ? this.#fullPts(cursor.v()) : this.#lastPts + code.ptsDelta;
    let size = code.sizeLsb;
    if (flags & flag.sizeMsb) size += code.sizeMul * cursor.v();
    if (flags & flag.matchTime) cursor.s();
    const headerIndex = flags & flag.headerIndex ? cursor.v() : code.headerIndex;
    let reserved = code.reserved;
    if (flags & flag.reserved) reserved = cursor.v();
    for (let i = 0; i < reserved; i++) cursor.v();
    if (flags & flag.checksum) cursor.skip(4);
    if (cursor.short) return undefined;
    if (!Number.isSafeInteger(pts)) throw new Error(`NUT: presentation time ${pts} out of range`);
    if (size !== buffer.byteLength) return { type: 'resized', bytes: size };
    const elided = this.#elided[headerIndex];
    buffer.set(elided);
    this.#body = { buffer, filled: elided.byteLength, pts };
    this.#lastPts = pts;
    return undefined;
  }

  /** A coded time is whole, or its low bits, the nearest to the last time. */
  #fullPts(coded: number): number {
    const span = 2 ** this.#ptsShift;
    if (coded >= span) return coded - span;
    const least = this.#lastPts - Math.floor((span - 1) / 2);
    return ((((coded - least) % span) + span) % span) + least;
  }
}
