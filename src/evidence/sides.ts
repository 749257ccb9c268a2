import { cosine, SAME_LOOK } from './embedding.js';
import type { ObservedRegion } from './scene.js';

/** Outlines differ by this share before one side is said to hold the thing: (after - before) / (after + before). */
const OUTLINE_SHARE = 0.1;
/** A reading that the recogniser is less sure of is no text, 0–1. */
const READ_CONFIDENCE = 0.6;

/** Which side holds the thing, by its outline: 1 after, -1 before, 0 both or neither. */
export function outlineSide({ outline: { before, after } }: Pick<ObservedRegion, 'outline'>): -1 | 0 | 1 {
  const share = (after - before) / Math.max(1, after + before);
  return share > OUTLINE_SHARE ? 1 : share < -OUTLINE_SHARE ? -1 : 0;
}

/**
 * The same, by the detector where it sees a thing on one side only, else by the outline where it sees none. A detector may
 * miss a thing that is there: where the place looks the same on both sides and the outline does not say so too, it has.
 */
export function holdingSide(region: Pick<ObservedRegion, 'outline' | 'object' | 'embedding'>): -1 | 0 | 1 {
  const { before, after } = region.object;
  if (before !== undefined && after !== undefined) return 0;
  const byOutline = outlineSide(region);
  if (before === undefined && after === undefined) return byOutline;
  const seen = before !== undefined ? -1 : 1;
  const isAlike = cosine(region.embedding.before, region.embedding.after) > SAME_LOOK;
  return isAlike && byOutline !== seen ? 0 : seen;
}

const normal = (text: string): string => text.replace(/\s+/g, ' ').trim();

/** The words on both sides, where they were read surely and differ. */
export function readTexts({ text }: Pick<ObservedRegion, 'text'>): { before: string; after: string } | undefined {
  const { before, after } = text;
  if (before === undefined || after === undefined) return undefined;
  if (Math.min(before.confidence, after.confidence) < READ_CONFIDENCE) return undefined;
  const texts = { before: normal(before.text), after: normal(after.text) };
  return texts.before !== texts.after && texts.before !== '' && texts.after !== '' ? texts : undefined;
}
