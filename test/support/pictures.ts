import type { Picture } from '../../src/records/index.js';

/** An uncompressed TIFF of one page (little endian, one strip) with exactly these samples. */
export function tiffOf(picture: Picture): Buffer {
  const { width, height, channels, data } = picture;
  const bits = data.BYTES_PER_ELEMENT * 8;
  const sampleFormat = picture.type === 'f32' ? 3 : 1;
  const short = 3;
  const long = 4;
  const hasAlpha = channels % 2 === 0;
  const perChannel = (value: number) => new Array<number>(channels).fill(value);
  const entries: [tag: number, type: number, values: number[]][] = [
    [256, long, [width]],
    [257, long, [height]],
    [258, short, perChannel(bits)],
    [259, short, [1]],
    [262, short, [channels >= 3 ? 2 : 1]],
    [273, long, [0]],
    [277, short, [channels]],
    [278, long, [height]],
    [279, long, [data.byteLength]],
    ...(hasAlpha ? [[338, short, [2]] satisfies [number, number, number[]]] : []),
    [339, short, perChannel(sampleFormat)],
  ];
  const ifdBytes = 2 + entries.length * 12 + 4;
  const arraysAt = 8 + ifdBytes;
  const pixelsAt = arraysAt + 4 * channels;
  const file = Buffer.alloc(pixelsAt + data.byteLength);
  file.write('II');
  file.writeUInt16LE(42, 2);
  file.writeUInt32LE(8, 4);
  file.writeUInt16LE(entries.length, 8);
  let arrayAt = arraysAt;
  entries.forEach(([tag, type, values], i) => {
    const at = 10 + i * 12;
    file.writeUInt16LE(tag, at);
    file.writeUInt16LE(type, at + 2);
    file.writeUInt32LE(values.length, at + 4);
    if (tag === 273) file.writeUInt32LE(pixelsAt, at + 8);
    else if (type === long) file.writeUInt32LE(values[0], at + 8);
    else if (values.length <= 2) values.forEach((v, k) => file.writeUInt16LE(v, at + 8 + 2 * k));
    else {
      file.writeUInt32LE(arrayAt, at + 8);
      values.forEach((v, k) => file.writeUInt16LE(v, arrayAt + 2 * k));
      arrayAt += 2 * values.length;
    }
  });
  Buffer.from(data.buffer, data.byteOffset, data.byteLength).copy(file, pixelsAt);
  return file;
}

/** A grey PNG of `width`×`height` black pixels: a small file that is large when decoded. */
export async function blackPng(width: number, height: number): Promise<Buffer> {
  const { default: sharp } = await import('sharp');
  return sharp({ create: { width, height, channels: 3, background: '#000' }, limitInputPixels: false })
    .png({ compressionLevel: 9, palette: true })
    .toBuffer();
}
