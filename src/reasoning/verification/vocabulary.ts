import { cocoLabels } from '../../evidence/coco.js';
import { colourNames } from '../../pixels/colour.js';
import type { ChangeKind, ConditionCause } from '../../records/index.js';
import { numberWord, plural } from '../measured/words.js';

/** Words that say what happened: a sentence has none that belong to other kinds only. */
export const verbs: readonly { readonly words: RegExp; readonly kinds: readonly ChangeKind[] }[] = [
  { words: /\b(appeared|added|put back|is back|arrived)\b/, kinds: ['APPEARED', 'ONSET'] },
  { words: /\b(gone|disappeared|removed|taken|vanished)\b/, kinds: ['DISAPPEARED'] },
  { words: /\bmoved\b/, kinds: ['MOVED', 'ACTIVITY', 'CONDITION'] },
  { words: /\breplaced\b/, kinds: ['REPLACED'] },
  { words: /\b(turned|recolou?red|changed its colou?r)\b/, kinds: ['RECOLORED'] },
  { words: /\bthe text\b/, kinds: ['TEXT_CHANGED'] },
  { words: /\b(up|down) from\b/, kinds: ['COUNT_CHANGED'] },
  { words: /\b(came in|entered|went out|crossed|is (?:still )?moving|was last seen|went)\b/, kinds: ['ACTIVITY'] },
];

/** What a sentence of a kind must say. */
export const required: Partial<Record<ChangeKind, RegExp>> = {
  APPEARED: /\b(appeared|added|put back|is back|arrived)\b/,
  DISAPPEARED: /\b(gone|disappeared|removed|taken|vanished)\b/,
  MOVED: /\bmoved\b/,
  REPLACED: /\breplaced\b/,
  RECOLORED: /\b(turned|recolou?red|changed its colou?r)\b/,
  TEXT_CHANGED: /\bchanged\b/,
  COUNT_CHANGED: /\b(up|down) from\b/,
  ACTIVITY: /\b(moved|moving|came in|entered|went|crossed)\b/,
};

/** Words of causes: a sentence about a condition has none that belong to other causes only. */
export const causeWords: readonly { readonly words: RegExp; readonly causes: readonly ConditionCause[] }[] = [
  { words: /\b(dimmed|brightened)\b/, causes: ['LIGHTING'] },
  { words: /\blight\b/, causes: ['LIGHTING', 'SHADOW'] },
  { words: /\bshadow\b/, causes: ['SHADOW'] },
  { words: /\bcamera\b/, causes: ['CAMERA_MOVED', 'COLOR_MODE'] },
  { words: /\b(overlay|time stamp|clock)\b/, causes: ['OVERLAY'] },
  { words: /\b(noise|noisier|noisy|grain)\b/, causes: ['NOISE'] },
  { words: /\b(rain|snow|specks|fog|haze)\b/, causes: ['WEATHER'] },
  { words: /\bnight mode\b/, causes: ['COLOR_MODE'] },
  { words: /\b(obscured|out of focus)\b/, causes: ['OBSCURED'] },
  { words: /\binterrupted\b/, causes: ['SIGNAL_GAP'] },
  { words: /\brendered\b/, causes: ['RENDERING'] },
];

/** What a sentence of a cause must say. */
export const requiredCause: Readonly<Record<ConditionCause, RegExp>> = {
  LIGHTING: /\blight\b/,
  CAMERA_MOVED: /\bcamera (?:moved|shook)\b/,
  OVERLAY: /\b(overlay|time stamp|clock)\b/,
  NOISE: /\b(noise|noisier|noisy|grain)\b/,
  WEATHER: /\b(rain|snow|fog)\b/,
  SHADOW: /\bshadow\b/,
  COLOR_MODE: /\blost its colour\b/,
  OBSCURED: /\b(obscured|out of focus)\b/,
  SIGNAL_GAP: /\bsignal\b/,
  RENDERING: /\brendered\b/,
};

const escape = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** Pattern of any of some phrases as whole words, the longest first: "hot dog" before "dog". */
export const anyOf = (phrases: readonly string[]): string =>
  `\\b(?:${[...phrases]
    .sort((a, b) => b.length - a.length)
    .map(escape)
    .join('|')})\\b`;

/** Every class that the detector knows, by its singular and its plural. */
export const classOf: ReadonlyMap<string, string> = new Map(
  cocoLabels.flatMap((label) => [
    [label, label],
    [plural(label), label],
  ]),
);

export const COLOUR = `(?:#[0-9a-f]{6}|${anyOf(colourNames)})`;

const numbers = Array.from({ length: 11 }, (_, n) => numberWord(n));
/** Counts as sentences write them. */
export const COUNT = `(?:none|${numbers.join('|')}|\\d+)`;
/** Those that nothing but a count is written with. */
export const COUNT_WORD = `\\b(?:${numbers.slice(2).join('|')})\\b`;
export const countOf = (word: string): number =>
  word === 'none' ? 0 : numbers.includes(word) ? numbers.indexOf(word) : Number(word);

/** A side, a corner or the middle of the picture. */
export const SIDE = '(?:(?:upper|lower) (?:left|right)|left|right|top|bottom|middle)';
/** Words that say where or whither; free only where a pattern has taken them. */
export const placeWords = /\b(left|right|top|bottom|upper|lower|middle|upwards|downwards)\b/g;
