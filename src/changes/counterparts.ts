import { iou } from '../pixels/geometry.js';
import type { ChangeEvent } from '../records/index.js';

/** A change, as its revisions: at least one, in order. */
export type Revisions = readonly ChangeEvent[];

export interface Counterparts {
  readonly both: readonly { readonly one: Revisions; readonly other: Revisions }[];
  readonly onlyOne: readonly Revisions[];
  readonly onlyOther: readonly Revisions[];
}

/** Where two tellings date the same change: windows may have begun and ended elsewhere. */
const slackMs = 1_000;
/** Regions that share less than this are of two changes. */
const leastIou = 0.3;

/**
 * Which changes of two tellings of the same scene are the same: of one source, kind and condition, at the same time, in the
 * same place. Each has one counterpart at most; the pairs that share most of their place come first. Ids are not looked at.
 */
export function counterparts(some: readonly Revisions[], others: readonly Revisions[]): Counterparts {
  const pairs = some
    .flatMap((one) =>
      others.flatMap((other) => {
        const likeness = likenessOf(one, other);
        return likeness < leastIou ? [] : [{ one, other, likeness }];
      }),
    )
    .sort((a, b) => b.likeness - a.likeness);
  const taken = new Set<Revisions>();
  const both: { one: Revisions; other: Revisions }[] = [];
  for (const { one, other } of pairs) {
    if (taken.has(one) || taken.has(other)) continue;
    taken.add(one).add(other);
    both.push({ one, other });
  }
  const left = (all: readonly Revisions[]): Revisions[] => all.filter((revisions) => !taken.has(revisions));
  return { both, onlyOne: left(some), onlyOther: left(others) };
}

/** From 0, of two changes, to 1, of one. */
function likenessOf(one: Revisions, other: Revisions): number {
  const [a, b] = [one[0], other[0]];
  if (a.source !== b.source || a.kind !== b.kind || a.condition !== b.condition) return 0;
  const [x, y] = [spanOf(one), spanOf(other)];
  if (x.firstMs > y.lastMs + slackMs || y.firstMs > x.lastMs + slackMs) return 0;
  // How a change goes on may be seen by one of them alone: its beginning or its end decides, whichever is more alike.
  return Math.max(likenessOfPlaces(a, b), likenessOfPlaces(one[one.length - 1], other[other.length - 1]));
}

const spanOf = (revisions: Revisions): { readonly firstMs: number; readonly lastMs: number } => ({
  firstMs: revisions[0].interval.first.timeMs,
  lastMs: revisions[revisions.length - 1].interval.last.timeMs,
});

/** What has no place is of the whole picture. */
function likenessOfPlaces(a: ChangeEvent, b: ChangeEvent): number {
  const [before, after] = [sideLikeness(a.before, b.before), sideLikeness(a.after, b.after)];
  const known = [before, after].filter((likeness) => likeness !== undefined);
  return known.length === 0 ? 1 : Math.max(...known);
}

/** Undefined where neither has a place. */
function sideLikeness(a: ChangeEvent['before'], b: ChangeEvent['before']): number | undefined {
  if (a?.region === undefined && b?.region === undefined) return undefined;
  return a?.region === undefined || b?.region === undefined ? 0 : iou(a.region, b.region);
}
