/**
 * JPEG over RTP as cameras send it: RFC 2435, with the quantisation tables in band (Q = 255), so that any size and any
 * picture may follow another. Baseline JPEG in 4:2:0 with the standard Huffman tables, sides multiples of 8.
 */
export class JpegPacketizer {
  #sequence = 0;

  /** The RTP packets of one picture. `timestamp` counts in 1/90,000 s. */
  packets(jpeg: Uint8Array, timestamp: number): Buffer[] {
    const { width, height, tables, scan } = partsOf(jpeg);
    const packets: Buffer[] = [];
    for (let offset = 0; offset < scan.byteLength;) {
      const tablesHere = offset === 0 ? Buffer.concat([Buffer.from([0, 0, 0, tables.byteLength]), tables]) : empty;
      const piece = scan.subarray(offset, offset + 1_300 - tablesHere.byteLength);
      const last = offset + piece.byteLength === scan.byteLength;
      const header = Buffer.alloc(20);
      header.writeUInt8(0x80, 0);
      header.writeUInt8((last ? 0x80 : 0) | 26, 1);
      header.writeUInt16BE(this.#sequence++ & 0xffff, 2);
      header.writeUInt32BE(timestamp >>> 0, 4);
      header.writeUInt32BE(0x626c696e, 8);
      header.writeUInt32BE(offset, 12);
      header.set([1, 255, width / 8, height / 8], 16);
      packets.push(Buffer.concat([header, tablesHere, piece]));
      offset += piece.byteLength;
    }
    return packets;
  }
}

const empty = Buffer.alloc(0);

function partsOf(jpeg: Uint8Array): { width: number; height: number; tables: Buffer; scan: Buffer } {
  const bytes = Buffer.from(jpeg);
  const tables: Buffer[] = [];
  let [width, height] = [0, 0];
  for (let at = 2; ;) {
    const marker = bytes.readUInt16BE(at);
    const length = bytes.readUInt16BE(at + 2);
    const body = bytes.subarray(at + 4, at + 2 + length);
    if (marker === 0xffdb) for (let i = 0; i < body.byteLength; i += 65) tables.push(body.subarray(i + 1, i + 65));
    if (marker === 0xffc0) [height, width] = [body.readUInt16BE(1), body.readUInt16BE(3)];
    at += 2 + length;
    if (marker === 0xffda) return { width, height, tables: Buffer.concat(tables), scan: bytes.subarray(at, -2) };
  }
}
