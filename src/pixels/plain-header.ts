/** What the header of a plain picture says. */
export interface PlainHeader {
  readonly mediaType: 'image/jpeg' | 'image/png';
  readonly width: number;
  readonly height: number;
  /** Of a JPEG of 8-bit samples: grey or in colour. Undefined where a library has to be asked. */
  readonly space?: 'b-w' | 'srgb';
}

/**
 * Size of a plain JPEG or PNG in microseconds, where a library takes a third of a millisecond. Undefined where there is
 * more to it than two numbers (EXIF, which may turn the picture; other formats; anything odd or damaged): then whoever
 * decodes pictures has to be asked.
 */
export function plainHeader(bytes: Uint8Array): PlainHeader | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.byteLength < 33) return undefined;
  if (view.getUint32(0) === 0x89504e47 && view.getUint32(4) === 0x0d0a1a0a) return plainPng(view);
  if (view.getUint16(0) === 0xffd8) return plainJpeg(view);
  return undefined;
}

const chunk = (name: string): number => Buffer.from(name, 'latin1').readUInt32BE();
const IHDR = chunk('IHDR');
const IDAT = chunk('IDAT');
const EXIF = chunk('eXIf');

function plainPng(view: DataView): PlainHeader | undefined {
  if (view.getUint32(8) !== 13 || view.getUint32(12) !== IHDR) return undefined;
  for (let at = 33; at + 8 <= view.byteLength; at += 12 + view.getUint32(at)) {
    const name = view.getUint32(at + 4);
    if (name === EXIF) return undefined;
    if (name === IDAT) return sized('image/png', view.getUint32(16), view.getUint32(20));
  }
  return undefined;
}

/** By the number of a JPEG's components; four are CMYK or alike. */
const spaces: Readonly<Partial<Record<number, 'b-w' | 'srgb'>>> = { 1: 'b-w', 3: 'srgb' };

function plainJpeg(view: DataView): PlainHeader | undefined {
  let at = 2;
  while (at + 9 <= view.byteLength && view.getUint8(at) === 0xff) {
    const marker = view.getUint8(at + 1);
    if (marker === 0xe1) return undefined;
    // Frame headers SOF0–SOF15, without the tables whose markers lie between them.
    if (marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc) {
      const plain = sized('image/jpeg', view.getUint16(at + 7), view.getUint16(at + 5));
      const space = view.getUint8(at + 4) === 8 && at + 9 < view.byteLength ? spaces[view.getUint8(at + 9)] : undefined;
      return plain && space ? { ...plain, space } : plain;
    }
    // Only segments with a length may stand before it.
    if (marker < 0xc4 || (marker >= 0xd0 && marker <= 0xda)) return undefined;
    at += 2 + view.getUint16(at + 2);
  }
  return undefined;
}

const sized = (mediaType: PlainHeader['mediaType'], width: number, height: number): PlainHeader | undefined =>
  width > 0 && height > 0 ? { mediaType, width, height } : undefined;
