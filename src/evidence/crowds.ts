import { sharedArea, unionOf } from '../pixels/geometry.js';
import type { DetectedObject, Region } from '../records/index.js';

/** How many of a crowd one side's pictures show, and where. */
export interface CrowdSide {
  /** Median over the pictures of that side. */
  readonly count: number;
  readonly least: number;
  readonly most: number;
  /** The box around all that were seen there; absent where none was. */
  readonly region?: Region;
}

/** Living things of one class that stand close together, too many and too alike to be followed one by one. */
export interface Crowd {
  readonly label: string;
  readonly before: CrowdSide;
  readonly after: CrowdSide;
  /** Boxes of its members in the last picture of each side. */
  readonly members: { readonly before: readonly Region[]; readonly after: readonly Region[] };
  readonly confidence: number;
}

/** What goes and comes of its own accord; things that stand side by side, as bottles on a shelf, are told one by one. */
const living: ReadonlySet<string> = new Set([
  'person',
  'bird',
  'cat',
  'dog',
  'horse',
  'sheep',
  'cow',
  'elephant',
  'bear',
  'zebra',
  'giraffe',
]);
/** So many together are a crowd; fewer are told apart. */
export const CROWD = 3;
/** Members are nearer to each other than this share of their height: an arm's length for people. */
const NEAR = 0.5;

export const isLiving = (label: string): boolean => living.has(label);

/** Whether there may be a crowd among these: counting one takes a look at every picture of both sides. */
export const mayBeCrowd = (objects: readonly DetectedObject[]): boolean =>
  [...living].some((label) => objects.filter((object) => object.label === label).length >= CROWD);

/**
 * The crowds of a scene, counted in several pictures before and several after: a detector misses one or another in any
 * single picture.
 * @param before objects of each picture, in order of time; as `after` not empty
 */
export function crowdsOf(
  before: readonly (readonly DetectedObject[])[],
  after: readonly (readonly DetectedObject[])[],
): Crowd[] {
  const pictures = [...before, ...after];
  return [...living].flatMap((label) => {
    const seen = pictures.flatMap((objects, picture) =>
      objects.filter((object) => object.label === label).map((object) => ({ object, picture })),
    );
    return groups(seen).flatMap((group): Crowd[] => {
      const inPicture = (n: number): DetectedObject[] =>
        group.filter(({ picture }) => picture === n).map(({ object }) => object);
      const sides = [
        sideOf(before.map((_, n) => inPicture(n))),
        sideOf(after.map((_, n) => inPicture(before.length + n))),
      ] as const;
      if (Math.max(sides[0].count, sides[1].count) < CROWD) return [];
      const boxes = (n: number): Region[] => inPicture(n).map(({ region }) => region);
      return [
        {
          label,
          before: sides[0],
          after: sides[1],
          members: { before: boxes(before.length - 1), after: boxes(pictures.length - 1) },
          confidence: Math.min(...group.map(({ object }) => object.confidence)),
        },
      ];
    });
  });
}

/** Whether there are more, or fewer, than before in every picture: a count that wavers has not changed. */
export const isCountChanged = ({ before, after }: Crowd): boolean =>
  after.least > before.most || after.most < before.least;

function sideOf(pictures: readonly (readonly DetectedObject[])[]): CrowdSide {
  const counts = pictures.map(({ length }) => length).sort((a, b) => a - b);
  const all = pictures.flat().map(({ region }) => region);
  return {
    count: counts[counts.length >> 1],
    least: counts[0],
    most: counts[counts.length - 1],
    ...(all.length > 0 && { region: unionOf(all) }),
  };
}

/** Things that are near to each other, directly or by way of others. */
function groups<T extends { readonly object: DetectedObject }>(seen: readonly T[]): T[][] {
  const left = new Set(seen);
  const found: T[][] = [];
  for (const first of seen) {
    if (!left.delete(first)) continue;
    const group = [first];
    // Grows while it is gone through.
    for (const member of group)
      for (const other of left) if (areNear(member, other) && left.delete(other)) group.push(other);
    found.push(group);
  }
  return found;
}

function areNear(a: { readonly object: DetectedObject }, b: { readonly object: DetectedObject }): boolean {
  const [p, q] = [a.object.region, b.object.region];
  const reachPx = NEAR * Math.min(p.height, q.height);
  return (
    sharedArea(
      { ...p, x: p.x - reachPx, y: p.y - reachPx, width: p.width + 2 * reachPx, height: p.height + 2 * reachPx },
      q,
    ) > 0
  );
}
