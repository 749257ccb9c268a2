import sharp, { type Sharp, type SharpInput, type SharpOptions } from 'sharp';

/** Pixels that a picture may have unless its reader says otherwise: 300 MB as RGB. */
export const DEFAULT_MAX_PIXELS = 100_000_000;

/** A hostile picture may cost this long, no more. */
const TIMEOUT_SECONDS = 30;

// Pictures come from outside: only the four formats that are read, none of the other loaders that libvips brings
// (SVG, PDF, ImageMagick). Nothing is decoded twice, so its cache would only hold memory.
sharp.block({ operation: ['VipsForeignLoad'] });
sharp.unblock({
  operation: ['VipsForeignLoadJpeg', 'VipsForeignLoadPng', 'VipsForeignLoadWebp', 'VipsForeignLoadTiff'],
});
sharp.cache(false);

/** The only way in this project to hand something to sharp. */
export const openPicture = (input: SharpInput, options: SharpOptions = {}): Sharp =>
  sharp(input, { limitInputPixels: DEFAULT_MAX_PIXELS, failOn: 'warning', ...options }).timeout({
    seconds: TIMEOUT_SECONDS,
  });
