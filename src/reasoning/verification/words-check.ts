import { cocoLabels } from '../../evidence/coco.js';
import type { ChangeKind, Check, Region } from '../../records/index.js';
import type { SceneEvidence } from '../../evidence/scene.js';
import type { Claim } from '../claim.js';
import { bordersOf, directionOf, nameAmong, numberWord, placeOf, plural } from '../measured/words.js';

/** Words that say what happened; each may only stand in sentences of these kinds. */
const verbs: readonly { readonly words: RegExp; readonly kinds: readonly ChangeKind[] }[] = [
  { words: /\b(appeared|added|put back|is back|arrived)\b/i, kinds: ['APPEARED', 'ONSET'] },
  { words: /\b(gone|disappeared|removed|taken|vanished)\b/i, kinds: ['DISAPPEARED'] },
  { words: /\bmoved\b/i, kinds: ['MOVED', 'ACTIVITY', 'CONDITION'] },
  { words: /\breplaced\b/i, kinds: ['REPLACED'] },
  { words: /\bchanged its colour\b/i, kinds: ['RECOLORED'] },
  { words: /\bthe text\b/i, kinds: ['TEXT_CHANGED'] },
  { words: /\b(came in|entered|was last seen|went)\b/i, kinds: ['ACTIVITY'] },
  { words: /\b(light|overlay|noisier|specks|shadow|shook|colour, as a camera)\b/i, kinds: ['CONDITION'] },
];

const required: Partial<Record<ChangeKind, RegExp>> = {
  APPEARED: /appeared|added|put back|is back|arrived/i,
  DISAPPEARED: /gone|disappeared|removed|taken|vanished/i,
  MOVED: /moved/i,
  REPLACED: /replaced/i,
  RECOLORED: /colou?r/i,
  TEXT_CHANGED: /changed to/i,
};

const placeWords = ['left', 'right', 'top', 'bottom', 'upper', 'lower', 'middle', 'upwards', 'downwards'];
const countWords = Array.from({ length: 11 }, (_, n) => numberWord(n)).filter(
  (word) => word !== 'one' && word !== 'no',
);

/**
 * Holds the words of a sentence against what was measured: what happened, quoted words, colours, figures, numbers of
 * things, places, directions and the name of the thing. Words that state no such fact are free.
 */
export function statementCheck(claim: Claim, evidence: SceneEvidence): Check {
  const wrong = problems(claim, evidence);
  return wrong.length === 0
    ? { name: 'statement', verdict: 'SUPPORTED', detail: 'every fact in the sentence was measured' }
    : { name: 'statement', verdict: 'CONTRADICTED', detail: wrong.join('; ') };
}

