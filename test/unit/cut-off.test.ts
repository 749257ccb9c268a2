import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { isCutOff } from '../../src/pixels/cut-off.js';

const picture = () => sharp({ create: { width: 64, height: 48, channels: 3, background: '#336699' } });

describe.each(['jpeg', 'png'] as const)('a %s', (format) => {
  const mediaType = `image/${format}` as const;

  it('is whole with its end, whatever a camera puts behind it', async () => {
    const bytes = await picture()[format]().toBuffer();
    expect(isCutOff(bytes, mediaType)).toBe(false);
    expect(isCutOff(Buffer.concat([bytes, Buffer.alloc(3_000_000)]), mediaType)).toBe(false);
  });

  it('is cut off without it', async () => {
    const bytes = await picture()[format]().toBuffer();
    for (const share of [0.2, 0.5, 0.9]) {
      expect(isCutOff(bytes.subarray(0, bytes.length * share), mediaType)).toBe(true);
    }
    expect(isCutOff(new Uint8Array(0), mediaType)).toBe(true);
  });
});
