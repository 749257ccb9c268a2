import type { InterfaceDifference, Shift } from '../../evidence/interface/difference.js';
import { blockOf, isLevel, joined } from '../../evidence/interface/lines.js';
import type { Models } from '../../evidence/models.js';
import { shareIn } from '../../pixels/geometry.js';
import type { Region } from '../../records/index.js';
import { sizeMeasures, sizeText, type InterfaceClaim } from './claim.js';
import { itemClaims } from './items.js';
import { lineClaims, type Readers } from './lines.js';
import { readerOf } from './reading.js';
import { surfaceClaims } from './surfaces.js';

/** All that is to be said of two screenshots of one place: as few sentences as tell it. */
export async function interfaceClaims(models: Models, difference: InterfaceDifference): Promise<InterfaceClaim[]> {
  const read: Readers = { before: readerOf(models, difference.before), after: readerOf(models, difference.after) };
  const surfaces = surfaceClaims(difference);
  const lines = await lineClaims(difference, read);
  const items = await itemClaims(difference, read);
  const told = await withoutReflow([...lines.claims, ...items.claims], surfaces, difference, read);
  const redrawn = difference.redrawn.length + lines.redrawn;
  return [
    ...sizeClaims(difference),
    ...withoutInks(surfaces, told),
    ...shiftClaims([...difference.shifts, ...items.shifts]),
    ...(redrawn > 0 ? [renderingClaim(redrawn)] : []),
  ];
}

/** The words upon a surface that got another colour have often got one that shows upon it: that goes without saying. */
function withoutInks(surfaces: readonly InterfaceClaim[], others: readonly InterfaceClaim[]): InterfaceClaim[] {
  const recoloured = [...surfaces, ...others].filter(({ kind, label }) => kind === 'RECOLORED' && label === 'surface');
  const isUpon = ({ kind, label, after }: InterfaceClaim): boolean =>
    kind === 'RECOLORED' &&
    label !== 'surface' &&
    recoloured.some((surface) => isWithin(after?.region, surface.after?.region));
  return [...surfaces, ...others.filter((claim) => !isUpon(claim))];
}

const isWithin = (inner?: Region, outer?: Region): boolean =>
  inner !== undefined && outer !== undefined && shareIn(inner, outer) > 0.9;

/** Of the words of the shorter of two texts so many are in the other: one text, of which more or less is seen. */
const sameTextShare = 0.7;
/** Fewer words are no running text. */
const leastWords = 5;

/** A text that runs otherwise because what it lies upon is wider or narrower says nothing else than before. */
async function withoutReflow(
  claims: readonly InterfaceClaim[],
  surfaces: readonly InterfaceClaim[],
  difference: InterfaceDifference,
  read: Readers,
): Promise<InterfaceClaim[]> {
  let left = [...claims];
  for (const { before, after } of surfaces.filter(isOfOtherWidth)) {
    const isInner = (claim: InterfaceClaim): boolean =>
      isWithin(claim.before?.region, before?.region) || isWithin(claim.after?.region, after?.region);
    if (left.filter(isInner).length < 2) continue;
    const wordsOf = async (side: 'before' | 'after', region?: Region): Promise<string[]> => {
      const runs = difference[side].elements.filter((one) => one.form === 'run' && isWithin(one.region, region));
      const text = runs.length === 0 ? undefined : await read[side](blockOf(runs));
      return text?.match(/[\p{L}\p{N}]+/gu) ?? [];
    };
    const [old, young] = [await wordsOf('before', before?.region), await wordsOf('after', after?.region)];
    const shared = old.filter((word) => young.includes(word)).length;
    const isOneText = shared >= leastWords && shared >= sameTextShare * Math.min(old.length, young.length);
    if (isOneText) left = left.filter((claim) => !isInner(claim));
  }
  return left;
}

const isOfOtherWidth = ({ kind, before, after }: InterfaceClaim): boolean =>
  kind === 'RESIZED' && before?.region?.width !== after?.region?.width;

function sizeClaims({ before: { raster: a }, after: { raster: b } }: InterfaceDifference): InterfaceClaim[] {
  if (a.width === b.width && a.height === b.height) return [];
  return [
    {
      ...{ kind: 'RESIZED', label: 'picture', measures: sizeMeasures(a, b) },
      statement: `the picture was ${sizeText(a)}, and is ${sizeText(b)}`,
      before: { region: { x: 0, y: 0, width: a.width, height: a.height } },
      after: { region: { x: 0, y: 0, width: b.width, height: b.height } },
    },
  ];
}

const renderingClaim = (count: number): InterfaceClaim => ({
  ...{ kind: 'CONDITION', condition: 'RENDERING', label: 'rendering' },
  statement: `${count} ${count === 1 ? 'part was' : 'parts were'} only drawn anew: the smoothing of edges differs`,
  measures: [{ name: 'redrawn', unit: 'elements', after: count }],
});

/** Displacements that differ by the rounding of a pixel are one. */
const areOneWay = (a: Shift, b: Shift): boolean => Math.abs(a.dx - b.dx) <= 1 && Math.abs(a.dy - b.dy) <= 1;

function shiftClaims(shifts: readonly Shift[]): InterfaceClaim[] {
  return joined(shifts, areOneWay).flatMap((group) => {
    const largest = group.reduce((a, b) => (b.matches.length > a.matches.length ? b : a));
    return shiftClaim({ ...largest, matches: group.flatMap(({ matches }) => matches) });
  });
}

function shiftClaim({ dx, dy, matches }: Shift): InterfaceClaim[] {
  const visible = matches.filter(({ before }) => before.form !== 'panel');
  if (!visible.some(({ before }) => before.form === 'run')) return [];
  const [before, after] = [blockOf(visible.map((one) => one.before)), blockOf(visible.map((one) => one.after))];
  const lines = joined(visible, (a, b) => isLevel(a.before.region, b.before.region));
  const isOne = lines.length === 1;
  const way = [
    ...(dx === 0 ? [] : [`${Math.abs(dx)} px to the ${dx > 0 ? 'right' : 'left'}`]),
    ...(dy === 0 ? [] : [`${Math.abs(dy)} px ${dy > 0 ? 'down' : 'up'}`]),
  ].join(' and ');
  return [
    {
      ...{ kind: isOne ? 'MOVED' : 'LAYOUT_SHIFTED', label: isOne ? 'element' : 'layout', shift: { dx, dy } },
      statement: isOne
        ? `what was at (${before.region.x}, ${before.region.y}) moved ${way}`
        : `${lines.length} lines from y = ${before.region.y} on moved ${way}`,
      before: { region: before.region },
      after: { region: after.region },
      measures: [{ name: 'moved', unit: 'elements', after: visible.length }],
    },
  ];
}
