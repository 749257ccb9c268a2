import { unionOf } from '../../pixels/geometry.js';
import type { Region } from '../../records/index.js';
import { marksOf, type Mark } from './marks.js';
import { panelsOf, type Panel } from './panels.js';
import { contrastOf, type Raster } from './raster.js';

/**
 * A part of an interface as one looks at it. `run`: a line of text or an icon; `rule`: a separator; `frame`: a border;
 * `panel`: the surface itself.
 */
export interface Element {
  readonly form: 'run' | 'rule' | 'frame' | 'panel';
  readonly region: Region;
  /** What it lies upon; of a panel its own colour. */
  readonly paper: number;
  readonly colour: number;
  /** The number of the panel that it lies upon, -1 for none and for panels themselves. */
  readonly panel: number;
  readonly marks: readonly Mark[];
  /** Equal where, and in all likelihood only where, form and colours of the ink are. */
  readonly key: string;
}

export interface Layout {
  readonly raster: Raster;
  readonly elements: readonly Element[];
  readonly panels: readonly Panel[];
}

/** Blanks between words are narrower than this share of the line's height; what is farther apart are two elements. */
const wordGapShare = 0.65;
const leastWordGapPx = 4;
/** Letters of a word are closer than this share of the line's height, and may have any colours, as code has. */
const letterGapShare = 0.2;
/** Words of a text have one colour, but for this many levels: an icon beside it is often paler. */
const wordColourLevels = 40;

/** The elements of a picture, top to bottom. */
export function layoutOf(raster: Raster): Layout {
  const found = panelsOf(raster);
  const marks = marksOf(raster, found);
  const elements: Element[] = withoutCounters(found.panels, marks).map(({ region, colour }) => ({
    ...{ form: 'panel', region, colour, paper: colour, panel: -1, marks: [] },
    key: `panel ${colour} ${region.width} ${region.height}`,
  }));
  for (const mark of marks) if (mark.form !== 'mark') elements.push(elementOf(mark.form, [mark], raster));
  for (const run of runsOf(marks.filter(({ form }) => form === 'mark'))) elements.push(elementOf('run', run, raster));
  elements.sort((a, b) => a.region.y - b.region.y || a.region.x - b.region.x);
  return { raster, elements, panels: found.panels };
}

/** The inside of a large O is no surface of its own: it lies within a letter, and looks as what the letter lies upon. */
const withoutCounters = (panels: readonly Panel[], marks: readonly Mark[]): Panel[] => {
  const letters = marks.filter(({ form }) => form === 'mark');
  return panels.filter(
    ({ region, colour }) => !letters.some((mark) => mark.paper === colour && isWithin(region, mark.region)),
  );
};

const isWithin = (inner: Region, outer: Region): boolean =>
  inner.x >= outer.x &&
  inner.y >= outer.y &&
  inner.x + inner.width <= outer.x + outer.width &&
  inner.y + inner.height <= outer.y + outer.height;

function elementOf(form: Element['form'], marks: readonly Mark[], raster: Raster): Element {
  const region = unionOf(marks.map((mark) => mark.region));
  const { paper, panel } = marks[0];
  const weight = new Map<number, number>();
  for (const { colour, pixels } of marks) weight.set(colour, (weight.get(colour) ?? 0) + pixels.length);
  const colour = [...weight].reduce((best, one) => (one[1] > best[1] ? one : best))[0];
  return { form, region, paper, colour, panel, marks, key: keyOf(form, region, marks, raster) };
}

/** Two sums over place and colour of every pixel. */
function keyOf(form: string, region: Region, marks: readonly Mark[], { width, colours }: Raster): string {
  let [a, b] = [0x811c9dc5, 0x1b873593];
  for (const { pixels } of marks) {
    for (const at of pixels) {
      const x = at % width;
      const place = ((at - x) / width - region.y) * 8_192 + (x - region.x);
      // Of each pixel by itself, and added up: the order of the marks does not matter.
      const own = Math.imul(Math.imul(place, 0x9e3779b1) ^ colours[at], 0x85ebca6b);
      a = (a + (own ^ (own >>> 13))) | 0;
      b = (b + Math.imul(own ^ (own >>> 16), 0xc2b2ae35)) | 0;
    }
  }
  return `${form} ${region.width} ${region.height} ${a} ${b}`;
}

