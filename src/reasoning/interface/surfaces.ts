import { isSameColour, type InterfaceDifference } from '../../evidence/interface/difference.js';
import type { Element, Layout } from '../../evidence/interface/elements.js';
import { gapBetween, type Block, type Pair } from '../../evidence/interface/lines.js';
import { contrastOf, hexOf } from '../../evidence/interface/raster.js';
import { shareIn } from '../../pixels/geometry.js';
import type { Region } from '../../records/index.js';
import { sizeMeasures, sizeText, type InterfaceClaim } from './claim.js';

/** Sides that differ by no more lie where they lay: borders are rounded to whole pixels. */
const sideSlackPx = 2;
/** Neighbours whose colours differ by no more are one neighbour. */
const neighbourLevels = 8;

/** Separators are so wide at most. */
const dividerPx = [2, 3, 4];

const labels = { panel: 'surface', frame: 'border', rule: 'separator', run: 'text' } as const;

/** What is said of surfaces and borders that are in both pictures: another size, another colour. */
export function surfaceClaims(difference: InterfaceDifference): InterfaceClaim[] {
  const pairs = difference.pairs.filter(({ before }) => before.elements[0].form !== 'run');
  const recoloured = pairs.filter((pair) => !isOfOneColour(pair)).map((pair) => recolouredClaim(pair));
  const resized = pairs.filter(
    (pair) => isOfOneColour(pair) && (isResized(pair, difference) || pairs.some((other) => isOtherSide(pair, other))),
  );
  const told: Pair[] = [];
  // The larger one tells it: what lies within it and ends at the same side has been resized with it.
  for (const pair of resized.sort((a, b) => sizeOf(b) - sizeOf(a))) {
    if (!told.some((larger) => isConsequence(pair, larger))) told.push(pair);
  }
  return [...recoloured, ...told.map(resizedClaim)];
}

const opposite = { left: 'right', right: 'left', top: 'bottom', bottom: 'top' } as const;

/** Whether two surfaces lie on either side of something that was moved: the one has become as much larger as the other smaller. */
function isOtherSide(pair: Pair, other: Pair): boolean {
  const [changed, ...more] = changedSides(pair.before.region, pair.after.region, true, true);
  const [met, ...others] = changedSides(other.before.region, other.after.region, true, true);
  if (more.length > 0 || others.length > 0 || met !== opposite[changed]) return false;
  return (['before', 'after'] as const).every(
    (side) =>
      Math.abs(sideOf(changed, pair[side].region) - sideOf(met, other[side].region)) <= Math.max(...dividerPx) &&
      isBeside(pair[side].region, other[side].region, changed),
  );
}

function isBeside(a: Region, b: Region, side: SideName): boolean {
  const axis = side === 'left' || side === 'right' ? 'y' : 'x';
  return gapBetween(a, b, axis) < 0;
}

const sizeOf = ({ before: { region: a }, after: { region: b } }: Pair): number =>
  a.width * a.height + b.width * b.height;

const isOfOneColour = ({ before, after }: Pair): boolean =>
  isSameColour(before.elements[0].colour, after.elements[0].colour);

function recolouredClaim({ before, after }: Pair): InterfaceClaim {
  const [a, b] = [before.elements[0], after.elements[0]];
  const label = labels[a.form];
  return {
    ...{ kind: 'RECOLORED', label, measures: [] },
    statement: `a ${label} changed colour from ${hexOf(a.colour)} to ${hexOf(b.colour)}`,
    before: { region: a.region, color: hexOf(a.colour) },
    after: { region: b.region, color: hexOf(b.colour) },
  };
}

function resizedClaim({ before: { elements, region: a }, after: { region: b } }: Pair): InterfaceClaim {
  const label = labels[elements[0].form];
  return {
    ...{ kind: 'RESIZED', label, measures: sizeMeasures(a, b) },
    statement: `a ${label} was ${sizeText(a)}, and is ${sizeText(b)}`,
    before: { region: a },
    after: { region: b },
  };
}

type SideName = 'left' | 'top' | 'right' | 'bottom';
const sideNames: readonly SideName[] = ['left', 'top', 'right', 'bottom'];

const sideOf = (side: SideName, { x, y, width, height }: Region): number =>
  ({ left: x, top: y, right: x + width, bottom: y + height })[side];

/**
 * Whether the surface itself is of another size, and not only seen to another extent: where it ends at the picture's side,
 * or at something else than before, it is cut there by what lies over it.
 */
