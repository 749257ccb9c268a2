import { centreOf } from '../../pixels/geometry.js';
import { zoneOf } from '../../pixels/zones.js';
import type { Region, Subject, Zone } from '../../records/index.js';

interface Size {
  readonly width: number;
  readonly height: number;
}

/** A picture in which places may have names. */
export interface Scenery extends Size {
  readonly zones?: readonly Zone[];
}

/** Where a box lies in the picture: `in zone desk` where that place has a name, else as `thirdOf`. */
export function placeOf(region: Region, picture: Scenery): string {
  const zone = zoneOf(picture.zones ?? [], region, picture);
  return zone === undefined ? thirdOf(region, picture) : `in zone ${zone}`;
}

/** Where a box lies in the picture, by thirds: `at the upper left`, `in the middle`. */
export function thirdOf(region: Region, picture: Size): string {
  const { x, y } = centreOf(region);
  const sides = [third(y, picture.height, 'top', 'bottom'), third(x, picture.width, 'left', 'right')];
  const side = corner(sides[0], sides[1]);
  return side === '' ? 'in the middle' : `at the ${side}`;
}

const third = (at: number, size: number, low: string, high: string): string =>
  at < size / 3 ? low : at > (2 * size) / 3 ? high : '';

/** `upper left` of `top` and `left`; the one of them that is not empty. */
const corner = (row: string, column: string): string =>
  row === '' || column === '' ? row + column : `${row === 'top' ? 'upper' : 'lower'} ${column}`;

/** The border or corner that a box touches: `left`, `upper left`; empty where it touches none, or opposite ones. */
export function borderOf(region: Region, picture: Size, marginPx: number): string {
  const touched = (low: boolean, high: boolean, names: readonly [string, string]) =>
    low === high ? '' : names[low ? 0 : 1];
  return corner(
    touched(region.y <= marginPx, region.y + region.height >= picture.height - marginPx, ['top', 'bottom']),
    touched(region.x <= marginPx, region.x + region.width >= picture.width - marginPx, ['left', 'right']),
  );
}

/** Main direction of a way: `to the right`, `upwards`, `to the lower left`; empty below one pixel. */
export function directionOf(dx: number, dy: number): string {
  const length = Math.hypot(dx, dy);
  if (length < 1) return '';
  const sideways = Math.abs(dx) / length > 0.4 ? (dx > 0 ? 'right' : 'left') : '';
  const upright = Math.abs(dy) / length > 0.4 ? (dy > 0 ? 'down' : 'up') : '';
  if (sideways === '') return `${upright}wards`;
  if (upright === '') return `to the ${sideways}`;
  return `to the ${upright === 'up' ? 'upper' : 'lower'} ${sideways}`;
}

const numbers = ['no', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten'];
const ordinals = ['first', 'second', 'third', 'fourth', 'fifth', 'sixth', 'seventh', 'eighth', 'ninth', 'tenth'];

/** `three`; in figures above ten. */
export const numberWord = (n: number): string => numbers[n] ?? String(n);

const irregular: Readonly<Record<string, string>> = {
  person: 'people',
  knife: 'knives',
  mouse: 'mice',
  sheep: 'sheep',
  skis: 'skis',
  scissors: 'scissors',
};

export function plural(label: string): string {
  const words = label.split(' ');
  const last = words[words.length - 1];
  const many =
    irregular[last] ??
    (/(s|x|ch|sh)$/.test(last) ? `${last}es` : /[^aeiou]y$/.test(last) ? `${last.slice(0, -1)}ies` : `${last}s`);
  return [...words.slice(0, -1), many].join(' ');
}

/** Things that come as a pair have no singular: `scissors`, `skis`. */
export const isPair = (label: string): boolean => label !== 'sheep' && plural(label) === label;

export const withArticle = (label: string): string =>
  isPair(label) ? `a pair of ${label}` : `${/^[aeiou]/i.test(label) ? 'an' : 'a'} ${label}`;

/** Who moves, as sentences begin: `a person`; `something` where no class fits. */
export const moverName = (subject: Pick<Subject, 'label' | 'confidence'>): string =>
  subject.confidence > 0 ? withArticle(subject.label) : 'something';

/**
 * Names one of several alike by its place from left to right: `left of three bottles`, `second of five cars from the left`.
 * `own` is one of `all`. Undefined where it is the only one.
 */
export function nameAmong(label: string, own: Region, all: readonly Region[]): string | undefined {
  if (all.length < 2) return undefined;
  const ordered = [...all].sort((a, b) => centreOf(a).x - centreOf(b).x);
  const at = ordered.indexOf(own);
  if (at < 0) return undefined;
  const many = `${numberWord(all.length)} ${plural(label)}`;
  if (all.length === 2) return `${at === 0 ? 'left' : 'right'} of ${many}`;
  if (all.length === 3) return `${['left', 'middle', 'right'][at]} of ${many}`;
  if (at === all.length - 1) return `last of ${many} from the left`;
  return `${ordinals[at] ?? `${at + 1}th`} of ${many} from the left`;
}

export const capital = (sentence: string): string => sentence.charAt(0).toUpperCase() + sentence.slice(1);

/** `0.4 s`, `12 s`, `3 min 5 s`. */
export function lasting(ms: number): string {
  if (ms < 9_950) return `${(ms / 1_000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1_000);
  if (seconds < 60) return `${seconds} s`;
  return seconds % 60 === 0 ? `${seconds / 60} min` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}