/** A run that is growing. */
interface Run {
  region: Region;
  readonly marks: Mark[];
}

/** Marks that stand in one line on one paper, and no more than a blank apart. */
function runsOf(marks: readonly Mark[]): Mark[][] {
  const runs = withDots(marks).sort((a, b) => a.region.x - b.region.x);
  const open: Run[] = [];
  const done: Run[] = [];
  for (const run of runs) {
    // What ends farther to the left than any blank reaches is complete.
    for (let i = open.length - 1; i >= 0; i--) {
      const { x, width, height } = open[i].region;
      if (run.region.x - (x + width) > Math.max(leastWordGapPx, Math.max(height, run.region.height)))
        done.push(...open.splice(i, 1));
    }
    const home = open.filter((line) => isOneLine(line, run));
    if (home.length === 0) open.push(run);
    else {
      const [first, ...others] = home;
      for (const other of [run, ...others]) {
        first.region = unionOf([first.region, other.region]);
        first.marks.push(...other.marks);
      }
      for (const other of others) open.splice(open.indexOf(other), 1);
    }
  }
  return [...done, ...open].map((run) => run.marks);
}

function isOneLine(line: Run, next: Run): boolean {
  if (line.marks[0].panel !== next.marks[0].panel) return false;
  const [a, b] = [line.region, next.region];
  const level = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
  const gap = b.x - (a.x + a.width);
  const [lower, higher] = [Math.min(a.height, b.height), Math.max(a.height, b.height)];
  // A dash, a stop or a quotation mark is low; what is as tall as two lines is not a letter of this one.
  if (level < 0.5 * lower || (lower > higher / 2 && higher > 1.9 * lower)) return false;
  const isOfOneColour = contrastOf(line.marks[line.marks.length - 1].colour, next.marks[0].colour) <= wordColourLevels;
  if (gap <= Math.max(2, letterGapShare * higher)) return isOfOneColour || !isPaleIcon(line, next);
  return (
    gap <= Math.max(leastWordGapPx, wordGapShare * higher) &&
    isOfOneColour &&
    !isIconBeside(line, next) &&
    !isIconBeside(next, line)
  );
}

/** What is about as wide as high and higher than the words beside it, with room in between, is an icon. */
function isIconBeside({ region: icon, marks }: Run, { region: words }: Run): boolean {
  return (
    marks.length <= 4 &&
    icon.width >= 0.7 * icon.height &&
    icon.width <= 1.5 * icon.height &&
    icon.height >= 1.15 * words.height &&
    words.height >= 0.5 * icon.height
  );
}

/** One piece of ink in another colour, wider than high and as high as the letters that follow. */
const isPaleIcon = ({ region: icon, marks }: Run, { region: letter }: Run): boolean =>
  marks.length === 1 && icon.width > icon.height && icon.height >= 0.9 * letter.height;

/** Runs of one mark each, dots and accents with their letters. */
function withDots(marks: readonly Mark[]): Run[] {
  const byY = [...marks].sort((a, b) => a.region.y - b.region.y);
  const isTaken = new Set<Mark>();
  const dots = new Map<Mark, Mark[]>();
  byY.forEach((dot, i) => {
    for (let j = i + 1; j < byY.length; j++) {
      const letter = byY[j];
      if (letter.region.y - (dot.region.y + dot.region.height) > 0.4 * 64) break;
      if (!isDotOf(dot, letter)) continue;
      isTaken.add(dot);
      dots.set(letter, [...(dots.get(letter) ?? []), dot]);
      break;
    }
  });
  const whole = (mark: Mark): Mark[] => [mark, ...(dots.get(mark) ?? []).flatMap(whole)];
  return byY
    .filter((mark) => !isTaken.has(mark))
    .map((mark) => {
      const all = whole(mark);
      return { region: unionOf(all.map(({ region }) => region)), marks: all };
    });
}

function isDotOf({ region: dot, panel }: Mark, { region: letter, panel: on }: Mark): boolean {
  if (panel !== on || dot.height > 0.5 * letter.height || dot.width > 1.5 * letter.width) return false;
  const gap = letter.y - (dot.y + dot.height);
  const shared = Math.min(dot.x + dot.width, letter.x + letter.width) - Math.max(dot.x, letter.x);
  return gap >= 0 && gap <= Math.max(1, 0.4 * letter.height) && shared >= 0.5 * dot.width;
}
