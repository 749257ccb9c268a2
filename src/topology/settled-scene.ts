import { createHash } from 'node:crypto';
import { pictureOf } from '../pixels/content.js';
import { mediaTypeOf } from '../pixels/decode.js';
import { encodePng } from '../pixels/encode.js';
import { encodeTiff } from '../pixels/tiff.js';
import {
  BlinkstreamError,
  type Blob,
  type EncodedPicture,
  type FrameContent,
  type Lease,
  type SequenceFrame,
} from '../records/index.js';
import { leaseOf } from '../sources/budget.js';

/**
 * The pixels of a settled scene as they are stored with a checkpoint, without any loss, because a run that goes on from
 * it must see exactly what this one saw: an original as it is, samples as PNG, of floating point as TIFF.
 */
export async function sceneBlob({ ref, lease }: SequenceFrame<Lease>): Promise<Blob> {
  const content = lease?.content();
  if (content === undefined) throw new RangeError(`frame ${ref.index} has no pixels`);
  const { mediaType, bytes } = await losslessOf(content);
  return { sha256: createHash('sha256').update(bytes).digest('hex'), mediaType, bytes };
}

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
