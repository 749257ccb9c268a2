import { describe, expect, it } from 'vitest';
import { observedTracks } from '../../src/evidence/observed-tracks.js';
import { unionOf } from '../../src/pixels/geometry.js';
import { pointOf, type FrameSequence, type Lease, type Region, type SequenceFrame } from '../../src/records/index.js';
import { evidenceOf } from '../support/evidence.js';
import { refOf } from '../../fixtures/stage.js';

/** A sequence in which one thing has these boxes, frame by frame. */
function sequenceOf(boxes: readonly Region[]): FrameSequence {
  const born = pointOf(refOf(0));
  const frames = boxes.map((region, i): SequenceFrame<Lease> => {
    const track = { id: 1, region, born, origin: boxes[0], sweep: unionOf(boxes.slice(0, i + 1)) };
    return { ref: refOf(i), evidence: { ...evidenceOf('a', i), tracks: [track] } };
  });
  return {
    source: 'yard',
    ordinal: 1,
    trigger: 'activity',
    first: born,
    last: pointOf(refOf(boxes.length - 1)),
    frames,
    settled: [],
    thinnedFrames: 0,
  };
}

const wide: Region = { x: 40, y: 40, width: 56, height: 24 };

describe('how far a thing has got', () => {
  it('is nowhere where it only shrinks inside of the box it was first seen in, as digits that turn do', () => {
    const [track] = observedTracks(sequenceOf([wide, wide, { x: 80, y: 40, width: 16, height: 24 }]));
    expect(track.travel).toBe(0);
  });

  it('counts from where it leaves that box', () => {
    const [track] = observedTracks(sequenceOf([wide, { ...wide, x: 60 }, { ...wide, x: 96 }]));
    expect(track.travel).toBeCloseTo(56 / Math.sqrt(56 * 24));
  });
});
