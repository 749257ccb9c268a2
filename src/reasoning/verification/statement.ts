import type { SceneEvidence } from '../../evidence/scene.js';
import { colourName } from '../../pixels/colour.js';
import { iou } from '../../pixels/geometry.js';
import type { Check, Region } from '../../records/index.js';
import type { Claim } from '../claim.js';
import { facing, passageOf } from '../measured/passage.js';
import { directionOf, nameAmong, plural, thirdOf } from '../measured/words.js';
import { zoneCheck } from './zones.js';
import { figures } from './figures.js';
import { Sentence } from './sentence.js';
import {
  anyOf,
  causeWords,
  classOf,
  COLOUR,
  COUNT,
  COUNT_WORD,
  countOf,
  placeWords,
  required,
  requiredCause,
  SIDE,
  verbs,
} from './vocabulary.js';

/**
 * Holds the words of a sentence against what was measured: what happened, quoted words, colours, figures, numbers of
 * things, places, directions and the name of the thing, each in the part that it plays. Words that state no such fact are
 * free. Facts that no measurement speaks for leave the sentence unverified.
 */
export function statementCheck(claim: Claim, evidence: SceneEvidence): Check {
  const sentence = new Sentence(claim.statement);
  quotes(sentence, claim);
  zoneCheck(sentence, claim, evidence);
  figures(sentence, claim);
  colours(sentence, claim);
  names(sentence, claim, evidence);
  verbsOf(sentence, claim);
  counts(sentence, claim, evidence);
  places(sentence, claim, evidence);
  sentence.each(
    /\d+(?:\.\d+)?/g,
    ([figure]) => void sentence.unsure.push(`nothing was measured that ${figure} could be`),
  );
  if (sentence.wrong.length > 0)
    return { name: 'statement', verdict: 'CONTRADICTED', detail: sentence.wrong.join('; ') };
  if (sentence.unsure.length > 0)
    return { name: 'statement', verdict: 'UNVERIFIED', detail: sentence.unsure.join('; ') };
  return { name: 'statement', verdict: 'SUPPORTED', detail: 'every fact in the sentence was measured' };
}

/** The words before and after, in this order, and no others. */
function quotes(sentence: Sentence, claim: Claim): void {
  for (const text of [claim.before?.text, claim.after?.text]) {
    if (text !== undefined && !sentence.cut(`"${text}"`))
      sentence.wrong.push(`it does not quote "${text}" in its place`);
  }
  sentence.take(/"[^"]*"?/g, () => false, 'was not read');
  sentence.lower();
}

