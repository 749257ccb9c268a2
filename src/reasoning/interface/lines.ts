import { isSameColour, type InterfaceDifference } from '../../evidence/interface/difference.js';
import { hasSameShape, looksSame } from '../../evidence/interface/likeness.js';
import { blockOf, gapBetween, isLevel, joined, type Block, type Pair } from '../../evidence/interface/lines.js';
import { contrastOf, hexOf } from '../../evidence/interface/raster.js';
import { sizeMeasures, type InterfaceClaim } from './claim.js';
import type { ReadBlock } from './reading.js';

/** Colours of a text that differ by no more differ by how its edges are smoothed: thin strokes have no pixel of their own. */
const inkLevels = 24;
/** Letters of two readings look alike, of so much of their ink, where only the drawing differs. */
const alikeShare = 0.8;

interface Recoloured {
  readonly pair: Pair;
  readonly from: number;
  readonly to: number;
}

export interface Readers {
  readonly before: ReadBlock;
  readonly after: ReadBlock;
}

/** What is said of lines and icons that stand where others stood, and how many of them were only drawn anew. */
export async function lineClaims(
  difference: InterfaceDifference,
  read: Readers,
): Promise<{ claims: InterfaceClaim[]; redrawn: number }> {
  const claims: InterfaceClaim[] = [];
  const recoloured: Recoloured[] = [];
  let redrawn = 0;
  for (const pair of difference.pairs.filter(({ before }) => before.elements[0].form === 'run')) {
    const [from, to] = [inkOf(pair.before), inkOf(pair.after)];
    const isOfOneColour = contrastOf(from, to) <= inkLevels;
    if (hasSameForm(pair, difference)) {
      if (isOfOneColour) redrawn += 1;
      else recoloured.push({ pair, from, to });
      continue;
    }
    const [words, newWords] = [await read.before(pair.before), await read.after(pair.after)];
    if (words === undefined || words !== newWords) claims.push(otherWords(pair, words, newWords));
    else if (!isOfOneColour) recoloured.push({ pair, from, to });
    else if (isDrawnAlike(pair, difference)) redrawn += 1;
    else claims.push(restyled(pair, words));
  }
  const groups = joined(recoloured, areOneRow);
  for (const group of groups) claims.push(await recolouredClaim(group, read));
  return { claims, redrawn };
}

const inkOf = ({ elements }: Block): number => elements[0].colour;

function otherWords({ before, after }: Pair, from: string | undefined, to: string | undefined): InterfaceClaim {
  const sides = {
    before: { region: before.region, ...(from !== undefined && { text: from }) },
    after: { region: after.region, ...(to !== undefined && { text: to }) },
  };
  const measures = sizeMeasures(before.region, after.region);
  if (from !== undefined && to !== undefined)
    return { kind: 'TEXT_CHANGED', label: 'text', measures, statement: `“${from}” became “${to}”`, ...sides };
  const [what, other] = [from === undefined ? 'an icon' : `“${from}”`, to === undefined ? 'an icon' : `“${to}”`];
  const statement =
    from === undefined && to === undefined ? 'an icon was replaced by another' : `${what} was replaced by ${other}`;
  return { kind: 'REPLACED', label: 'icon', measures, statement, ...sides };
}

const restyled = ({ before, after }: Pair, text: string): InterfaceClaim => ({
  ...{ kind: 'RESTYLED', label: 'text', measures: sizeMeasures(before.region, after.region) },
  statement: `“${text}” is set in another style`,
  before: { region: before.region, text },
  after: { region: after.region, text },
});

/** Elements of one row that changed from one colour to one other. */
function areOneRow(a: Recoloured, b: Recoloured): boolean {
  const [p, q] = [a.pair.before.region, b.pair.before.region];
  return (
    isSameColour(a.from, b.from) &&
    isSameColour(a.to, b.to) &&
    isLevel(p, q) &&
    gapBetween(p, q, 'x') < 4 * Math.max(p.height, q.height)
  );
}

async function recolouredClaim(group: readonly Recoloured[], read: Readers): Promise<InterfaceClaim> {
  const before = blockOf(group.flatMap(({ pair }) => pair.before.elements));
  const after = blockOf(group.flatMap(({ pair }) => pair.after.elements));
  const text = await read.after(after);
  const [from, to] = [hexOf(group[0].from), hexOf(group[0].to)];
  const what = text !== undefined ? `“${text}”` : group.length > 1 ? `${group.length} icons` : 'an icon';
  return {
    ...{ kind: 'RECOLORED', label: text === undefined ? 'icon' : 'text', measures: [] },
    statement: `${what} changed colour from ${from} to ${to}`,
    before: { region: before.region, color: from, ...(text !== undefined && { text }) },
    after: { region: after.region, color: to, ...(text !== undefined && { text }) },
  };
}

function hasSameForm({ before, after }: Pair, { before: a, after: b }: InterfaceDifference): boolean {
  const of = ({ region, elements }: Block, { raster }: typeof a) => ({
    raster,
    region,
    marks: elements.flatMap(({ marks }) => marks),
  });
  return hasSameShape(of(before, a), of(after, b));
}

/** Whether most letters look as those that stand where they stood. */
function isDrawnAlike({ before, after }: Pair, { before: a, after: b }: InterfaceDifference): boolean {
  const marksOf = ({ elements }: Block) =>
    elements.flatMap(({ marks }) => marks).sort((p, q) => p.region.x - q.region.x);
  const [old, young] = [marksOf(before), marksOf(after)];
  let [alike, all] = [0, 0];
  for (const mark of old) {
    all += mark.pixels.length;
    const contrast = contrastOf(mark.colour, mark.paper);
    const offset = after.region.x - before.region.x;
    const same = young.some(({ region }) => {
      if (Math.abs(region.x - mark.region.x - offset) > 3 || Math.abs(region.y - mark.region.y) > 2) return false;
      for (const x of [-1, 0, 1]) {
        for (const y of [-1, 0, 1]) {
          const by = { dx: region.x - mark.region.x + x, dy: region.y - mark.region.y + y };
          if (looksSame(a.raster, mark.region, b.raster, by, contrast)) return true;
        }
      }
      return false;
    });
    if (same) alike += mark.pixels.length;
  }
  return alike >= alikeShare * all;
}
