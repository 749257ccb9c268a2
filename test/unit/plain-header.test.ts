import fc from 'fast-check';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { plainHeader } from '../../src/pixels/plain-header.js';

const pictures = fc.record({
  width: fc.integer({ min: 1, max: 90 }),
  height: fc.integer({ min: 1, max: 90 }),
  channels: fc.constantFrom<3 | 4>(3, 4),
  format: fc.constantFrom<'jpeg' | 'png'>('jpeg', 'png'),
  progressive: fc.boolean(),
  grey: fc.boolean(),
  orientation: fc.option(fc.integer({ min: 1, max: 8 }), { nil: undefined, freq: 2 }),
});

type Drawn = typeof pictures extends fc.Arbitrary<infer T> ? T : never;

async function draw({ width, height, channels, format, progressive, grey, orientation }: Drawn): Promise<Buffer> {
  const image = sharp({ create: { width, height, channels, background: '#456' } });
  if (grey) image.greyscale();
  if (orientation !== undefined) image.withMetadata({ orientation });
  return format === 'jpeg' ? image.jpeg({ progressive }).toBuffer() : image.png({ progressive }).toBuffer();
}

describe('plainHeader', () => {
  test('says what the library says, or that it does not know', async () => {
    let known = 0;
    await fc.assert(
      fc.asyncProperty(pictures, async (picture) => {
        const bytes = await draw(picture);
        const header = plainHeader(bytes);
        if (picture.orientation === undefined) expect(header).toBeDefined();
        if (header === undefined) return;
        known += 1;
        const { space, autoOrient } = await sharp(bytes).metadata();
        const { width, height } = autoOrient;
        const plain = { mediaType: `image/${picture.format}`, width, height };
        expect(header).toEqual(picture.format === 'jpeg' ? { ...plain, space } : plain);
      }),
      { numRuns: 100 },
    );
    expect(known).toBeGreaterThan(10);
  });

  test('takes any bytes without throwing or claiming an empty size', async () => {
    const png = await sharp({ create: { width: 9, height: 7, channels: 3, background: '#000' } })
      .png()
      .toBuffer();
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 200 }),
        fc.constantFrom([], [0xff, 0xd8], [...png.subarray(0, 8)]),
        (bytes, head) => {
          const header = plainHeader(Uint8Array.from([...head, ...bytes]));
          if (header === undefined) return;
          expect(header.width).toBeGreaterThan(0);
          expect(header.height).toBeGreaterThan(0);
        },
      ),
    );
  });
});
