import { decodePicture, mediaTypeOf, readHeader } from '../../pixels/decode.js';
import { timeFromProto } from '../../records/convert/time.js';
import type { PushedFrame } from '../../records/generated/blinkstream/v1/frame_service.js';
import { BlinkstreamError, messageOf } from '../../records/index.js';
import type { Pushed, Refusal } from './camera.js';

/** Bytes that a pushed picture may have. */
export const MAX_FRAME_BYTES = 16 * 1024 * 1024;

/** Looks at a frame as at anything that comes from outside: what gets through can be decoded. */
export async function checkFrame(
  frame: PushedFrame,
  nextSequence: number,
  maxPixels: number | undefined,
): Promise<Pushed | Pick<Refusal, 'reason' | 'problem'>> {
  const { sequence, picture: bytes } = frame;
  if (sequence < nextSequence) {
    const problem =
      sequence === 0 ? 'sequence numbers begin with 1' : `${nextSequence} is the lowest that is not known yet`;
    return { reason: 'SEQUENCE', problem };
  }
  const eventTimeMs = eventTimeOf(frame);
  if (eventTimeMs === undefined) return { reason: 'EVENT_TIME', problem: 'its event time is not one since 1970' };
  if (bytes.byteLength > MAX_FRAME_BYTES) {
    return { reason: 'TOO_MANY_BYTES', problem: `it has ${bytes.byteLength} bytes, more than ${MAX_FRAME_BYTES}` };
  }
  const mediaType = mediaTypeOf(bytes);
  if (mediaType !== 'image/jpeg' && mediaType !== 'image/png') {
    return { reason: 'MEDIA_TYPE', problem: mediaType === undefined ? 'it is no JPEG or PNG' : `it is ${mediaType}` };
  }
  try {
    const options = { name: 'it', ...(maxPixels !== undefined && { maxPixels }) };
    const { width, height } = await readHeader(bytes, options);
    // The header may be all that is sound. A picture that cannot be decoded later on would end its pipeline.
    await decodePicture({ mediaType, bytes }, options);
    return { sequence, eventTimeMs, picture: { mediaType, bytes }, width, height };
  } catch (error) {
    if (!(error instanceof BlinkstreamError) || error.class !== 'data') throw error;
    return { reason: error.code === 'PICTURE_TOO_LARGE' ? 'TOO_MANY_PIXELS' : 'DAMAGED', problem: messageOf(error) };
  }
}

function eventTimeOf({ eventTime }: PushedFrame): number | undefined {
  if (eventTime === undefined) return undefined;
  try {
    const eventTimeMs = timeFromProto(eventTime, 'event_time');
    return eventTimeMs >= 0 ? eventTimeMs : undefined;
  } catch {
    return undefined;
  }
}
