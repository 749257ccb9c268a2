import { areaOf, shareIn } from '../../pixels/geometry.js';
import type { Region } from '../../records/index.js';
import type { Panels } from './panels.js';
import { contrastOf, type Raster } from './raster.js';

/**
 * A connected piece of ink. `rule`: a line of few pixels' width; `frame`: what runs around a surface; `mark`: a letter,
 * an icon, a picture.
 */
export interface Mark {
  readonly form: 'mark' | 'rule' | 'frame';
  readonly region: Region;
  /** Number of the panel that it lies upon, the one that it touches most; -1 where there is none. */
  readonly panel: number;
  /** Colour of that panel; of a mark on none, that of its own rim. */
  readonly paper: number;
  /** The colour that it has where it is strongest. */
  readonly colour: number;
  /** Indices of its pixels, in the order of the picture. */
  readonly pixels: Int32Array;
}

const ruleWidthPx = 3;
/** The stroke of an l in a headline is as thin and nearly as long. */
const ruleLengthPx = 32;
/** Corners of rounded surfaces are smoothed with what lies around: pieces of so many pixels between two surfaces. */
const cornerPx = 6;
/** A frame is hollow: it has so much of its box at most. */
const frameShare = 0.3;
const frameSidePx = 10;
/** One that the picture's side cuts open has one surface within and without; it is hollower than any letter of its size. */
const openFrameSidePx = 24;
const openFrameShare = 0.12;
/** Less contrast to what it lies on is no ink: dithering, noise of a lossy picture. */
const leastContrast = 6;

/** All pieces of ink, top to bottom. */
export function marksOf(raster: Raster, { panels, panelAt }: Panels): Mark[] {
  const { width, height, colours } = raster;
  const seen = new Uint8Array(width * height);
  const stack: number[] = [];
  const marks: Mark[] = [];
  for (let start = 0; start < seen.length; start++) {
    if (seen[start] === 1 || panelAt[start] !== -1) continue;
    const members: number[] = [];
    const touched = new Map<number, number>();
    let [left, right, top, bottom] = [width, -1, height, -1];
    seen[start] = 1;
    stack.push(start);
    for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
      members.push(at);
      const x = at % width;
      const y = (at - x) / width;
      if (x < left) left = x;
      if (x > right) right = x;
      if (y < top) top = y;
      if (y > bottom) bottom = y;
      for (let ny = Math.max(0, y - 1); ny <= Math.min(height - 1, y + 1); ny++) {
        for (let nx = Math.max(0, x - 1); nx <= Math.min(width - 1, x + 1); nx++) {
          const next = ny * width + nx;
          const panel = panelAt[next];
          if (panel !== -1) touched.set(panel, (touched.get(panel) ?? 0) + 1);
          else if (seen[next] === 0) {
            seen[next] = 1;
            stack.push(next);
          }
        }
      }
    }
    const region = { x: left, y: top, width: right - left + 1, height: bottom - top + 1 };
    const surfaces = [...touched].filter(([, times]) => times > 2).length;
    if (surfaces > 1 && region.width <= cornerPx && region.height <= cornerPx) continue;
    const pixels = Int32Array.from(members).sort();
    const panel = [...touched].reduce((best, one) => (one[1] > best[1] ? one : best), [-1, 0])[0];
    const paper = panel === -1 ? colours[pixels[0]] : panels[panel].colour;
    const colour = strongest(pixels, colours, paper);
    if (contrastOf(colour, paper) < leastContrast) continue;
    const isHollow = panel !== -1 && isFilledBy(region, panels[panel].region);
    const form = formOf(region, pixels.length, surfaces, isHollow);
    marks.push({ form, region, panel, paper, colour: form === 'frame' ? commonest(pixels, colours) : colour, pixels });
  }
  return marks;
}

function formOf({ width, height }: Region, count: number, surfaces: number, isHollow: boolean): Mark['form'] {
  const [thin, long] = width < height ? [width, height] : [height, width];
  if (thin <= ruleWidthPx && long >= ruleLengthPx) return 'rule';
  if (surfaces > 1 && thin >= frameSidePx && count < frameShare * width * height) return 'frame';
  if (thin >= openFrameSidePx && (isHollow || count < openFrameShare * width * height)) return 'frame';
  return 'mark';
}

/** Whether a surface lies within a piece of ink, and is most of what that spans: a border with a shadow. */
const isFilledBy = (region: Region, inner: Region): boolean =>
  shareIn(inner, region) === 1 && areaOf(inner) >= 0.5 * areaOf(region);

function commonest(pixels: Int32Array, colours: Uint32Array): number {
  const counts = new Map<number, number>();
  for (const at of pixels) counts.set(colours[at], (counts.get(colours[at]) ?? 0) + 1);
  return [...counts].reduce((best, one) => (one[1] > best[1] ? one : best))[0];
}

/** The commonest colour among the tenth of the pixels that differ most from the paper. */
function strongest(pixels: Int32Array, colours: Uint32Array, paper: number): number {
  const counts = new Map<number, number>();
  for (const at of pixels) counts.set(colours[at], (counts.get(colours[at]) ?? 0) + 1);
  const byContrast = [...counts].sort((a, b) => contrastOf(b[0], paper) - contrastOf(a[0], paper));
  let [left, best, times] = [Math.max(1, pixels.length / 10), byContrast[0][0], 0];
  for (const [colour, count] of byContrast) {
    if (count > times) [best, times] = [colour, count];
    left -= count;
    if (left <= 0) break;
  }
  return best;
}
