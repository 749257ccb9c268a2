import type { InterfaceDifference, Shift } from '../../evidence/interface/difference.js';
import { blockOf, gapBetween, isLevel, isOfOneParagraph, joined, type Block } from '../../evidence/interface/lines.js';
import { neighboursOf } from '../../evidence/interface/matching.js';
import { contrastOf } from '../../evidence/interface/raster.js';
import { shareIn } from '../../pixels/geometry.js';
import type { InterfaceClaim } from './claim.js';
import type { Readers } from './lines.js';
import { bareSurfaceClaims } from './surfaces.js';

type OneSided = 'APPEARED' | 'DISAPPEARED';

/** Something that only one of the pictures shows, with its words. */
interface Item {
  readonly block: Block;
  readonly text?: string;
}

/** What is said of what came, what went, and what is elsewhere with the words that it had. */
export async function itemClaims(
  difference: InterfaceDifference,
  read: Readers,
): Promise<{ claims: InterfaceClaim[]; shifts: Shift[] }> {
  const gone = difference.gone.filter((block) => !isBeyond(block, difference, 1));
  const come = difference.come.filter((block) => !isBeyond(block, difference, -1));
  const stays =
    (side: 'before' | 'after') =>
    ({ region }: Block): boolean =>
      difference.matches.some((one) => one[side].form !== 'panel' && shareIn(one[side].region, region) > 0.9);
  const [left, entered] = [
    await itemsOf(gone, read.before, stays('before')),
    await itemsOf(come, read.after, stays('after')),
  ];
  const claims: InterfaceClaim[] = [];
  const shifts: Shift[] = [];
  for (const item of left) {
    const at = entered.findIndex((other) => isSameText(item, other) || isSameIcon(item, other));
    if (at < 0) {
      claims.push(...oneSided('DISAPPEARED', item, difference));
      continue;
    }
    const [other] = entered.splice(at, 1);
    const [dx, dy] = [other.block.region.x - item.block.region.x, other.block.region.y - item.block.region.y];
    const [before, after] = [item.block.elements[0], other.block.elements[0]];
    shifts.push({
      dx,
      dy,
      matches: [
        {
          before: { ...before, region: item.block.region },
          after: { ...after, region: other.block.region },
          dx,
          dy,
          isRedrawn: true,
        },
      ],
    });
  }
  for (const item of entered) claims.push(...oneSided('APPEARED', item, difference));
  return { claims, shifts };
}

const isSameText = (a: Item, b: Item): boolean =>
  a.text !== undefined &&
  a.text === b.text &&
  Math.abs(a.block.region.height - b.block.region.height) <= 2 &&
  Math.abs(a.block.region.width - b.block.region.width) <= Math.max(2, 0.03 * a.block.region.width);

const isSameIcon = ({ block: a }: Item, { block: b }: Item): boolean =>
  a.elements.length === 1 && b.elements.length === 1 && isIcon(a) && a.elements[0].key === b.elements[0].key;

/**
 * What everything around has pushed out of the picture, or pulled into it. Only along a side that is as long in both: what
 * makes a page longer, or is missing where it got shorter, has come or gone.
 */
function isBeyond({ region }: Block, { matches, before, after }: InterfaceDifference, sign: 1 | -1): boolean {
  const { width, height } = after.raster;
  const isAsWide = width === before.raster.width;
  const isAsHigh = height === before.raster.height;
  const seen = sign === 1 ? matches : matches.map((one) => ({ ...one, before: one.after }));
  return neighboursOf({ region }, seen).some(({ dx, dy }) => {
    const [x, y] = [region.x + sign * dx, region.y + sign * dy];
    return (
      (isAsWide && dx !== 0 && (x < 0 || x + region.width > width)) ||
      (isAsHigh && dy !== 0 && (y < 0 || y + region.height > height))
    );
  });
}

