import type { FrameContent, FrameRef, FrameSequence, SequenceFrame, Lease } from '../../../src/records/index.js';
import { leaseOf } from '../../../src/sources/budget.js';

/** A frame under a lease, which holds the picture alone. */
export function frameOf(index: number, content?: FrameContent): SequenceFrame<Lease> {
  const ref: FrameRef = {
    source: 'yard',
    index,
    eventTimeMs: index * 40,
    elapsedMs: index * 40,
    position: { index, offset: String(index) },
    width: 8,
    height: 4,
  };
  return content === undefined ? { ref } : { ref, role: 'during', lease: leaseOf(content, 1, () => undefined) };
}

/** A grey picture, every sample made of `seed` and its place. */
export const pictureOf = (width: number, height: number, seed = 0, channels: 1 | 3 = 1): FrameContent => ({
  form: 'pixels',
  picture: {
    type: 'u8',
    width,
    height,
    channels,
    data: Uint8Array.from({ length: width * height * channels }, (_, i) => (i * 31 + seed * 7 + (i >> 8)) & 255),
  },
});

/** Sequence number `ordinal` of its source: three frames, the first and the last with a picture. */
export const sequenceOf = (ordinal: number, contents: readonly FrameContent[] = [pictureOf(8, 4, ordinal)]) => {
  const at = (frame: number) => ({ frame, timeMs: frame * 40, elapsedMs: frame * 40 });
  const sequence: FrameSequence = {
    source: 'yard',
    ordinal,
    trigger: 'activity',
    first: at(ordinal * 10),
    last: at(ordinal * 10 + contents.length),
    frames: [
      ...contents.map((content, i) => frameOf(ordinal * 10 + i, content)),
      frameOf(ordinal * 10 + contents.length),
    ],
    baseline: frameOf(0, pictureOf(8, 4, 99)),
    settled: [],
    thinnedFrames: 0,
    checkpoint: { states: {}, positions: {} },
  };
  return sequence;
};
