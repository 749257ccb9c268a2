import type { Models } from '../../evidence/models.js';
import { readLineCarefully } from '../../evidence/text.js';
import { blockOf, isLevel, isOfOneLine, joined, type Block } from '../../evidence/interface/lines.js';
import type { Layout } from '../../evidence/interface/elements.js';
import type { Raster } from '../../evidence/interface/raster.js';
import type { PictureU8, Region } from '../../records/index.js';

/** Readings that are less sure are of icons. */
const minConfidence = 0.7;
/** Beside words, signs and single letters are more likely what they seem. */
const minConfidenceBeside = 0.4;
/** An icon has so few pieces of ink, and is so much higher than half of the letters beside it. */
const iconMarks = 4;
const iconShare = 1.15;
/** Paper around a line, as a share of its height. */
const marginShare = 0.6;

/** The words of a block, its lines from top to bottom; undefined where it shows none: an icon, a border. */
export type ReadBlock = (block: Block) => Promise<string | undefined>;

export function readerOf(models: Models, { raster }: Layout): ReadBlock {
  const known = new Map<string, Promise<Reading | undefined>>();
  const readOne = async (line: Block): Promise<Reading | undefined> => {
    const picture = inkAlone(line, raster);
    const all = { x: 0, y: 0, width: picture.width, height: picture.height };
    const read = await readLineCarefully(models, picture, all, canBe(line));
    // The recogniser has no character for three dots that it keeps to.
    return read && { text: read.text.replace(/\s*\.{2,}$/, '…'), confidence: read.confidence };
  };
  return async (block) => {
    const words: string[] = [];
    for (const row of rowsOf(block)) {
      const readings: Reading[] = [];
      for (const line of withoutIcon(row)) {
        const { x, y, width, height } = line.region;
        const name = [x, y, width, height].join(' ');
        const reading = known.get(name) ?? readOne(line);
        known.set(name, reading);
        const read = await reading;
        if (read) readings.push(read);
      }
      // A plus after a key is read as such because there are words before it; alone, or before words, it would be an icon.
      const first = readings.findIndex(isWords);
      const isRead = (one: Reading, i: number): boolean =>
        isWords(one) || (first >= 0 && i > first && one.confidence >= minConfidenceBeside);
      words.push(...readings.filter(isRead).map(({ text }) => text));
    }
    return words.length === 0 ? undefined : words.join(' ');
  };
}

/** The icon before the words of an item is taller than their letters; read as one it would be a letter before them. */
function withoutIcon([first, ...others]: readonly Block[]): readonly Block[] {
  if (others.length === 0) return [first];
  const marks = others[0].elements.flatMap((element) => element.marks);
  const heights = marks.map(({ region }) => region.height).sort((a, b) => a - b);
  const isIcon =
    first.elements.flatMap((element) => element.marks).length <= iconMarks &&
    marks.length > iconMarks &&
    first.region.height > iconShare * heights[heights.length >> 1];
  return isIcon ? others : [first, ...others];
}

interface Reading {
  readonly text: string;
  readonly confidence: number;
}

const isWords = ({ text, confidence }: Reading): boolean => confidence >= minConfidence && /[\p{L}\p{N}]/u.test(text);

/** Pieces of lines as they are read: top to bottom, those of one height from left to right. */
function rowsOf({ elements }: Block): Block[][] {
  const runs = elements.filter(({ form }) => form === 'run');
  const pieces = joined(runs, isOfOneLine).map(blockOf);
  const rows = joined(pieces, (a, b) => isLevel(a.region, b.region));
  return rows.sort(([a], [b]) => a.region.y - b.region.y).map((row) => row.sort((a, b) => a.region.x - b.region.x));
}

/** The ink of a line on its paper, and nothing of the lines above and below or of borders. */
function inkAlone({ elements, region }: Block, { width: pitch, colours }: Raster): PictureU8 {
  const margin = Math.ceil(marginShare * region.height);
  const [width, height] = [region.width + 2 * margin, region.height + 2 * margin];
  const data = new Uint8Array(width * height * 3);
  const put = (at: number, colour: number): void => {
    data[3 * at] = colour >> 16;
    data[3 * at + 1] = (colour >> 8) & 255;
    data[3 * at + 2] = colour & 255;
  };
  for (let at = 0; at < width * height; at++) put(at, elements[0].paper);
  for (const { pixels } of elements.flatMap(({ marks }) => marks)) {
    for (const pixel of pixels) {
      const x = pixel % pitch;
      put(((pixel - x) / pitch - region.y + margin) * width + x - region.x + margin, colours[pixel]);
    }
  }
  return { type: 'u8', channels: 3, width, height, data };
}

/** Gaps between letters are narrower than the first share of the line's height, blanks wider than the second. */
const letterGapShare = 0.22;
const blankShare = 0.33;

/** What the pixels say of the words: each letter has a piece of ink of its own, or shares one; blanks are wide gaps. */
function canBe({ elements, region: { height } }: Block): (text: string) => boolean {
  const regions = elements.flatMap(({ marks }) => marks).map(({ region }) => region);
  const leastLetters = regions.filter((one) => one.height > height / 2).length;
  const gaps = gapsOf(regions);
  const blanks = gaps.filter((gap) => gap >= blankShare * height).length;
  const isClear = gaps.every((gap) => gap <= letterGapShare * height || gap >= blankShare * height);
  return (text) => {
    const words = text.split(/\s+/);
    return words.join('').length >= leastLetters && (!isClear || words.length === blanks + 1);
  };
}

/** Columns without ink between pieces of it, px. */
function gapsOf(regions: readonly Region[]): number[] {
  const gaps: number[] = [];
  let end = -Infinity;
  for (const { x, width } of [...regions].sort((a, b) => a.x - b.x)) {
    if (x > end && end > -Infinity) gaps.push(x - end);
    end = Math.max(end, x + width);
  }
  return gaps;
}
