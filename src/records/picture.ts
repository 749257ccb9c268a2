/** Sample type of a picture: no measure ever rounds `u16` or `f32` to 8 bit. */
export type SampleType = 'u8' | 'u16' | 'f32';

/** Grey, grey + alpha, RGB or RGBA. */
export type Channels = 1 | 2 | 3 | 4;

/**
 * Pixels in memory: `data.length === width * height * channels`, rows top to bottom, channels interleaved.
 * `u8` spans 0–255, `u16` 0–65,535; `f32` is in the unit of its file.
 */
export type Picture = { readonly width: number; readonly height: number; readonly channels: Channels } & (
  | { readonly type: 'u8'; readonly data: Uint8Array }
  | { readonly type: 'u16'; readonly data: Uint16Array }
  | { readonly type: 'f32'; readonly data: Float32Array }
);

/** An 8-bit picture. */
export type PictureU8 = Extract<Picture, { type: 'u8' }>;

/**
 * A video frame as its codec holds it: 8-bit planes in one array, `y` (`width * height`), then `u`, then `v` (each
 * `ceil(width / 2) * ceil(height / 2)`: one sample for 2×2 pixels), rows top to bottom, no padding.
 */
export interface Yuv420Picture extends YuvColour {
  readonly type: 'yuv420';
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

/** What the samples of planes mean. */
export interface YuvColour {
  /** ITU-R recommendation that says how RGB becomes luma and chroma. */
  readonly matrix: 'bt601' | 'bt709';
  /** `limited`: luma 16–235, chroma 16–240; `full`: 0–255. */
  readonly range: 'limited' | 'full';
}

/** An undecoded original, as it was found in its file or message. */
export interface EncodedPicture {
  readonly mediaType: 'image/jpeg' | 'image/png' | 'image/webp' | 'image/tiff';
  readonly bytes: Uint8Array;
}

/** What a frame holds: pixels, or what becomes pixels where it is looked at. */
export type FrameContent =
  | { readonly form: 'pixels'; readonly picture: Picture }
  | { readonly form: 'yuv420'; readonly picture: Yuv420Picture }
  | { readonly form: 'encoded'; readonly encoded: EncodedPicture };

/** Bytes per sample of a type. */
export const bytesPerSample: Readonly<Record<SampleType, number>> = { u8: 1, u16: 2, f32: 4 };

/** Bytes of the planes of a `Yuv420Picture`. */
export const yuv420Bytes = (width: number, height: number): number =>
  width * height + 2 * Math.ceil(width / 2) * Math.ceil(height / 2);
