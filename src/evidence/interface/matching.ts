import type { Element, Layout } from './elements.js';
import { looksSame } from './likeness.js';
import { gapBetween, isLevel } from './lines.js';
import { contrastOf } from './raster.js';

/** An element that is in both pictures. */
export interface Match {
  readonly before: Element;
  readonly after: Element;
  readonly dx: number;
  readonly dy: number;
  /** It looks the same but for how it was drawn. */
  readonly isRedrawn: boolean;
}

export interface Matching {
  readonly matches: readonly Match[];
  /** What only one of the pictures shows. */
  readonly before: readonly Element[];
  readonly after: readonly Element[];
}

/** Less ink than a letter or two may be anywhere: what is so small has moved only together with others. */
const leastTellingPx = 24;
/** How far a part that is drawn anew may have slid, px: places on a fraction of a pixel. */
const slackPx = 1;

/**
 * Finds the elements of one picture in the other: first where they were, then elsewhere. What moved together is found
 * together: of all displacements the one that explains most ink goes first, so that one of many equal icons is not taken
 * for its neighbour.
 */
export function match(before: Layout, after: Layout): Matching {
  const state: State = { matches: [], before: new Set(before.elements), after: new Set(after.elements) };
  const isOnly = only(before, after);
  inPlace(state, isOnly);
  displaced(state, isOnly);
  withNeighbours(state);
  inPlace(state, () => true);
  redrawn(state, before, after, (dx, dy, one) => {
    const [beside] = neighboursOf(one, state.matches);
    return beside !== undefined && Math.abs(beside.dx - dx) <= slackPx && Math.abs(beside.dy - dy) <= slackPx;
  });
  // Drawn anew in its place goes before the same somewhere else: a letter more or less is found everywhere.
  redrawn(state, before, after, (dx, dy) => Math.abs(dx) <= slackPx && Math.abs(dy) <= slackPx);
  displaced(state, isText);
  redrawn(state, before, after, (dx, dy) =>
    state.matches.some((one) => Math.abs(one.dx - dx) <= slackPx && Math.abs(one.dy - dy) <= slackPx),
  );
  redrawn(state, before, after, (dx, dy, one) => isText(one) && (Math.abs(dx) <= slackPx || Math.abs(dy) <= slackPx));
  withNeighbours(state);
  return { matches: state.matches, before: [...state.before], after: [...state.after] };
}

/** Whether an element is the only one of its look in both pictures: one of several equal ones may be any of them. */
function only(before: Layout, after: Layout): (element: Element) => boolean {
  const [ofBefore, ofAfter] = [byKeyOf(before.elements), byKeyOf(after.elements)];
  return (element) =>
    isText(element) && (ofBefore.get(element.key)?.length ?? 0) <= 1 && (ofAfter.get(element.key)?.length ?? 0) <= 1;
}

/** So many letters are a word. Icons, and separators, look alike all over a page. */
export const isText = ({ form, marks }: Element): boolean => form === 'run' && marks.length >= 3;

/** One of several equal elements has gone where what is nearest to it has gone: beside it, above or below. */
function withNeighbours(state: State): void {
  const at = new Map([...state.after].map((element) => [placeOf(element), element]));
  for (const before of [...state.before]) {
    for (const { dx, dy } of neighboursOf(before, state.matches)) {
      const { x, y, width, height } = before.region;
      const same = at.get(placeOf({ ...before, region: { x: x + dx, y: y + dy, width, height } }));
      if (!same || !state.after.has(same)) continue;
      take(state, before, same, false);
      break;
    }
  }
}

/** The matches nearest to an element: in its line first, then above, below and around it. */
export function neighboursOf({ region }: Pick<Element, 'region'>, matches: readonly Match[]): Match[] {
  const nearest = new Map<'beside' | 'above' | 'below', { match: Match; gap: number }>();
  for (const match of matches) {
    const other = match.before.region;
    if (match.before.form !== 'run') continue;
    const [x, y] = [gapBetween(region, other, 'x'), gapBetween(region, other, 'y')];
    const where = isLevel(region, other) ? 'beside' : other.y < region.y ? 'above' : 'below';
    const gap = Math.max(0, x) + Math.max(0, y);
    if (gap < (nearest.get(where)?.gap ?? Infinity)) nearest.set(where, { match, gap });
  }
  return (['beside', 'above', 'below'] as const).flatMap((where) => nearest.get(where)?.match ?? []);
}

