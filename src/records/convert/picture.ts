import { type PictureHeader as ProtoHeader, PictureHeader_SampleType } from '../generated/blinkstream/v1/frame.js';
import {
  bytesPerSample,
  type Channels,
  type EncodedPicture,
  type FrameContent,
  type Picture,
  type SampleType,
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
  | { readonly form: 'encoded'; readonly mediaType: EncodedPicture['mediaType']; readonly byteLength: number };

const sampleTypes = { U8: 'u8', U16: 'u16', F32: 'f32' } as const;
const sampleTypeNames = { u8: 'U8', u16: 'U16', f32: 'F32' } as const;
const mediaTypes = ['image/jpeg', 'image/png', 'image/webp', 'image/tiff'] as const;

/** The header of a frame's content. */
export function headerOf(content: FrameContent): PictureHeader {
  if (content.form === 'encoded') {
    const { mediaType, bytes } = content.encoded;
    return { form: 'encoded', mediaType, byteLength: bytes.byteLength };
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
    return header.form === 'encoded'
      ? { form: 'encoded', encoded: { mediaType: header.mediaType, bytes } }
      : { form: 'pixels', picture: pictureOf(header, bytes) };
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
    return { width: 0, height: 0, channels: 0, sampleType, mediaType: header.mediaType, byteLength };
  }
  checkShape(header);
  const { type, width, height, channels } = header;
  const sampleType = PictureHeader_SampleType[sampleTypeNames[type]];
  return { width, height, channels, sampleType, mediaType: '', byteLength };
}

export function headerFromProto({ sampleType, mediaType, ...rest }: ProtoHeader): PictureHeader {
  const { width, height, channels, byteLength } = rest;
  if (sampleType === PictureHeader_SampleType.SAMPLE_TYPE_UNSPECIFIED) {
    return { form: 'encoded', mediaType: oneOf(mediaTypes, mediaType, 'picture.media_type'), byteLength };
  }
  if (mediaType !== '') throw new Error(`picture has a media type, ${mediaType}, and samples of type ${sampleType}`);
  const type = sampleTypes[sampleType];
  const header = { form: 'pixels' as const, type, width, height, channels: channelsOf(channels), byteLength };
  checkShape(header);
  return header;
}

function channelsOf(value: number): Channels {
  if (value === 1 || value === 2 || value === 3 || value === 4) return value;
  throw new Error(`picture.channels is ${value}, not 1 to 4`);
}

function checkShape({ type, width, height, channels, byteLength }: PictureHeader & { form: 'pixels' }): void {
  const samples = count(width, 'picture.width', 'uint32') * count(height, 'picture.height', 'uint32') * channels;
  if (samples === 0 || samples * bytesPerSample[type] !== byteLength) {
    throw new Error(`picture of ${width} × ${height} × ${channels} ${type} cannot have ${byteLength} bytes`);
  }
}
