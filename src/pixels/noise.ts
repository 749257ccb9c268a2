import type { MeasuredPicture } from './cells.js';
import { scalesOf } from './yuv420.js';

/**
 * Standard deviation of the noise of one pixel in grey levels: Immerkær's Laplacian difference mask, its median instead
 * of its mean so that texture does not count as noise. On the green channel of RGB; on luma, which is mostly green,
 * where there is a plane of it.
 * Source: J. Immerkær, "Fast Noise Variance Estimation", CVIU 64(2), 1996.
 */
export function noiseSigma(picture: MeasuredPicture): number {
  if (picture.type === 'yuv420') return scalesOf(picture).luma * channelNoise(picture, 1, 0);
  return channelNoise(picture, picture.channels, picture.channels >= 3 ? 1 : 0);
}

/** `channel` of interleaved samples, `channels` a pixel. */
function channelNoise(
  { data, width, height }: Pick<MeasuredPicture, 'data' | 'width' | 'height'>,
  channels: number,
  channel: number,
): number {
  if (width < 3 || height < 3) return 0;
  const stride = width * channels;
  const histogram = new Uint32Array(2048);
  const rowStep = Math.max(1, Math.floor(height / 24));
  const columnStep = Math.max(1, Math.floor(width / 320));
  // The mask is a second difference across of second differences down, which neighbours share.
  const bend = (i: number) => data[i - stride] - 2 * data[i] + data[i + stride];
  let samples = 0;
  for (let y = 1; y < height - 1; y += rowStep) {
    let i = y * stride + channel;
    let left = bend(i);
    let here = bend((i += channels));
    for (let x = 1, counted = 1; x < width - 1; x++) {
      const right = bend((i += channels));
      if (x === counted) {
        const value = Math.abs(left - 2 * here + right);
        histogram[value < 2048 ? value : 2047]++;
        samples++;
        counted += columnStep;
      }
      left = here;
      here = right;
    }
  }
  let below = 0;
  let median = 0;
  while (median < 2047 && (below += histogram[median]) * 2 < samples) median++;
  // Linear inside the bin, so that 8-bit pictures give a continuous figure.
  const inside = histogram[median] === 0 ? 0 : (samples / 2 - (below - histogram[median])) / histogram[median];
  return Math.max(0, median - 0.5 + inside) / (0.6745 * 6);
}