interface State {
  readonly matches: Match[];
  readonly before: Set<Element>;
  readonly after: Set<Element>;
}

function take(state: State, before: Element, after: Element, isRedrawn: boolean): void {
  state.before.delete(before);
  state.after.delete(after);
  const [dx, dy] = [after.region.x - before.region.x, after.region.y - before.region.y];
  state.matches.push({ before, after, dx, dy, isRedrawn });
}

type IsWanted = (element: Element) => boolean;

function inPlace(state: State, isWanted: IsWanted): void {
  const at = new Map([...state.after].map((element) => [placeOf(element), element]));
  for (const element of [...state.before]) {
    const same = isWanted(element) && at.get(placeOf(element));
    if (same) take(state, element, same, false);
  }
}

const placeOf = ({ key, region }: Pick<Element, 'key' | 'region'>): string => `${key} ${region.x} ${region.y}`;

function displaced(state: State, isWanted: IsWanted): void {
  for (;;) {
    const byKey = byKeyOf(state.after);
    const votes = new Map<string, { ink: number; pairs: [Element, Element][] }>();
    const alike = byKeyOf(state.before);
    for (const before of state.before) {
      if (!isWanted(before)) continue;
      const others = byKey.get(before.key) ?? [];
      for (const after of others) {
        const name = `${after.region.x - before.region.x} ${after.region.y - before.region.y}`;
        const vote = votes.get(name) ?? { ink: 0, pairs: [] };
        vote.ink += inkOf(before) / Math.max(others.length, alike.get(before.key)?.length ?? 1);
        vote.pairs.push([before, after]);
        votes.set(name, vote);
      }
    }
    const best = [...votes.values()].reduce((a, b) => (b.ink > a.ink ? b : a), { ink: 0, pairs: [] });
    if (best.ink < leastTellingPx) return;
    for (const [before, after] of best.pairs) take(state, before, after, false);
  }
}

function byKeyOf(elements: Iterable<Element>): Map<string, Element[]> {
  const all = new Map<string, Element[]>();
  for (const element of elements) {
    const list = all.get(element.key);
    if (list) list.push(element);
    else all.set(element.key, [element]);
  }
  return all;
}

const inkOf = ({ form, marks }: Element): number =>
  form === 'panel' ? leastTellingPx / 2 : marks.reduce((sum, { pixels }) => sum + pixels.length, 0);

function redrawn(
  state: State,
  before: Layout,
  after: Layout,
  isThere: (dx: number, dy: number, one: Element) => boolean,
): void {
  for (const one of [...state.before]) {
    if (one.form === 'panel') continue;
    const { region: a } = one;
    const other = [...state.after].find((candidate) => {
      if (candidate.form !== one.form || contrastOf(candidate.paper, one.paper) > 8) return false;
      const { region: b } = candidate;
      if (Math.abs(a.width - b.width) > 2 * slackPx || Math.abs(a.height - b.height) > 2 * slackPx) return false;
      const [dx, dy] = [b.x - a.x, b.y - a.y];
      const isTelling = Math.max(Math.abs(dx), Math.abs(dy)) <= slackPx || inkOf(one) >= leastTellingPx;
      return isTelling && isThere(dx, dy, one) && isSame(one, before, candidate, after);
    });
    if (other) take(state, one, other, true);
  }
}

/** Whether an element looks as another, by how they lie or a pixel beside. */
function isSame(one: Element, before: Layout, other: Element, after: Layout): boolean {
  const contrast = Math.max(contrastOf(one.colour, one.paper), contrastOf(other.colour, other.paper));
  const [dx, dy] = [other.region.x - one.region.x, other.region.y - one.region.y];
  for (let y = -slackPx; y <= slackPx; y++) {
    for (let x = -slackPx; x <= slackPx; x++) {
      if (looksSame(before.raster, one.region, after.raster, { dx: dx + x, dy: dy + y }, contrast)) return true;
    }
  }
  return false;
}
