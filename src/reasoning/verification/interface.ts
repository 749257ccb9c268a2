import { contrastOf, type Raster } from '../../evidence/interface/raster.js';
import type { Check, Region, Side, Verdict, Verification } from '../../records/index.js';
import type { Claim } from '../claim.js';

/** Pixels that differ by no more look the same. */
const sameLevels = 24;
/** Of a part that moved so many pixels are found again where it went; with fewer than the lower share it is not that part. */
const foundShare = 0.8;
const lostShare = 0.3;

/** Holds a claim about two screenshots against their pixels, by other means than those by which it was found. */
export function verifyInterface(claim: Claim, before: Raster, after: Raster): Verification {
  const checks = [
    ...sidesCheck(claim, before, after),
    ...changeCheck(claim, before, after),
    ...shiftCheck(claim, before, after),
    ...colorCheck('before', claim.before, before),
    ...colorCheck('after', claim.after, after),
    ...textCheck(claim),
  ];
  if (checks.some(({ verdict }) => verdict === 'CONTRADICTED')) return { verdict: 'CONTRADICTED', checks };
  return { verdict: checks.every(({ verdict }) => verdict === 'SUPPORTED') ? 'SUPPORTED' : 'UNVERIFIED', checks };
}

const check = (name: string, isRight: boolean, detail: string): Check => ({
  name,
  verdict: isRight ? 'SUPPORTED' : 'CONTRADICTED',
  detail,
});

/** A box lies within the picture that it is of. */
function sidesCheck({ before, after }: Claim, a: Raster, b: Raster): Check[] {
  const isIn = (region: Region, { width, height }: Raster): boolean =>
    region.x >= 0 && region.y >= 0 && region.x + region.width <= width && region.y + region.height <= height;
  return [
    ...(before?.region
      ? [check('region', isIn(before.region, a), 'the box of before lies within its screenshot')]
      : []),
    ...(after?.region ? [check('region', isIn(after.region, b), 'the box of after lies within its screenshot')] : []),
  ];
}

/** Where something changed, pixels did. Where it was only drawn anew they did, too. */
function changeCheck({ kind, before, after }: Claim, a: Raster, b: Raster): Check[] {
  const region = after?.region ?? before?.region;
  if (region === undefined || kind === 'CONDITION') return [];
  const places = [before?.region, after?.region].filter((one) => one !== undefined);
  const differ = places.reduce((sum, place) => sum + differing(place, a, b), 0);
  return [check('pixels', differ > 0, `${differ} pixels differ there between the screenshots`)];
}

/** Pixels of a place that are not the same in both; what only one of them has counts. */
function differing({ x, y, width, height }: Region, a: Raster, b: Raster): number {
  let count = 0;
  for (let row = y; row < y + height; row++) {
    for (let column = x; column < x + width; column++) {
      if (colourAt(a, column, row) !== colourAt(b, column, row)) count++;
    }
  }
  return count;
}

const colourAt = ({ width, height, colours }: Raster, x: number, y: number): number | undefined =>
  x < width && y < height ? colours[y * width + x] : undefined;

/** What moved is there again, by as many pixels as is said. */
function shiftCheck({ shift, before }: Claim, a: Raster, b: Raster): Check[] {
  if (shift === undefined || before?.region === undefined) return [];
  const { x, y, width, height } = before.region;
  let [same, all] = [0, 0];
  for (let row = y; row < y + height; row++) {
    for (let column = x; column < x + width; column++) {
      const [here, there] = [colourAt(a, column, row), colourAt(b, column + shift.dx, row + shift.dy)];
      if (here === undefined || there === undefined) continue;
      all++;
      if (contrastOf(here, there) <= sameLevels) same++;
    }
  }
  const share = all === 0 ? 0 : same / all;
  const verdict: Verdict = share >= foundShare ? 'SUPPORTED' : share >= lostShare ? 'UNVERIFIED' : 'CONTRADICTED';
  return [{ name: 'shift', verdict, detail: `${(100 * share).toFixed(0)} % of its pixels are there again` }];
}

/** A colour that is named is there. */
function colorCheck(name: 'before' | 'after', side: Side | undefined, raster: Raster): Check[] {
  if (side?.color === undefined || side.region === undefined) return [];
  const wanted = Number.parseInt(side.color.slice(1), 16);
  const { x, y, width, height } = side.region;
  let count = 0;
  for (let row = y; row < y + height; row++) {
    for (let column = x; column < x + width; column++) {
      if (colourAt(raster, column, row) === wanted) count++;
    }
  }
  return [check('color', count > 0, `${count} pixels of ${name} are ${side.color}`)];
}

/** A text that changed reads otherwise. */
function textCheck({ kind, before, after }: Claim): Check[] {
  if (kind !== 'TEXT_CHANGED') return [];
  const [from, to] = [before?.text, after?.text];
  return [check('text', from !== undefined && to !== undefined && from !== to, `read as “${from}” and as “${to}”`)];
}
