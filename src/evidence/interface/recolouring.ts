import { unionOf } from '../../pixels/geometry.js';
import type { Region } from '../../records/index.js';
import type { Element, Layout } from './elements.js';
import { hasSameShape } from './likeness.js';
import { blockOf, type Block, type Pair } from './lines.js';
import type { Match } from './matching.js';
import { contrastOf } from './raster.js';

/**
 * Lines that fall into pieces of other colours, or come together into one, letter for letter as they were: code that is
 * coloured otherwise. Pieces make up a line where they have its form together, in its place or where its like has gone.
 */
export function recolouredLines(
  [before, ofBefore]: readonly [Layout, readonly Block[]],
  [after, ofAfter]: readonly [Layout, readonly Block[]],
  matches: readonly Match[],
): Pair[] {
  const ways = [...new Map([{ dx: 0, dy: 0 }, ...matches].map(({ dx, dy }) => [`${dx} ${dy}`, { dx, dy }])).values()];
  const back = ways.map(({ dx, dy }) => ({ dx: -dx, dy: -dy }));
  const apart = ofBefore.flatMap((line): Pair[] => {
    const pieces = piecesOf([line, before], after, ways);
    return pieces ? [{ before: line, after: byChange(pieces, line) }] : [];
  });
  const taken = new Set(apart.flatMap((pair) => pair.after.elements));
  const together = ofAfter
    .filter((line) => !line.elements.some((element) => taken.has(element)))
    .flatMap((line): Pair[] => {
      const pieces = piecesOf([line, after], before, back);
      return pieces ? [{ before: byChange(pieces, line), after: line }] : [];
    });
  return [...apart, ...together];
}

function piecesOf(
  [line, layout]: readonly [Block, Layout],
  other: Layout,
  ways: readonly { dx: number; dy: number }[],
): Element[] | undefined {
  if (line.elements[0].form !== 'run') return undefined;
  const marks = line.elements.flatMap((element) => element.marks);
  for (const { dx, dy } of ways) {
    const region = { ...line.region, x: line.region.x + dx, y: line.region.y + dy };
    const pieces = other.elements.filter((one) => one.form === 'run' && isWithin(one.region, region));
    if (pieces.length < 2 || !isSame(unionOf(pieces.map((one) => one.region)), region)) continue;
    const ink = { raster: other.raster, region, marks: pieces.flatMap((piece) => piece.marks) };
    if (hasSameShape({ raster: layout.raster, region: line.region, marks }, ink)) return pieces;
  }
  return undefined;
}

const isWithin = (a: Region, b: Region): boolean =>
  a.x >= b.x && a.y >= b.y && a.x + a.width <= b.x + b.width && a.y + a.height <= b.y + b.height;

const isSame = (a: Region, b: Region): boolean => isWithin(a, b) && isWithin(b, a);

/** The piece whose colour differs most from that of the line first: it is the one that is told. */
const byChange = (pieces: readonly Element[], { elements: [{ colour }] }: Block): Block =>
  blockOf([...pieces].sort((a, b) => contrastOf(b.colour, colour) - contrastOf(a.colour, colour)));