function isResized({ before, after }: Pair, { before: a, after: b }: InterfaceDifference): boolean {
  if (before.elements[0].form === 'rule') return false;
  const differs = (size: 'width' | 'height'): boolean =>
    Math.abs(before.region[size] - after.region[size]) > sideSlackPx;
  if (!differs('width') && !differs('height')) return false;
  return changedSides(before.region, after.region, differs('width'), differs('height')).every((side) => {
    const [here, there] = [beyond(side, before.region, a), beyond(side, after.region, b)];
    if (here === undefined || there === undefined || contrastOf(here, there) > neighbourLevels) return false;
    return !isDivided(side, before.elements[0], a) && !isDivided(side, after.elements[0], b);
  });
}

/** Beyond a separator the same surface goes on: the part on this side is as large as what lies upon it. */
const isDivided = (side: SideName, { region, colour }: Element, layout: Layout): boolean =>
  dividerPx.some((px) => {
    const there = beyond(side, region, layout, px);
    return there !== undefined && contrastOf(there, colour) <= neighbourLevels;
  });

const changedSides = (a: Region, b: Region, isWider: boolean, isHigher: boolean): SideName[] =>
  sideNames.filter((side) => {
    const isAcross = side === 'left' || side === 'right';
    return (isAcross ? isWider : isHigher) && Math.abs(sideOf(side, a) - sideOf(side, b)) > sideSlackPx;
  });

/** The colour beside the middle of a side; undefined beyond the picture. */
function beyond(side: SideName, { x, y, width, height }: Region, { raster }: Layout, offsetPx = 2): number | undefined {
  const [across, down] = [Math.floor(x + width / 2), Math.floor(y + height / 2)];
  const [px, py] = {
    left: [x - offsetPx, down],
    right: [x + width - 1 + offsetPx, down],
    top: [across, y - offsetPx],
    bottom: [across, y + height - 1 + offsetPx],
  }[side];
  if (px < 0 || py < 0 || px >= raster.width || py >= raster.height) return undefined;
  return raster.colours[py * raster.width + px];
}

function isConsequence(pair: Pair, larger: Pair): boolean {
  const ends = (side: SideName, of: 'before' | 'after'): boolean =>
    Math.abs(sideOf(side, pair[of].region) - sideOf(side, larger[of].region)) <= 2 * sideSlackPx;
  const shared = sideNames.filter((side) => ends(side, 'before') && ends(side, 'after'));
  const changed = changedSides(pair.before.region, pair.after.region, true, true);
  return changed.every((side) => shared.includes(side));
}

/**
 * What is said of surfaces and borders that only one picture shows: with what lies upon them in both they are a matter of
 * colour or style; where the surface around looks the same they are but a part of it, which something divides.
 */
export function bareSurfaceClaims(
  kind: 'APPEARED' | 'DISAPPEARED',
  { elements: [element] }: Block,
  difference: InterfaceDifference,
): InterfaceClaim[] {
  const { form, region, colour } = element;
  const isThere = kind === 'APPEARED';
  const side = isThere ? 'after' : 'before';
  const label = labels[form];
  if (form === 'panel' && isPartOfItsSurroundings(element, difference[side])) return [];
  const inner = [
    ...difference.matches.map((one) => ({ before: one.before, after: one.after })),
    ...difference.pairs.map((pair) => ({ before: pair.before.elements[0], after: pair.after.elements[0] })),
  ].find((one) => one.before.form === 'run' && shareIn(one[side].region, region) > 0.9);
  if (form === 'panel' && inner && !isSameColour(inner.before.paper, inner.after.paper)) {
    const [from, to] = [hexOf(inner.before.paper), hexOf(inner.after.paper)];
    return [
      {
        ...{ kind: 'RECOLORED', label: 'surface', measures: [] },
        statement: `a surface changed colour from ${from} to ${to}`,
        before: { region, color: from },
        after: { region, color: to },
      },
    ];
  }
  return [
    {
      ...{ kind: inner ? 'RESTYLED' : kind, label, measures: [] },
      statement: `a ${label} of ${hexOf(colour)} ${isThere ? 'appeared' : 'disappeared'}`,
      [side]: { region },
    },
  ];
}

function isPartOfItsSurroundings({ region, colour }: Element, layout: Layout): boolean {
  const around = sideNames.map((side) =>
    beyond(
      side,
      { ...region, x: region.x - 1, y: region.y - 1, width: region.width + 2, height: region.height + 2 },
      layout,
    ),
  );
  return around.every((one) => one === undefined || contrastOf(one, colour) <= neighbourLevels);
}