function problems(claim: Claim, evidence: SceneEvidence): string[] {
  const found: string[] = [];
  const quotes = [...claim.statement.matchAll(/"([^"]*)"/g)].map((m) => m[1]);
  const plain = claim.statement.replace(/"[^"]*"/g, '').toLowerCase();
  const must = required[claim.kind];
  if (must !== undefined && !must.test(plain)) found.push(`it does not say ${claim.kind}`);
  for (const { words, kinds } of verbs) {
    const said = words.exec(plain);
    if (said !== null && !kinds.includes(claim.kind)) found.push(`"${said[0]}" does not fit ${claim.kind}`);
  }
  const texts = [claim.before?.text, claim.after?.text].filter((text) => text !== undefined);
  if (claim.kind === 'TEXT_CHANGED' ? quotes.join('\n') !== texts.join('\n') : quotes.some((q) => !texts.includes(q))) {
    found.push(
      `quotes ${quotes.map((q) => `"${q}"`).join(', ')} where ${texts.map((t) => `"${t}"`).join(', ') || 'no text'} was read`,
    );
  }
  const colours = [claim.before?.color, claim.after?.color];
  for (const [colour] of plain.matchAll(/#[0-9a-f]{6}/g))
    if (!colours.includes(colour)) found.push(`${colour} was not measured`);
  const place = allowedPlaces(claim, evidence);
  for (const word of plain.match(/[a-z]+/g) ?? []) {
    if (placeWords.includes(word) && !place.has(word) && !(word === 'left' && countsLeft(plain)))
      found.push(`"${word}" was not measured`);
  }
  found.push(...wrongNames(plain, claim), ...wrongCounts(plain, claim), ...wrongFigures(plain, claim));
  return found;
}

/** "two are left", "one is left", "left at the right": not a place. */
const countsLeft = (sentence: string): boolean => /\b(is|are) left\b|\band left at\b|, left at\b/.test(sentence);

function allowedPlaces(claim: Claim, evidence: SceneEvidence): Set<string> {
  const picture = evidence.sequence.frames[0].ref;
  const allowed = new Set<string>();
  const allow = (words: string | undefined) => {
    for (const word of words?.match(/[a-z]+/g) ?? []) allowed.add(word);
  };
  const boxes = [claim.before?.region, claim.after?.region].filter((r): r is Region => r !== undefined);
  for (const box of boxes) {
    allow(placeOf(box, picture));
    for (const objects of [evidence.objects.before, evidence.objects.after]) {
      const alike = objects.filter((o) => o.label === claim.subject.label).map((o) => o.region);
      const own = alike.find((r) => r.x === box.x && r.y === box.y && r.width === box.width && r.height === box.height);
      if (own !== undefined) allow(nameAmong(claim.subject.label, own, alike));
    }
  }
  if (claim.shift) allow(directionOf(claim.shift.dx, claim.shift.dy));
  if (claim.kind === 'ACTIVITY') {
    const track = evidence.tracks.find((t) => t.id === claim.identity.trackId);
    if (track !== undefined) {
      const [a, b] = [track.path[0], track.path[track.path.length - 1]];
      allow(directionOf(b.x - a.x, b.y - a.y));
      const margin = 0.03 * Math.min(picture.width, picture.height);
      for (const box of [track.firstRegion, track.lastRegion]) {
        allow(placeOf(box, picture));
        for (const side of bordersOf(box, picture, margin)) allow(side);
      }
      allow(placeOf(track.bestRegion, picture));
    }
  }
  return allowed;
}

/** Every class that the detector knows may only be named if it is the subject's, or the class that it replaced. */
function wrongNames(sentence: string, claim: Claim): string[] {
  const own = claim.subject.label.toLowerCase();
  const known = own !== 'object' && own !== 'picture' && own !== 'text';
  if (known && !new RegExp(`\\b(${escape(own)}|${escape(plural(own))})\\b`).test(sentence))
    return [`it does not name the ${own}`];
  if (claim.kind === 'REPLACED') return [];
  const rest = sentence.replaceAll(plural(own), '').replaceAll(own, '');
  return cocoLabels
    .filter((label) => label !== own && new RegExp(`\\b(${escape(label)}|${escape(plural(label))})\\b`).test(rest))
    .map((label) => `a ${label} was not seen there`);
}

const escape = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

function wrongCounts(sentence: string, claim: Claim): string[] {
  const counts = claim.measures.filter((m) => m.unit === 'count').flatMap((m) => [m.before, m.after]);
  return countWords
    .filter((word, i) => new RegExp(`\\b${word}\\b`).test(sentence) && !counts.includes(i + 2))
    .map((word) => `"${word}" was not counted`);
}

/** Figures with a unit must be a measure or a side of the box, as rounded in print. */
function wrongFigures(sentence: string, claim: Claim): string[] {
  const sides = [claim.before?.region, claim.after?.region].flatMap((r) => (r ? [r.width, r.height] : []));
  const measured = claim.measures.flatMap((m) => [m.before, m.after]).filter((v) => v !== undefined);
  const duration = (claim.interval.last.elapsedMs - claim.interval.first.elapsedMs) / 1_000;
  const values: Readonly<Record<string, readonly number[]>> = {
    px: [...sides, ...measured],
    '%': [...measured.map((v) => v * 100), ...measured.map((v) => 100 - v * 100)],
    s: [...measured, duration, duration % 60],
    min: [duration / 60],
  };
  const wrong: string[] = [];
  for (const [, a, b, unit] of sentence.matchAll(/(\d+(?:\.\d+)?)(?: × (\d+))? (px|%|s|min)(?![a-z])/g)) {
    for (const figure of [a, b]) {
      if (figure === undefined) continue;
      const step = figure.includes('.') ? 0.1 : 1;
      if (!values[unit].some((v) => Math.abs(v - Number(figure)) <= step))
        wrong.push(`${figure} ${unit} was not measured`);
    }
  }
  return wrong;
}
