import { crop, wholePixels } from '../pixels/crop.js';
import { intersectionOf, sharedArea } from '../pixels/geometry.js';
import { resize } from '../pixels/resize.js';
import { toRgb8 } from '../pixels/rgb8.js';
import type { DetectedObject, Picture, PictureU8, Region } from '../records/index.js';
import { cocoLabels } from './coco.js';
import type { Models } from './models.js';
import { decodeLevel, INPUT_PX, suppress } from './nanodet.js';
import { bgrPlanes, type Normalisation } from './tensor.js';

export interface ObjectOptions {
  /** Look closer at this part, in px: only what overlaps it is returned. Default: the whole picture. */
  readonly region?: Region;
  /** Least confidence, 0–1. Default 0.35. */
  readonly minConfidence?: number;
}

/** In the order blue, green, red. */
const normalisation: Normalisation = { mean: [103.53, 116.28, 123.675], std: [57.375, 57.12, 58.395] };
const maxOverlap = 0.6;
/** A region is looked at with half its size around it on every side: a thing without its surroundings is misnamed. */
const contextShare = 0.5;
/** A smaller window would only magnify blur. */
const minWindowPx = INPUT_PX / 2;

/**
 * Things of the 80 COCO classes in a picture, best first; boxes in px of the picture, clipped to it. One thing may
 * come under several classes where the detector wavers. A thing that leaves the window around `region` is boxed as
 * far as the window shows it.
 *
 * Method: NanoDet (RangiLyu/nanodet, Apache-2.0) on the picture fitted into 416×416 with its aspect kept and mean grey
 * around it (stretched instead, it took bottles for vases), non-maximum suppression within each class. `u16` and
 * `f32` pictures are seen as `toRgb8` shows them.
 *
 * @throws BlinkstreamError as `Models.run`; `REGION_OUTSIDE`
 */
export async function detectObjects(
  models: Models,
  picture: Picture,
  { region, minConfidence = 0.35 }: ObjectOptions = {},
): Promise<DetectedObject[]> {
  const whole: Region = { x: 0, y: 0, width: picture.width, height: picture.height };
  const window = region ? windowAround(wholePixels(region, picture), picture) : whole;
  const fitted = fitInput(crop(toRgb8(picture), window));
  const outputs = await models.run('objects', bgrPlanes(fitted.picture, normalisation));
  const levels = outputs.length / 2; // Scores of every level, then distances of every level.
  const boxes = outputs
    .slice(0, levels)
    .flatMap((scores, i) => decodeLevel(scores, outputs[levels + i], minConfidence));
  const objects = suppress(boxes, maxOverlap).flatMap(({ classIndex, score, box }): DetectedObject[] => {
    const found = intersectionOf(
      {
        x: window.x + (box.x - fitted.left) / fitted.scale,
        y: window.y + (box.y - fitted.top) / fitted.scale,
        width: box.width / fitted.scale,
        height: box.height / fitted.scale,
      },
      whole,
    );
    if (found.width === 0 || found.height === 0) return []; // Lies in the grey around the picture.
    return [{ label: cocoLabels[classIndex], confidence: score, region: found }];
  });
  return region ? objects.filter((object) => sharedArea(object.region, region) > 0) : objects;
}

function windowAround(region: Region, picture: Picture): Region {
  const reach = (size: number): number => Math.max(contextShare * size, (minWindowPx - size) / 2);
  const [across, down] = [reach(region.width), reach(region.height)];
  return wholePixels(
    { x: region.x - across, y: region.y - down, width: region.width + 2 * across, height: region.height + 2 * down },
    picture,
  );
}

/** The picture scaled to fit the detector's input, centred; around it the mean, which is zero to the network. */
function fitInput(picture: PictureU8): { picture: PictureU8; scale: number; left: number; top: number } {
  const scale = Math.min(INPUT_PX / picture.width, INPUT_PX / picture.height);
  const width = Math.max(1, Math.round(picture.width * scale));
  const height = Math.max(1, Math.round(picture.height * scale));
  const left = (INPUT_PX - width) >> 1;
  const top = (INPUT_PX - height) >> 1;
  const small = resize(picture, width, height);
  const data = new Uint8Array(INPUT_PX * INPUT_PX * 3);
  const [blue, green, red] = normalisation.mean.map(Math.round);
  for (let i = 0; i < data.length; i += 3) {
    data[i] = red;
    data[i + 1] = green;
    data[i + 2] = blue;
  }
  for (let y = 0; y < height; y++) {
    data.set(small.data.subarray(y * width * 3, (y + 1) * width * 3), ((top + y) * INPUT_PX + left) * 3);
  }
  return { picture: { type: 'u8', width: INPUT_PX, height: INPUT_PX, channels: 3, data }, scale, left, top };
}
