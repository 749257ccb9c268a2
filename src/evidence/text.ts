import { crop, wholePixels } from '../pixels/crop.js';
import { resize } from '../pixels/resize.js';
import { toRgb8 } from '../pixels/rgb8.js';
import type { Picture, PictureU8, Region, TextLine } from '../records/index.js';
import type { Models } from './models.js';
import { bgrPlanes, type Normalisation } from './tensor.js';
import { decodeCtc, type DecodedText } from './text-decoding.js';
import { inkOf } from './text-ink.js';
import { findLines } from './text-lines.js';

/** In the order blue, green, red. */
const normalisation: Normalisation = { mean: [127.5, 127.5, 127.5], std: [127.5, 127.5, 127.5] };
/** Height of the recogniser's input, px. */
const lineHeightPx = 48;
/**
 * How a line is shown to the recogniser: paper around the ink as a share of the ink's height, and width drawn by a
 * factor. Text is then 27 and 24 px high. The surer of the two readings counts: they err on different letters
 * (measured over pixel and outline fonts).
 */
const views = [
  { marginShare: 0.4, stretch: 0.8 },
  { marginShare: 0.5, stretch: 1 },
] as const;
/** Readings that are less sure are texture. */
const minConfidence = 0.5;

/**
 * Lines of text in a picture, top to bottom, or those that touch `region` (px), each read whole even where it goes
 * beyond the region; boxes in px of the picture, tight around the ink.
 *
 * Method: PP-OCRv4 (PaddleOCR, Apache-2.0). Upright text with a tilt of a few degrees at most. Blanks inside a line as
 * the recogniser gives them. `u16` and `f32` pictures as `toRgb8` shows them.
 *
 * @throws BlinkstreamError as `Models.run`; `REGION_OUTSIDE`
 */
export async function readText(
  models: Models,
  picture: Picture,
  { region }: { readonly region?: Region } = {},
): Promise<TextLine[]> {
  const rgb = toRgb8(picture);
  const read: TextLine[] = [];
  for (const box of await findLines(models, rgb, region)) {
    const { text, confidence } = await recognise(models, rgb, box);
    if (text !== '' && confidence >= minConfidence) read.push({ text, confidence, region: box });
  }
  return read;
}

/**
 * Reads `region` (px) as one line without looking for text: for a place where a line is known to be. Paper around the
 * ink is allowed. Undefined where nothing is read.
 *
 * @throws BlinkstreamError as `Models.run`; `REGION_OUTSIDE`
 */
export async function readLine(models: Models, picture: Picture, region: Region): Promise<TextLine | undefined> {
  const rgb = toRgb8(picture);
  const place = wholePixels(region, rgb);
  const box = inkOf(rgb, place)?.box ?? place;
  const { text, confidence } = await recognise(models, rgb, box);
  return text === '' ? undefined : { text, confidence, region: box };
}

async function recognise(models: Models, picture: PictureU8, box: Region): Promise<DecodedText> {
  const keys = await models.textKeys();
  let surest: DecodedText = { text: '', confidence: 0 };
  for (const { marginShare, stretch } of views) {
    const line = crop(picture, wholePixels(box, picture, marginShare * box.height));
    const width = Math.max(8, Math.round((line.width / line.height) * lineHeightPx * stretch));
    const [probabilities] = await models.run(
      'textRecognition',
      bgrPlanes(resize(line, width, lineHeightPx), normalisation),
    );
    const { text, confidence } = decodeCtc(probabilities, keys);
    if (confidence > surest.confidence) surest = { text: text.trim(), confidence };
  }
  return surest;
}