function colours(sentence: Sentence, claim: Claim): void {
  const [before, after] = [claim.before?.color, claim.after?.color];
  const is = (said: string, measured: string | undefined) =>
    measured !== undefined && (said === measured || said === colourName(measured));
  if (claim.kind === 'RECOLORED') {
    sentence.take(new RegExp(`\\bfrom (${COLOUR}) to (${COLOUR})`, 'g'), ([, a, b]) => is(a, before) && is(b, after));
    sentence.take(new RegExp(`\\bshade of (${COLOUR})`, 'g'), ([, said]) => is(said, before) && is(said, after));
    sentence.take(new RegExp(`\\b(?:to|turned) (${COLOUR})`, 'g'), ([, said]) => is(said, after));
  }
  sentence.take(/#[0-9a-f]{6}/g, ([said]) => said === before || said === after);
  // A mean colour is of the thing and what lies around it: it cannot contradict "a red car".
  const named = claim.subject.label.toLowerCase();
  sentence.each(new RegExp(COLOUR, 'g'), ([said]) => {
    if (said !== named && !is(said, before) && !is(said, after)) sentence.unsure.push(`${said} was not measured`);
  });
}

/** The thing by its class; no other class but the one that it replaced. */
function names(sentence: Sentence, claim: Claim, evidence: SceneEvidence): void {
  const own = claim.subject.label.toLowerCase();
  const nameless = ['object', 'picture', 'text'].includes(own);
  const replaced = claim.kind === 'REPLACED' ? sentence.text.search(/\breplaced by\b/) : -1;
  const before = evidence.objects.before.filter((o) => iou(o.region, claim.before?.region ?? o.region) > 0);
  let named = nameless;
  const classes = anyOf([...classOf.keys(), ...(nameless || classOf.has(own) ? [] : [own])]);
  sentence.take(
    new RegExp(classes, 'g'),
    ({ 0: said, index }) => {
      const label = classOf.get(said) ?? said;
      named ||= label === own;
      // What was replaced has a name of its own, before the words that say so.
      if (replaced >= 0 && index < replaced) return before.some((o) => o.label === label);
      return label === own;
    },
    'was not seen there',
  );
  if (!named) sentence.wrong.push(`it does not name the ${own}`);
}

function verbsOf(sentence: Sentence, claim: Claim): void {
  const must = required[claim.kind];
  if (must !== undefined && !must.test(sentence.text)) sentence.wrong.push(`it does not say ${claim.kind}`);
  for (const { words, kinds } of verbs) {
    const said = words.exec(sentence.text);
    if (said !== null && !kinds.includes(claim.kind)) sentence.wrong.push(`"${said[0]}" does not fit ${claim.kind}`);
  }
  if (claim.kind !== 'CONDITION' || claim.condition === undefined) return;
  const { condition } = claim;
  if (!requiredCause[condition].test(sentence.text)) sentence.wrong.push(`it does not say ${condition}`);
  for (const { words, causes } of causeWords) {
    const said = words.exec(sentence.text);
    if (said !== null && !causes.includes(condition)) sentence.wrong.push(`"${said[0]}" does not fit ${condition}`);
  }
}

/** "the left of three bottles", "two are left", "there are three bottles now". */
function counts(sentence: Sentence, claim: Claim, evidence: SceneEvidence): void {
  const { label } = claim.subject;
  const measured = claim.measures.find((m) => m.unit === 'count');
  const among = sides(claim, evidence).flatMap(({ box, objects }) => {
    const alike = objects.filter((o) => o.label === label).map((o) => o.region);
    const own = alike.find((region) => iou(region, box) > 0.8);
    const named = own && nameAmong(label, own, alike);
    return named === undefined ? [] : [named.replace(plural(label), '…')];
  });
  const is = ([, said]: RegExpExecArray) => countOf(said) === measured?.after;
  sentence.take(new RegExp(`\\b\\w+ of ${COUNT} …( from the left)?`, 'g'), ([said]) => among.includes(said));
  sentence.take(
    new RegExp(`\\b(up|down) from (${COUNT})\\b`, 'g'),
    ([, way, said]) =>
      countOf(said) === measured?.before && way === ((measured.after ?? 0) > measured.before ? 'up' : 'down'),
  );
  sentence.take(new RegExp(`\\b(${COUNT}) (?:is|are) left\\b`, 'g'), is);
  sentence.take(new RegExp(`\\bthere (?:is|are) (${COUNT})\\b`, 'g'), is);
  sentence.take(new RegExp(COUNT_WORD, 'g'), ([said]) => [measured?.before, measured?.after].includes(countOf(said)));
}

/** Boxes of a claim, each with the objects of its side. */
const sides = (claim: Claim, { objects }: SceneEvidence) =>
  (['before', 'after'] as const).flatMap((side) => {
    const box = claim[side]?.region;
    return box === undefined ? [] : [{ box, objects: objects[side] }];
  });

function places(sentence: Sentence, claim: Claim, evidence: SceneEvidence): void {
  const picture = evidence.sequence.frames[0].ref;
  const at = (box: Region | undefined) => (box === undefined ? [] : [thirdOf(box, picture)]);
  const place = new RegExp(`\\b(?:at|in|on|near) the (${SIDE})\\b`, 'g');
  const way = new RegExp(`\\b(to the ${SIDE}|upwards|downwards)\\b`, 'g');
  const track = evidence.tracks.find((t) => t.id === claim.identity.trackId);
  if (claim.kind === 'ACTIVITY' && track !== undefined) {
    // Zones were taken out before: what is left are parts of the picture.
    const passage = passageOf(track, { width: picture.width, height: picture.height });
    sentence.take(
      new RegExp(`\\b(?:came in|entered) at the (${SIDE})\\b`, 'g'),
      ([, said]) => said === passage.entered,
    );
    sentence.take(new RegExp(`\\b(?:went out|left) at the (${SIDE})\\b`, 'g'), ([, said]) => said === passage.left);
    sentence.take(/\bwent out there again\b/g, () => passage.left !== '' && passage.left === passage.entered);
    sentence.take(
      new RegExp(`\\bcrossed the picture from (?:the )?(${SIDE}) to (?:the )?(${SIDE})\\b`, 'g'),
      ([, a, b]) => a === passage.entered && b === passage.left && facing(a, b),
    );
    sentence.take(new RegExp(`(?<=\\blast seen )(?:at|in) the (${SIDE})\\b`, 'g'), ([, said]) =>
      within(said, [passage.to]),
    );
    sentence.take(/\bis (?:still )?moving\b/g, () => track.ongoing);
    sentence.take(/\bwas last seen\b/g, () => !track.ongoing);
    sentence.take(way, ([said]) => said === passage.way);
    sentence.take(place, ([, said]) => within(said, [passage.from]));
    sentence.take(/\bleft(?= (?:the picture|again|after)\b)/g, () => passage.left !== '');
  } else if (claim.kind === 'MOVED') {
    const moved = sentence.text.search(/\bmoved\b/);
    sentence.take(way, ([said]) => said === directionOf(claim.shift?.dx ?? 0, claim.shift?.dy ?? 0));
    sentence.take(place, ({ 1: said, index }) =>
      within(said, at(index < moved ? claim.before?.region : claim.after?.region)),
    );
  } else {
    sentence.take(way, () => false);
    sentence.take(place, ([, said]) => within(said, [...at(claim.before?.region), ...at(claim.after?.region)]));
  }
  sentence.take(placeWords, () => false);
}

/** A place may be told more coarsely than measured: the upper left is at the left. */
const within = (said: string, measured: readonly string[]): boolean =>
  measured.some((phrase) => said.split(' ').every((word) => phrase.split(' ').includes(word)));
