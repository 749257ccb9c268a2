import { createHash } from 'node:crypto';
import { pictureOf } from '../pixels/content.js';
import { mediaTypeOf } from '../pixels/decode.js';
import { encodeJpeg, encodePng } from '../pixels/encode.js';
import { encodeTiff } from '../pixels/tiff.js';
import {
  BlinkstreamError,
  pointOf,
  type Blob,
  type EncodedPicture,
  type FrameContent,
  type FramePoint,
  type Lease,
  type SequenceFrame,
} from '../records/index.js';
import { leaseOf } from '../sources/budget.js';

/** Of a keyframe: hardly worse than what a camera sends. */
const KEYFRAME_QUALITY = 85;

/** A scene at rest, as a checkpoint names it. */
export interface SettledScene {
  readonly at: FramePoint;
  readonly width: number;
  readonly height: number;
  /** Without any loss. */
  readonly blob: Blob;
  /** The same as JPEG, where it is to be kept for later. */
  readonly keyframe?: Blob;
}

/**
 * The pixels of a settled scene as they are stored with a checkpoint, without any loss, because a run that goes on from
 * it must see exactly what this one saw: an original as it is, samples as PNG, of floating point as TIFF.
 */
export async function settledSceneOf({ ref, lease }: SequenceFrame<Lease>): Promise<SettledScene> {
  const content = lease?.content();
  if (content === undefined) throw new RangeError(`frame ${ref.index} has no pixels`);
  const { mediaType, bytes } = await losslessOf(content);
  const { width, height } = ref;
  return { at: pointOf(ref), width, height, blob: blobOf(mediaType, bytes) };
}

/** A scene with the picture of it that is kept for later. */
export async function withKeyframe(scene: SettledScene): Promise<SettledScene> {
  const { blob } = scene;
  const mediaType = mediaTypeOf(blob.bytes);
  if (mediaType === undefined || mediaType === 'image/jpeg') return { ...scene, keyframe: blob };
  const picture = await pictureOf({ form: 'encoded', encoded: { mediaType, bytes: blob.bytes } });
  const bytes = await encodeJpeg(picture, KEYFRAME_QUALITY);
  return { ...scene, keyframe: blobOf('image/jpeg', bytes) };
}

const blobOf = (mediaType: string, bytes: Uint8Array): Blob => ({
  sha256: createHash('sha256').update(bytes).digest('hex'),
  mediaType,
  bytes,
});

/** @throws BlinkstreamError `LOG_INCOMPLETE` (internal) where the blob is no picture */
export function sceneLease({ sha256, bytes }: Blob): Lease {
  const mediaType = mediaTypeOf(bytes);
  if (mediaType === undefined) {
    throw new BlinkstreamError(`the settled scene of the log's checkpoint, ${sha256}, is no picture`, {
      code: 'LOG_INCOMPLETE',
      class: 'internal',
      stage: 'log',
    });
  }
  // Beyond the source's budget: one picture, held for as long as it is the settled scene.
  return leaseOf({ form: 'encoded', encoded: { mediaType, bytes } }, bytes.byteLength, () => undefined);
}

async function losslessOf(content: FrameContent): Promise<EncodedPicture> {
  if (content.form === 'encoded') return content.encoded;
  const picture = await pictureOf(content);
  if (picture.type === 'f32') return { mediaType: 'image/tiff', bytes: encodeTiff(picture) };
  return { mediaType: 'image/png', bytes: await encodePng(picture) };
}
