import type { Picture } from '../records/index.js';

/** Types of a field's values. */
const SHORT = 3;
const LONG = 4;

/** Baseline TIFF tags that are used here, and SampleFormat. */
const tags = {
  width: 256,
  height: 257,
  bitsPerSample: 258,
  compression: 259,
  photometric: 262,
  stripOffset: 273,
  samplesPerPixel: 277,
  rowsPerStrip: 278,
  stripBytes: 279,
  extraSamples: 338,
  sampleFormat: 339,
} as const;

const NO_COMPRESSION = 1;
const GREY = 1;
const RGB = 2;
const UNASSOCIATED_ALPHA = 2;
const UNSIGNED = 1;
const FLOATING_POINT = 3;

const headerBytes = 8;
const fieldBytes = 12;

/**
 * The very samples of a picture as a TIFF, floating point too, which PNG cannot hold: one strip, uncompressed, little
 * endian as the host. Method: TIFF 6.0, sections 2 to 6, 18 and 19.
 */
export function encodeTiff({ type, width, height, channels, data }: Picture): Uint8Array {
  const each = (value: number): number[] => new Array<number>(channels).fill(value);
  const fields: [tag: number, type: typeof SHORT | typeof LONG, values: number[]][] = [
    [tags.width, LONG, [width]],
    [tags.height, LONG, [height]],
    [tags.bitsPerSample, SHORT, each(8 * data.BYTES_PER_ELEMENT)],
    [tags.compression, SHORT, [NO_COMPRESSION]],
    [tags.photometric, SHORT, [channels < 3 ? GREY : RGB]],
    [tags.stripOffset, LONG, [0]],
    [tags.samplesPerPixel, SHORT, [channels]],
    [tags.rowsPerStrip, LONG, [height]],
    [tags.stripBytes, LONG, [data.byteLength]],
    ...(channels % 2 === 0 ? [[tags.extraSamples, SHORT, [UNASSOCIATED_ALPHA]] satisfies (typeof fields)[number]] : []),
    [tags.sampleFormat, SHORT, each(type === 'f32' ? FLOATING_POINT : UNSIGNED)],
  ];
  // Behind the fields come the values that do not fit into the four bytes of their field, then the samples.
  const valuesAt = headerBytes + 2 + fields.length * fieldBytes + 4;
  const longFields = fields.filter(([, kind, values]) => kind === SHORT && values.length > 2);
  const samplesAt = valuesAt + Math.ceil((longFields.length * channels * 2) / 4) * 4;
  const file = Buffer.alloc(samplesAt + data.byteLength);
  file.write('II*\0', 0, 'latin1');
  file.writeUInt32LE(headerBytes, 4);
  file.writeUInt16LE(fields.length, headerBytes);
  let nextValuesAt = valuesAt;
  for (const [i, [tag, kind, values]] of fields.entries()) {
    const at = headerBytes + 2 + i * fieldBytes;
    file.writeUInt16LE(tag, at);
    file.writeUInt16LE(kind, at + 2);
    file.writeUInt32LE(values.length, at + 4);
    if (tag === tags.stripOffset) file.writeUInt32LE(samplesAt, at + 8);
    else if (kind === LONG) file.writeUInt32LE(values[0], at + 8);
    else if (values.length <= 2) values.forEach((value, k) => file.writeUInt16LE(value, at + 8 + 2 * k));
    else {
      file.writeUInt32LE(nextValuesAt, at + 8);
      for (const value of values) nextValuesAt = file.writeUInt16LE(value, nextValuesAt);
    }
  }
  file.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), samplesAt);
  return file;
}
