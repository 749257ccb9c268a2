import { crop, wholePixels } from '../pixels/crop.js';
import { sharedArea, unionOf } from '../pixels/geometry.js';
import { resize } from '../pixels/resize.js';
import type { PictureU8, Region } from '../records/index.js';
import type { Models } from './models.js';
import { bgrPlanes, type Normalisation } from './tensor.js';
import { textBoxes } from './text-boxes.js';
import { drawOut, inkOf, joinWords, type InkLine } from './text-ink.js';

/** In the order blue, green, red. */
const normalisation: Normalisation = { mean: [123.675, 116.28, 103.53], std: [58.395, 57.12, 57.375] };
/**
 * A region is looked at with this much around it: enlarged to fill the view, signs fall apart into letters (measured:
 * half of the signs without surroundings, one in forty with 80 px of them). Sideways more, because lines go on there.
 */
const contextAcrossPx = 200;
const contextDownPx = 100;
/** Larger pictures are looked at in tiles of this side, which overlap by a line's height and more. */
const tilePx = 1280;
const tileOverlapPx = 96;
/** The detector's input has sides that are multiples of this. */
const stepPx = 32;

/**
 * Boxes of the lines of text in a picture, top to bottom, tight around the ink (as the detector gives them where ink
 * and paper differ little); with `region` those that touch it, whole even where they go beyond it. In whole px.
 *
 * Method: PP-OCRv4 detection at the picture's own scale, words joined to lines by their ink.
 *
 * @param picture RGB
 * @throws BlinkstreamError as `Models.run`; `REGION_OUTSIDE`
 */
export async function findLines(models: Models, picture: PictureU8, region?: Region): Promise<Region[]> {
  if (!region) return linesIn(models, picture, { x: 0, y: 0, width: picture.width, height: picture.height });
  let place = wholePixels(region, picture);
  let window = windowAround(place, picture);
  for (;;) {
    const lines = (await linesIn(models, picture, window)).filter((line) => sharedArea(line, region) > 0);
    // A line that is cut by the window's side is looked at again in a wider one, until the picture ends.
    place = unionOf([place, ...lines.filter((line) => isCut(line, window))]);
    const wider = windowAround(place, picture);
    if (wider.width === window.width && wider.height === window.height) return lines;
    window = wider;
  }
}

const windowAround = (place: Region, picture: PictureU8): Region =>
  wholePixels(
    {
      x: place.x - contextAcrossPx,
      y: place.y - contextDownPx,
      width: place.width + 2 * contextAcrossPx,
      height: place.height + 2 * contextDownPx,
    },
    picture,
  );

const isCut = (line: Region, window: Region): boolean =>
  line.x - window.x < line.height || window.x + window.width - (line.x + line.width) < line.height;

async function linesIn(models: Models, picture: PictureU8, window: Region): Promise<Region[]> {
  const words: InkLine[] = [];
  for (const tile of tiles(window)) {
    for (const box of await detect(models, picture, tile)) words.push(inkOf(picture, box) ?? withoutInk(box));
  }
  const lines = joinWords(words);
  return lines.map((line) =>
    drawOut(
      line,
      picture,
      lines.filter((other) => other !== line),
    ),
  );
}

const withoutInk = (box: Region): InkLine => ({ box, isInk: () => false });

function tiles(window: Region): Region[] {
  const starts = (size: number): number[] => {
    const list = [0];
    for (let at = 0; at + tilePx < size; list.push(at)) at += tilePx - tileOverlapPx;
    return list;
  };
  return starts(window.height).flatMap((down) =>
    starts(window.width).map((across) => ({
      x: window.x + across,
      y: window.y + down,
      width: Math.min(tilePx, window.width - across),
      height: Math.min(tilePx, window.height - down),
    })),
  );
}

/** Boxes of text in a part of the picture, in whole pixels of the picture. */
async function detect(models: Models, picture: PictureU8, part: Region): Promise<Region[]> {
  const toStep = (size: number): number => Math.max(1, Math.round(size / stepPx)) * stepPx;
  const [width, height] = [toStep(part.width), toStep(part.height)];
  const [map] = await models.run('textDetection', bgrPlanes(resize(crop(picture, part), width, height), normalisation));
  const [scaleX, scaleY] = [part.width / width, part.height / height];
  return textBoxes(map.values, width, height).map(({ box }) =>
    wholePixels(
      {
        x: part.x + box.x * scaleX,
        y: part.y + box.y * scaleY,
        width: box.width * scaleX,
        height: box.height * scaleY,
      },
      picture,
    ),
  );
}
