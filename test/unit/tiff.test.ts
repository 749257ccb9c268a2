import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodePicture } from '../../src/pixels/decode.js';
import { encodeTiff } from '../../src/pixels/tiff.js';
import type { Channels, Picture } from '../../src/records/index.js';

const side = fc.integer({ min: 1, max: 9 });
const shape = fc.record({ width: side, height: side, channels: fc.constantFrom<Channels>(1, 2, 3, 4) });
const pictures: fc.Arbitrary<Picture> = shape.chain((size) => {
  const length = size.width * size.height * size.channels;
  const samples = { minLength: length, maxLength: length };
  return fc.oneof(
    fc.uint8Array(samples).map((data): Picture => ({ ...size, type: 'u8', data })),
    fc.uint16Array(samples).map((data): Picture => ({ ...size, type: 'u16', data })),
    // Infinite, not a number and minus zero too.
    fc.float32Array(samples).map((data): Picture => ({ ...size, type: 'f32', data })),
  );
});

describe('encodeTiff', () => {
  it('writes what is decoded into the very same samples', async () => {
    await fc.assert(
      fc.asyncProperty(pictures, async (picture) => {
        const bytes = encodeTiff(picture);
        expect(await decodePicture({ mediaType: 'image/tiff', bytes })).toEqual(picture);
      }),
      { numRuns: 200 },
    );
  });
});
