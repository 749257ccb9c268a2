import { iou, unionOf } from '../../pixels/geometry.js';
import type { Region } from '../../records/index.js';
import type { Element } from './elements.js';
import { contrastOf } from './raster.js';

/** Elements that belong together, with the box around them. */
export interface Block {
  readonly elements: readonly Element[];
  readonly region: Region;
}

/** Parts that stand where others stood. */
export interface Pair {
  readonly before: Block;
  readonly after: Block;
}

export const blockOf = (elements: readonly Element[]): Block => ({
  elements,
  region: unionOf(elements.map(({ region }) => region)),
});

/** Words of a line stand no farther apart, as a share of its height: the blank of a fixed-width font. */
const lineGapShare = 0.95;
/** Lines of one paragraph stand no farther apart, as a share of the height of their ink. */
const leadingShare = 0.6;
/** Colours of one text differ by no more, levels. */
const sameColourLevels = 24;

/** Joins what `joins` says of pairs, transitively. */
export function joined<T>(items: readonly T[], joins: (a: T, b: T) => boolean): T[][] {
  const groups: T[][] = [];
  for (const item of items) {
    const home = groups.filter((group) => group.some((one) => joins(one, item)));
    for (const group of home) groups.splice(groups.indexOf(group), 1);
    groups.push([...home.flat(), item]);
  }
  return groups;
}

/** Whether two runs are of one line of text: in one colour upon one surface, a blank apart. */
export function isOfOneLine(a: Element, b: Element): boolean {
  if (a.form !== 'run' || b.form !== 'run' || !areAlike(a, b)) return false;
  const higher = Math.max(a.region.height, b.region.height);
  return isLevel(a.region, b.region) && gapBetween(a.region, b.region, 'x') <= lineGapShare * higher;
}

/** Whether two lines are of one paragraph: one under the other, close, and flush with each other or about one centre. */
export function isOfOneParagraph(a: Block, b: Block): boolean {
  if (a.elements[0].form !== 'run' || b.elements[0].form !== 'run' || !areAlike(a.elements[0], b.elements[0]))
    return false;
  const gap = gapBetween(a.region, b.region, 'y');
  const [low, high] = [Math.min(a.region.height, b.region.height), Math.max(a.region.height, b.region.height)];
  const isFlush = Math.abs(a.region.x - b.region.x) <= 2;
  const isCentred = Math.abs(a.region.x + a.region.width / 2 - b.region.x - b.region.width / 2) <= 2;
  return gap >= 0 && gap <= leadingShare * high && high <= 1.8 * low && (isFlush || isCentred);
}

const areAlike = (a: Element, b: Element): boolean =>
  a.panel === b.panel && contrastOf(a.colour, b.colour) <= sameColourLevels;

/** Whether two boxes are at one height: half of the lower one and more. */
export function isLevel(a: Region, b: Region): boolean {
  const level = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
  return level >= 0.5 * Math.min(a.height, b.height);
}

/** What is between two boxes along an axis, px; 0 and less where they overlap. */
export function gapBetween(a: Region, b: Region, axis: 'x' | 'y'): number {
  const size = axis === 'x' ? 'width' : 'height';
  return Math.max(a[axis], b[axis]) - Math.min(a[axis] + a[size], b[axis] + b[size]);
}

/** How much two lines are in one place, 0–1: 0 where neither their ends nor their middles agree. */
export function placeAgreement(a: Region, b: Region): number {
  if (!isLevel(a, b)) return 0;
  const flush = Math.min(
    Math.abs(a.x - b.x),
    Math.abs(a.x + a.width - b.x - b.width),
    Math.abs(a.x + a.width / 2 - b.x - b.width / 2),
  );
  const overlap = iou(a, b);
  const touches = gapBetween(a, b, 'x') < 0;
  if (!touches || (flush > 3 && overlap < 0.3)) return 0;
  return Math.max(overlap, 0.01) + (flush <= 3 ? 0.3 : 0);
}