/** What came or went together: lines of a paragraph, icons of a row, an icon with its words, what lies upon a surface. */
async function itemsOf(
  blocks: readonly Block[],
  read: Readers['before'],
  holdsWhatStays: (block: Block) => boolean,
): Promise<Item[]> {
  const isRule = ({ elements: [{ form }] }: Block): boolean => form === 'rule';
  const texts = blocks.filter((block) => !isRule(block));
  // A separator goes with what it separates.
  const rules = blocks.filter(
    (rule) =>
      isRule(rule) &&
      !texts.some(
        ({ region }) =>
          gapBetween(region, rule.region, 'y') <= 2 * region.height && gapBetween(region, rule.region, 'x') < 0,
      ),
  );
  const together = (a: Block, b: Block): boolean =>
    isOfOneParagraph(a, b) || isOfOneRow(a, b) || isLabelled(a, b) || (isAround(a, b) && !holdsWhatStays(a));
  const groups = joined(texts, (a, b) => together(a, b) || together(b, a)).map((group) =>
    blockOf(group.flatMap(({ elements }) => elements)),
  );
  // A surface goes with the row that it is a cell of.
  const isCell = (block: Block): boolean =>
    !hasRun(block) &&
    groups.some(
      (row) => hasRun(row) && isLevel(row.region, block.region) && block.region.height <= 2 * row.region.height,
    );
  const items: Item[] = [];
  const sets = joined(rules, areOneSet).map((set) => blockOf(set.flatMap(({ elements }) => elements)));
  for (const block of [...groups.filter((group) => !isCell(group)), ...sets]) {
    const text = await read(block);
    items.push({ block, ...(text !== undefined && { text }) });
  }
  return items;
}

/** Separators of one list: of one colour and length, one below the other. */
const areOneSet = ({ elements: [a] }: Block, { elements: [b] }: Block): boolean =>
  a.colour === b.colour && a.region.x === b.region.x && a.region.width === b.region.width;

const hasRun = ({ elements }: Block): boolean => elements.some(({ form }) => form === 'run');

const isIcon = ({ elements: [one], region }: Block): boolean =>
  one.form === 'run' && one.marks.length <= 4 && region.width < 2 * region.height;

/** Icons of one colour that stand as close as they are wide. */
function isOfOneRow(a: Block, b: Block): boolean {
  const widthOf = ({ region }: Block): number => Math.max(region.width, region.height);
  return (
    isIcon(a) &&
    isIcon(b) &&
    contrastOf(a.elements[0].colour, b.elements[0].colour) <= 24 &&
    isLevel(a.region, b.region) &&
    gapBetween(a.region, b.region, 'x') <= Math.min(widthOf(a), widthOf(b))
  );
}

/** An icon right before a line of words. */
const isLabelled = (icon: Block, words: Block): boolean =>
  isIcon(icon) &&
  words.elements[0].form === 'run' &&
  !isIcon(words) &&
  isLevel(icon.region, words.region) &&
  words.region.x > icon.region.x &&
  gapBetween(icon.region, words.region, 'x') <= Math.max(icon.region.width, icon.region.height);

/** A surface or border with what lies upon it. */
const isAround = (a: Block, b: Block): boolean =>
  (a.elements[0].form === 'panel' || a.elements[0].form === 'frame') && shareIn(b.region, a.region) > 0.9;

function oneSided(kind: OneSided, { block, text }: Item, difference: InterfaceDifference): InterfaceClaim[] {
  const [{ form }] = block.elements;
  if (!hasRun(block) && form !== 'rule') return bareSurfaceClaims(kind, block, difference);
  const label = form === 'rule' ? 'separator' : text === undefined ? 'icon' : 'text';
  const side = { region: block.region, ...(text !== undefined && { text }) };
  const count = block.elements.length;
  const separators = count === 1 ? 'a separator' : `${count} separators`;
  const what = text !== undefined ? `“${text}”` : form === 'rule' ? separators : 'an icon';
  return [
    {
      ...{ kind, label, measures: [] },
      statement: `${what} ${kind === 'APPEARED' ? 'appeared' : 'disappeared'}`,
      ...(kind === 'APPEARED' ? { after: side } : { before: side }),
    },
  ];
}
