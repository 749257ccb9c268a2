import { shareIn } from '../../pixels/geometry.js';
import type { Element } from './elements.js';
import { blockOf, gapBetween, isLevel, joined, type Block, type Pair } from './lines.js';
import type { Match } from './matching.js';

export interface Parts {
  readonly pairs: readonly Pair[];
  readonly gone: readonly Block[];
  readonly come: readonly Block[];
}

/** What differs in one line of a picture: on one of the sides, or on both. */
interface Piece {
  readonly before?: Block;
  readonly after?: Block;
  readonly match?: Match;
}

/** Pieces of one statement stand no farther apart, as a share of the lower one's height: keys of a shortcut. */
const gapShare = 0.8;
const leastGapPx = 6;
/** The border of a key is larger than what stands on it by so many heights of that; one around more is no part of a line. */
const paddingShare = 3;

/**
 * A line that differs in several places right beside each other says one other thing: of a shortcut that gained a key, a
 * key is another one, a key and a plus came, and a key was pushed to the right.
 */
export function consolidated(all: Parts & { readonly moved: readonly Match[] }): {
  parts: Parts;
  moved: readonly Match[];
} {
  const pieces: Piece[] = [
    ...all.pairs.filter(({ before }) => isOfText(before)),
    ...all.gone.filter(isOfText).map((before) => ({ before })),
    ...all.come.filter(isOfText).map((after) => ({ after })),
    ...all.moved
      .filter(({ dy, before }) => dy === 0 && before.form !== 'panel')
      .map((match) => ({ before: blockOf([match.before]), after: blockOf([match.after]), match })),
  ];
  const merged: Pair[] = [];
  const used = new Set<unknown>();
  for (const group of joined(pieces, areBeside)) {
    if (group.length < 2 || !saysAnother(group)) continue;
    const [before, after] = (['before', 'after'] as const).map((side) =>
      group.flatMap((piece) => piece[side]?.elements ?? []),
    );
    merged.push({ before: blockOf(inOrder(before)), after: blockOf(inOrder(after)) });
    for (const piece of group) used.add(piece).add(piece.before).add(piece.after).add(piece.match);
  }
  return {
    parts: {
      // The surfaces of the keys go with them.
      pairs: [
        ...all.pairs.filter(
          (pair) => !used.has(pair) && (isOfText(pair.before) || !merged.some((line) => isPartOf(pair, line))),
        ),
        ...merged,
      ],
      gone: all.gone.filter((block) => !used.has(block)),
      come: all.come.filter((block) => !used.has(block)),
    },
    moved: all.moved.filter((match) => !used.has(match)),
  };
}

const isOfText = ({ elements: [{ form }] }: Block): boolean => form === 'run' || form === 'frame';

const isPartOf = (pair: Pair, line: Pair): boolean =>
  shareIn(pair.before.region, line.before.region) > 0.9 && shareIn(pair.after.region, line.after.region) > 0.9;

/** Words from left to right, then what is around them. */
const inOrder = (elements: readonly Element[]): Element[] =>
  [...elements].sort((a, b) => Number(a.form !== 'run') - Number(b.form !== 'run') || a.region.x - b.region.x);

/** Words are there on both sides, and not only pushed aside. */
function saysAnother(group: readonly Piece[]): boolean {
  const others = group.filter(({ match }) => match === undefined);
  const isThere = (side: 'before' | 'after'): boolean =>
    others.some((piece) => piece[side]?.elements.some(({ form }) => form === 'run'));
  return isThere('before') && isThere('after');
}

const areBeside = (a: Piece, b: Piece): boolean =>
  (['before', 'after'] as const).some((side) => {
    const [p, q] = [a[side]?.region, b[side]?.region];
    if (!p || !q || !isLevel(p, q)) return false;
    const height = Math.min(p.height, q.height);
    const isAround = gapBetween(p, q, 'x') < 0;
    if (isAround && Math.abs(p.width - q.width) > paddingShare * height) return false;
    if (Math.max(p.height, q.height) > paddingShare * height) return false;
    return gapBetween(p, q, 'x') <= Math.max(leastGapPx, gapShare * Math.min(p.height, q.height));
  });
