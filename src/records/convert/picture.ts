import {
  type PictureHeader as ProtoHeader,
  PictureHeader_SampleType,
  PictureHeader_Yuv420_Matrix,
} from '../generated/blinkstream/v1/frame.js';
import {
  bytesPerSample,
  type Channels,
  type EncodedPicture,
  type FrameContent,
  type Picture,
  type SampleType,
  type YuvColour,
  yuv420Bytes,
} from '../picture.js';
import { converting, count, oneOf } from './check.js';

/** What is told of a picture before its bytes: enough to take them apart again. */
export type PictureHeader =
  | {
      readonly form: 'pixels';
      readonly type: SampleType;
      readonly width: number;
      readonly height: number;
      readonly channels: Channels;
      readonly byteLength: number;
    }
  | (YuvColour & {
      readonly form: 'yuv420';
      readonly width: number;
      readonly height: number;
      readonly byteLength: number;
    })
  | { readonly form: 'encoded'; readonly mediaType: EncodedPicture['mediaType']; readonly byteLength: number };

const sampleTypes = { U8: 'u8', U16: 'u16', F32: 'f32' } as const;
const sampleTypeNames = { u8: 'U8', u16: 'U16', f32: 'F32' } as const;
const matrices = { BT601: 'bt601', BT709: 'bt709' } as const;
const matrixNames = { bt601: 'BT601', bt709: 'BT709' } as const;
const mediaTypes = ['image/jpeg', 'image/png', 'image/webp', 'image/tiff'] as const;

/** The header of a frame's content. */
export function headerOf(content: FrameContent): PictureHeader {
  if (content.form === 'encoded') {
    const { mediaType, bytes } = content.encoded;
    return { form: 'encoded', mediaType, byteLength: bytes.byteLength };
  }
  if (content.form === 'yuv420') {
    const { width, height, matrix, range, data } = content.picture;
    return { form: 'yuv420', width, height, matrix, range, byteLength: data.byteLength };
  }
  const { type, width, height, channels, data } = content.picture;
  return { form: 'pixels', type, width, height, channels, byteLength: data.byteLength };
}

/** The bytes of a frame's content, not copied. Samples are little endian, as the host is. */
export function bytesOf(content: FrameContent): Uint8Array {
  if (content.form === 'encoded') return content.encoded.bytes;
  const { data } = content.picture;
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/**
 * Content out of its header and its bytes; shares their memory where it is aligned for the sample type.
 * @throws BlinkstreamError `PROTO_INVALID` (data) where the number of bytes is not the one announced
 */
export const contentOf = (header: PictureHeader, bytes: Uint8Array): FrameContent =>
  converting('picture', 'worker', () => {
    if (bytes.byteLength !== header.byteLength) {
      throw new Error(`${bytes.byteLength} bytes of ${header.byteLength} announced`);
    }
    switch (header.form) {
      case 'encoded':
        return { form: 'encoded', encoded: { mediaType: header.mediaType, bytes } };
      case 'yuv420': {
        const { width, height, matrix, range } = header;
        return { form: 'yuv420', picture: { type: 'yuv420', width, height, matrix, range, data: bytes } };
      }
      case 'pixels':
        return { form: 'pixels', picture: pictureOf(header, bytes) };
    }
  });

function pictureOf({ type, width, height, channels }: PictureHeader & { form: 'pixels' }, bytes: Uint8Array): Picture {
  const size = bytesPerSample[type];
  const { buffer, byteOffset, byteLength } = bytes.byteOffset % size === 0 ? bytes : bytes.slice();
  const shape = { width, height, channels };
  switch (type) {
    case 'u8':
      return { ...shape, type, data: new Uint8Array(buffer, byteOffset, byteLength) };
    case 'u16':
      return { ...shape, type, data: new Uint16Array(buffer, byteOffset, byteLength / size) };
    case 'f32':
      return { ...shape, type, data: new Float32Array(buffer, byteOffset, byteLength / size) };
  }
}

export function headerToProto(header: PictureHeader): ProtoHeader {
  const byteLength = count(header.byteLength, 'picture.byte_length');
  if (header.form === 'encoded') {
    const sampleType = PictureHeader_SampleType.SAMPLE_TYPE_UNSPECIFIED;
    const none = { width: 0, height: 0, channels: 0, yuv420: undefined };
    return { ...none, sampleType, mediaType: header.mediaType, byteLength };
  }
  checkShape(header);
  if (header.form === 'yuv420') {
    const { width, height, matrix, range } = header;
    const yuv420 = { matrix: PictureHeader_Yuv420_Matrix[matrixNames[matrix]], fullRange: range === 'full' };
    return { width, height, channels: 3, sampleType: PictureHeader_SampleType.U8, mediaType: '', byteLength, yuv420 };
  }
  const { type, width, height, channels } = header;
  const sampleType = PictureHeader_SampleType[sampleTypeNames[type]];
  return { width, height, channels, sampleType, mediaType: '', byteLength, yuv420: undefined };
}

export function headerFromProto({ sampleType, mediaType, yuv420, ...rest }: ProtoHeader): PictureHeader {
  const { width, height, channels, byteLength } = rest;
  if (sampleType === PictureHeader_SampleType.SAMPLE_TYPE_UNSPECIFIED) {
    return { form: 'encoded', mediaType: oneOf(mediaTypes, mediaType, 'picture.media_type'), byteLength };
  }
  if (mediaType !== '') throw new Error(`picture has a media type, ${mediaType}, and samples of type ${sampleType}`);
  const type = sampleTypes[sampleType];
  if (yuv420 !== undefined) {
    const { matrix, fullRange } = yuv420;
    if (matrix === PictureHeader_Yuv420_Matrix.MATRIX_UNSPECIFIED) throw new Error('picture.yuv420.matrix is missing');
    if (type !== 'u8' || channels !== 3) throw new Error(`picture in planes has ${channels} channels of ${type}`);
    const range = fullRange ? ('full' as const) : ('limited' as const);
    const header = { form: 'yuv420' as const, width, height, matrix: matrices[matrix], range, byteLength };
    checkShape(header);
    return header;
  }
  const header = { form: 'pixels' as const, type, width, height, channels: channelsOf(channels), byteLength };
  checkShape(header);
  return header;
}

function channelsOf(value: number): Channels {
  if (value === 1 || value === 2 || value === 3 || value === 4) return value;
  throw new Error(`picture.channels is ${value}, not 1 to 4`);
}

function checkShape(header: Exclude<PictureHeader, { form: 'encoded' }>): void {
  const { byteLength } = header;
  const width = count(header.width, 'picture.width', 'uint32');
  const height = count(header.height, 'picture.height', 'uint32');
  const bytes =
    header.form === 'yuv420'
      ? yuv420Bytes(width, height)
      : width * height * header.channels * bytesPerSample[header.type];
  const what = header.form === 'yuv420' ? 'yuv420' : `× ${header.channels} ${header.type}`;
  if (width * height === 0 || bytes !== byteLength) {
    throw new Error(`picture of ${width} × ${height} ${what} cannot have ${byteLength} bytes`);
  }
}
