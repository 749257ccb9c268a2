import { BlinkstreamError, type PictureU8, type Region } from '../records/index.js';

/** Size of what a region lies in, px. */
interface Bounds {
  readonly width: number;
  readonly height: number;
}

/**
 * The smallest region of whole pixels inside `bounds` that covers what of `region`, widened by `marginPx` on every
 * side, lies inside.
 *
 * @throws BlinkstreamError `REGION_OUTSIDE` where nothing of it does.
 */
export function wholePixels(region: Region, bounds: Bounds, marginPx = 0): Region {
  const x = Math.max(0, Math.floor(region.x - marginPx));
  const y = Math.max(0, Math.floor(region.y - marginPx));
  const width = Math.min(bounds.width, Math.ceil(region.x + region.width + marginPx)) - x;
  const height = Math.min(bounds.height, Math.ceil(region.y + region.height + marginPx)) - y;
  if (!(width > 0 && height > 0)) {
    const { x, y, width, height } = region;
    throw new BlinkstreamError(
      `region ${width}×${height} at (${x}, ${y}) lies outside a picture of ${bounds.width}×${bounds.height} px`,
      {
        code: 'REGION_OUTSIDE',
        class: 'internal',
        stage: 'evidence',
        hint: 'Give regions in pixels of the picture they are cut from.',
      },
    );
  }
  return { x, y, width, height };
}

/** A copy of the part of `picture` under `region`, which is first made whole pixels (see `wholePixels`). */
export function crop(picture: PictureU8, region: Region): PictureU8 {
  const { x, y, width, height } = wholePixels(region, picture);
  const { channels } = picture;
  const rowBytes = width * channels;
  const data = new Uint8Array(rowBytes * height);
  for (let row = 0; row < height; row++) {
    const from = ((y + row) * picture.width + x) * channels;
    data.set(picture.data.subarray(from, from + rowBytes), row * rowBytes);
  }
  return { type: 'u8', width, height, channels, data };
}
