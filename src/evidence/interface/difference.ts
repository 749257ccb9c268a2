import { sharedArea } from '../../pixels/geometry.js';
import type { Picture, Region } from '../../records/index.js';
import { layoutOf, type Element, type Layout } from './elements.js';
import { blockOf, isOfOneLine, joined, placeAgreement, type Block, type Pair } from './lines.js';
import { isText, match, neighboursOf, type Match } from './matching.js';
import { consolidated } from './consolidation.js';
import { recolouredLines } from './recolouring.js';
import { contrastOf, rasterOf } from './raster.js';

/** Parts that have moved by the same way. */
export interface Shift {
  readonly dx: number;
  readonly dy: number;
  readonly matches: readonly Match[];
}

/** What differs between two screenshots, before anyone says what it means. */
export interface InterfaceDifference {
  readonly before: Layout;
  readonly after: Layout;
  /** All that both show, moved or not. */
  readonly matches: readonly Match[];
  readonly shifts: readonly Shift[];
  /** Where only the drawing of edges differs. */
  readonly redrawn: readonly Match[];
  readonly pairs: readonly Pair[];
  readonly gone: readonly Block[];
  readonly come: readonly Block[];
}

/** A place on a fraction of a pixel is rounded one way or the other as the page is drawn. */
const roundingPx = 1;
/** Colours that differ by no more are one colour: the rounding of another encoder. */
const sameColourLevels = 2;

export function interfaceDifference(beforePicture: Picture, afterPicture: Picture): InterfaceDifference {
  const before = layoutOf(rasterOf(beforePicture));
  const after = layoutOf(rasterOf(afterPicture));
  const { matches, before: onlyBefore, after: onlyAfter } = match(before, after);
  const isStill = ({ dx, dy }: Match): boolean => Math.max(Math.abs(dx), Math.abs(dy)) <= roundingPx;
  const moved = matches.filter((one) => !isStill(one));
  const [old, young] = [linesOf(onlyBefore, before), linesOf(onlyAfter, after)];
  const recoloured = recolouredLines([before, old], [after, young], matches);
  const isTold = new Set(recoloured.flatMap((pair) => [...pair.before.elements, ...pair.after.elements]));
  const isLeft = ({ elements }: Block): boolean => !elements.some((element) => isTold.has(element));
  const { pairs, gone, come } = pairUp(old.filter(isLeft), young.filter(isLeft), (region) => waysOf(region, matches));
  const inLines = consolidated({ pairs, gone, come, moved });
  return {
    ...{ before, after, matches, ...inLines.parts },
    pairs: [...inLines.parts.pairs, ...recoloured],
    shifts: shiftsOf(inLines.moved),
    redrawn: matches.filter((one) => (one.isRedrawn || one.dx !== 0 || one.dy !== 0) && isStill(one)),
  };
}

/** What is left of one picture as lines: a line of which a word differs differs as a whole. */
function linesOf(elements: readonly Element[], { elements: all }: Layout): Block[] {
  const runs = elements.filter(({ form }) => form === 'run');
  const others = elements.filter(({ form }) => form !== 'run').map((element) => blockOf([element]));
  return [...joined(runs, isOfOneLine).map((line) => blockOf(wholeLine(line, all))), ...others];
}

function wholeLine(line: readonly Element[], all: readonly Element[]): Element[] {
  const whole = new Set(line);
  for (let isGrowing = true; isGrowing;) {
    isGrowing = false;
    for (const element of all) {
      if (whole.has(element) || ![...whole].some((one) => isOfOneLine(one, element))) continue;
      whole.add(element);
      isGrowing = true;
    }
  }
  return [...whole].sort((a, b) => a.region.x - b.region.x);
}

function pairUp(
  before: readonly Block[],
  after: readonly Block[],
  wayOf: (region: Region) => readonly { dx: number; dy: number }[],
): { pairs: Pair[]; gone: Block[]; come: Block[] } {
  const candidates: { pair: Pair; agreement: number }[] = [];
  for (const one of before) {
    const ways = wayOf(one.region);
    for (const other of after) {
      if (one.elements[0].form !== other.elements[0].form) continue;
      const agreement = Math.max(
        ...ways.map(({ dx, dy }) => {
          const moved = { ...one.region, x: one.region.x + dx, y: one.region.y + dy };
          return one.elements[0].form === 'run'
            ? placeAgreement(moved, other.region)
            : sidesAgreeing(moved, other.region);
        }),
      );
      if (agreement > 0) candidates.push({ pair: { before: one, after: other }, agreement });
    }
  }
  candidates.sort((a, b) => b.agreement - a.agreement);
  const taken = new Set<Block>();
  const pairs: Pair[] = [];
  for (const { pair } of candidates) {
    if (taken.has(pair.before) || taken.has(pair.after)) continue;
    taken.add(pair.before).add(pair.after);
    pairs.push(pair);
  }
  return {
    pairs,
    gone: before.filter((block) => !taken.has(block)),
    come: after.filter((block) => !taken.has(block)),
  };
}

/** Of two surfaces or borders: the share of four sides that lie where they lay; 0 below half. */
function sidesAgreeing(a: Region, b: Region): number {
  const sides = [a.x - b.x, a.y - b.y, a.x + a.width - b.x - b.width, a.y + a.height - b.y - b.height];
  const same = sides.filter((apart) => Math.abs(apart) <= 1).length;
  return same < 2 || sharedArea(a, b) === 0 ? 0 : same / 4;
}

/** How what lies nearest has moved, and that it has not. Icons look alike: what they say of others is not heard. */
const waysOf = (region: Region, matches: readonly Match[]): { dx: number; dy: number }[] => [
  { dx: 0, dy: 0 },
  ...neighboursOf(
    { region },
    matches.filter(({ before }) => isText(before)),
  ),
];

function shiftsOf(moved: readonly Match[]): Shift[] {
  const shifts = new Map<string, Match[]>();
  for (const one of moved) {
    const name = `${one.dx} ${one.dy}`;
    shifts.set(name, [...(shifts.get(name) ?? []), one]);
  }
  return [...shifts.values()].map((matches) => ({ dx: matches[0].dx, dy: matches[0].dy, matches }));
}

export const isSameColour = (a: number, b: number): boolean => contrastOf(a, b) <= sameColourLevels;
