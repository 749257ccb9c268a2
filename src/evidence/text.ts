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
interface View {
  readonly marginShare: number;
  readonly stretch: number;
}

/**
 * How a line is shown to the recogniser: paper around the ink as a share of the ink's height, and width drawn by a
 * factor. Text is then 27 and 24 px high. The surer of the two readings counts: they err on different letters
 * (measured over pixel and outline fonts).
 */
const views: readonly View[] = [
  { marginShare: 0.4, stretch: 0.8 },
  { marginShare: 0.5, stretch: 1 },
];
/** For a careful reading also nearer, farther and wider. */
const moreViews: readonly View[] = [
  { marginShare: 0.25, stretch: 1 },
  { marginShare: 0.3, stretch: 1.25 },
  { marginShare: 0.4, stretch: 1 },
];
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
  const { rgb, box } = inkIn(picture, region);
  return lineOf(await recognise(models, rgb, box), box);
}

/**
 * As `readLine`, in more views: what most of them read counts, of the readings that can be right where there are any.
 *
 * @param isPossible whether a reading agrees with what is known of the line otherwise
 */
export async function readLineCarefully(
  models: Models,
  picture: Picture,
  region: Region,
  isPossible: (text: string) => boolean,
): Promise<TextLine | undefined> {
  const { rgb, box } = inkIn(picture, region);
  const readings = await readingsOf(models, rgb, box, [...views, ...moreViews]);
  const possible = readings.filter(({ text }) => isPossible(text));
  const votes = new Map<string, DecodedText & { sum: number }>();
  for (const { text, confidence } of possible.length > 0 ? possible : readings) {
    const vote = votes.get(text);
    votes.set(text, {
      text,
      confidence: Math.max(confidence, vote?.confidence ?? 0),
      sum: confidence + (vote?.sum ?? 0),
    });
  }
  return lineOf(
    [...votes.values()].reduce((a, b) => (b.sum > a.sum ? b : a)),
    box,
  );
}

function inkIn(picture: Picture, region: Region): { rgb: PictureU8; box: Region } {
  const rgb = toRgb8(picture);
  const place = wholePixels(region, rgb);
  return { rgb, box: inkOf(rgb, place)?.box ?? place };
}

const lineOf = ({ text, confidence }: DecodedText, region: Region): TextLine | undefined =>
  text === '' ? undefined : { text, confidence, region };

async function recognise(models: Models, picture: PictureU8, box: Region): Promise<DecodedText> {
  const readings = await readingsOf(models, picture, box, views);
  return readings.reduce((a, b) => (b.confidence > a.confidence ? b : a));
}

async function readingsOf(
  models: Models,
  picture: PictureU8,
  box: Region,
  wanted: readonly View[],
): Promise<DecodedText[]> {
  const keys = await models.textKeys();
  const readings: DecodedText[] = [];
  for (const { marginShare, stretch } of wanted) {
    const line = crop(picture, wholePixels(box, picture, marginShare * box.height));
    const width = Math.max(8, Math.round((line.width / line.height) * lineHeightPx * stretch));
    const [probabilities] = await models.run(
      'textRecognition',
      bgrPlanes(resize(line, width, lineHeightPx), normalisation),
    );
    const { text, confidence } = decodeCtc(probabilities, keys);
    readings.push({ text: text.trim(), confidence });
  }
  return readings;
}
