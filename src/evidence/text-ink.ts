import { unionOf } from '../pixels/geometry.js';
import type { PictureU8, Region } from '../records/index.js';

/** Less contrast between ink and paper, in levels, is not told apart from noise. */
const minContrast = 24;
/** A gap wider than this share of the line's height ends the line: one blank of a fixed-width font is about 1.2. */
const maxGapShare = 1.3;
/** Paper must show this far above and below a character, as a share of the line's height. */
const clearanceShare = 0.15;
/** A row or column of a box that is full of ink is a rule or a frame, not letters. */
const ruleShare = 0.9;

/** The ink of one line of text. */
export interface InkLine {
  /** Whole pixels, tight around the ink. */
  readonly box: Region;
  /** Whether a pixel of the picture differs from the line's paper as much as its ink does. */
  readonly isInk: (x: number, y: number) => boolean;
}

/**
 * The ink of the line of text in `box`; undefined where ink and paper do not differ clearly.
 *
 * Paper is the median colour along the rim of the box, ink what differs from it by more than half as much as the most
 * different tenth of the box.
 *
 * @param picture RGB
 * @param box whole pixels inside the picture, with a rim of paper around the text
 */
export function inkOf(picture: PictureU8, box: Region): InkLine | undefined {
  const isInk = inkTest(picture, box);
  if (!isInk) return undefined;
  const right = box.x + box.width;
  const boxBottom = box.y + box.height;
  const inkInRow = (y: number): number => share(box.x, right, (x) => isInk(x, y));
  const rows = span(box.y, boxBottom, (y) => isLetters(inkInRow(y)));
  if (!rows) return undefined;
  const [top, bottom] = rows;
  // The stroke of an N fills its column of the line, but not that of the box, as the side of a frame does.
  const isFrame = (x: number): boolean => !isLetters(share(box.y, boxBottom, (y) => isInk(x, y)));
  const columns = span(box.x, right, (x) => share(top, bottom, (y) => isInk(x, y)) > 0 && !isFrame(x));
  if (!columns) return undefined;
  const [left, end] = columns;
  return { box: { x: left, y: top, width: end - left, height: bottom - top }, isInk };
}

/**
 * Words that stand in one line, joined: level with each other and no more than a blank apart. The order is by first
 * word, top to bottom, then left to right.
 */
export function joinWords(words: readonly InkLine[]): InkLine[] {
  const lines: InkLine[] = [];
  for (const word of [...words].sort((a, b) => a.box.x - b.box.x)) {
    const at = lines.findIndex((line) => inOneLine(line.box, word.box));
    if (at < 0) lines.push(word);
    else lines[at] = { ...lines[at], box: unionOf([lines[at].box, word.box]) };
  }
  return lines.sort((a, b) => a.box.y - b.box.y || a.box.x - b.box.x);
}

function inOneLine(left: Region, right: Region): boolean {
  const lower = Math.min(left.height, right.height);
  const higher = Math.max(left.height, right.height);
  const level = Math.min(left.y + left.height, right.y + right.height) - Math.max(left.y, right.y);
  const gap = right.x - (left.x + left.width);
  // A lone mark or half a letter may be low: "-", or what the detector saw of a last digit.
  const alike = higher < 2 * lower || Math.min(left.width, right.width) <= higher;
  return level > 0.6 * lower && alike && gap <= maxGapShare * higher;
}

/**
 * The line's box drawn out sideways to characters that stand alone beside it: detectors of text miss the last digit of
 * "PLATFORM 4". It ends where there has been paper for more than a blank, where something other than paper stands
 * above or below the line (the frame or the end of a sign), and at the `others`.
 */
export function drawOut({ box, isInk }: InkLine, bounds: PictureU8, others: readonly InkLine[]): Region {
  const { y: top, height } = box;
  const clearance = Math.max(2, Math.round(clearanceShare * height));
  const above = Math.max(0, top - clearance);
  const below = Math.min(bounds.height - 1, top + height - 1 + clearance);
  const reach = Math.round(maxGapShare * height);
  const level = others.map((other) => other.box).filter((o) => o.y < top + height && o.y + o.height > top);
  const isTaken = (x: number): boolean => level.some((other) => x >= other.x && x < other.x + other.width);
  const outwards = (from: number, step: 1 | -1): number => {
    let last = from;
    for (let x = from + step; x >= 0 && x < bounds.width && Math.abs(x - last) <= reach; x += step) {
      if (isTaken(x) || isInk(x, above) || isInk(x, below)) break;
      if (share(top, top + height, (y) => isInk(x, y)) > 0) last = x;
    }
    return last;
  };
  const left = outwards(box.x, -1);
  return { x: left, y: top, width: outwards(box.x + box.width - 1, 1) + 1 - left, height };
}

const isLetters = (inkShare: number): boolean => inkShare > 0 && inkShare < ruleShare;

/** First position that passes and the one after the last. */
function span(from: number, to: number, passes: (at: number) => boolean): [first: number, end: number] | undefined {
  let first = from;
  while (first < to && !passes(first)) first++;
  let end = to;
  while (end > first && !passes(end - 1)) end--;
  return end > first ? [first, end] : undefined;
}

function share(from: number, to: number, test: (at: number) => boolean): number {
  let count = 0;
  for (let at = from; at < to; at++) if (test(at)) count++;
  return count / (to - from);
}

function inkTest({ data, width }: PictureU8, box: Region): InkLine['isInk'] | undefined {
  const right = box.x + box.width - 1;
  const bottom = box.y + box.height - 1;
  const rim: number[] = [];
  for (let x = box.x; x <= right; x++) rim.push((box.y * width + x) * 3, (bottom * width + x) * 3);
  for (let y = box.y; y <= bottom; y++) rim.push((y * width + box.x) * 3, (y * width + right) * 3);
  const paper = [0, 1, 2].map((c) => rim.map((i) => data[i + c]).sort((a, b) => a - b)[rim.length >> 1]);
  const contrastAt = (x: number, y: number): number => {
    const i = (y * width + x) * 3;
    return Math.max(Math.abs(data[i] - paper[0]), Math.abs(data[i + 1] - paper[1]), Math.abs(data[i + 2] - paper[2]));
  };
  const counts = new Uint32Array(256);
  for (let y = box.y; y <= bottom; y++) for (let x = box.x; x <= right; x++) counts[contrastAt(x, y)]++;
  let contrast = 255;
  for (let above = counts[255]; above * 10 < box.width * box.height; above += counts[contrast]) contrast--;
  return contrast < minContrast ? undefined : (x, y) => contrastAt(x, y) > contrast / 2;
}
