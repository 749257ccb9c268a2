import { Gate } from '../../src/sequences/gate/gate.js';
import type { FrameRef, PictureU8 } from '../../src/records/index.js';
import type { Cv } from './opencv.js';

/** What decides frame by frame whether anything happens. */
export interface GateMethod {
  readonly name: string;
  /** For one clip. */
  open(): OpenGate;
}

export interface OpenGate {
  /** Whether it says so of this frame, and whether it knows of a change that has come to stay. */
  look(picture: PictureU8, ref: FrameRef): { readonly flagged: boolean; readonly lasting: boolean };
  close(): void;
}

/** Ours: something moves, or has come to rest in another place. */
export const blinkstream: GateMethod = {
  name: 'Blinkstream',
  open: () => {
    const gate = new Gate();
    let lasting = false;
    return {
      look: (picture, ref) => {
        const { motion, settled } = gate.measure(ref, picture);
        const things = settled.filter(({ mayBeLight }) => mayBeLight !== true);
        // What settles is told as a change, which is open until it is undone.
        lasting ||= things.length > 0;
        return { flagged: motion === 'active' || things.length > 0, lasting };
      },
      close: () => undefined,
    };
  },
};

/** Side by side with OpenCV's own operations: those of others are written with them. */
export const openCvMethods = (cv: Cv): readonly GateMethod[] => [frameDifference(cv), runningAverage(cv), mog2(cv)];

type Mat = InstanceType<Cv['Mat']>;

/** Runs a method that turns each frame into a mask, and says whether the mask counts. */
function masking(
  cv: Cv,
  name: string,
  open: (keep: <T extends { delete(): void }>(made: T) => T) => (frame: Mat, ms: number) => boolean,
): GateMethod {
  return {
    name,
    open: () => {
      const made: { delete(): void }[] = [];
      const keep = <T extends { delete(): void }>(one: T): T => (made.push(one), one);
      let frame: Mat | undefined;
      const isFlagged = open(keep);
      return {
        look: ({ width, height, data }, { elapsedMs }) => {
          frame ??= keep(new cv.Mat(height, width, cv.CV_8UC3));
          frame.data.set(data);
          const flagged = isFlagged(frame, elapsedMs);
          // It knows of nothing but what it sees now.
          return { flagged, lasting: flagged };
        },
        close: () => {
          for (const one of made) one.delete();
        },
      };
    },
  };
}

/** Whether an outer contour of the mask has at least this area, px². */
function hasContour(cv: Cv, mask: Mat, leastPx: number): boolean {
  const contours = new cv.MatVector();
  const hierarchy = new cv.Mat();
  cv.findContours(mask, contours, hierarchy, cv.RETR_EXTERNAL, cv.CHAIN_APPROX_SIMPLE);
  let found = false;
  for (let i = 0; i < contours.size() && !found; i++) {
    const contour = contours.get(i);
    found = cv.contourArea(contour) > leastPx;
    contour.delete();
  }
  contours.delete();
  hierarchy.delete();
  return found;
}

/**
 * Difference to the frame before, as in A. Rosebrock's "Basic motion detection and tracking with Python and OpenCV"
 * (pyimagesearch.com, 2015) with the frame before as the background: 500 px wide, grey, Gaussian blur 21, threshold 25,
 * two dilations, contours of at least 500 px².
 */
const frameDifference = (cv: Cv): GateMethod =>
  masking(cv, 'frame difference', (keep) => {
    const [small, grey, before, mask] = [0, 1, 2, 3].map(() => keep(new cv.Mat()));
    const kernel = keep(new cv.Mat());
    const anchor = new cv.Point(-1, -1);
    let isFirst = true;
    return (frame) => {
      cv.resize(frame, small, new cv.Size(500, Math.round((500 * frame.rows) / frame.cols)));
      cv.cvtColor(small, grey, cv.COLOR_RGB2GRAY);
      cv.GaussianBlur(grey, grey, new cv.Size(21, 21), 0);
      if (isFirst) grey.copyTo(before);
      isFirst = false;
      cv.absdiff(grey, before, mask);
      cv.threshold(mask, mask, 25, 255, cv.THRESH_BINARY);
      cv.dilate(mask, mask, kernel, anchor, 2);
      grey.copyTo(before);
      return hasContour(cv, mask, 500);
    };
  });

/**
 * Running average as in Frigate 0.18's motion detector at its defaults: luma 100 px high, contrast stretched between the
 * 4th and 96th percentile, average with weight 0.01, difference over 30, dilated, contours over 10 px; where more than
 * 80 % of the picture differs the average begins anew (docs.frigate.video/configuration/motion_detection).
 */
const runningAverage = (cv: Cv): GateMethod =>
  masking(cv, 'running average', (keep) => {
    const [grey, small, floating, average, rounded, mask] = [0, 1, 2, 3, 4, 5].map(() => keep(new cv.Mat()));
    const kernel = keep(new cv.Mat());
    let isFresh = true;
    return (frame) => {
      cv.cvtColor(frame, grey, cv.COLOR_RGB2GRAY);
      cv.resize(grey, small, new cv.Size(Math.round((100 * frame.cols) / frame.rows), 100), 0, 0, cv.INTER_LINEAR);
      stretch(small.data);
      small.convertTo(floating, cv.CV_32F);
      if (isFresh) floating.copyTo(average);
      isFresh = false;
      average.convertTo(rounded, cv.CV_8U);
      cv.absdiff(small, rounded, mask);
      cv.threshold(mask, mask, 30, 255, cv.THRESH_BINARY);
      cv.dilate(mask, mask, kernel, new cv.Point(-1, -1), 1);
      const share = cv.countNonZero(mask) / (mask.rows * mask.cols);
      if (share > 0.8) {
        isFresh = true;
        return false;
      }
      cv.addWeighted(average, 0.99, floating, 0.01, 0, average);
      return hasContour(cv, mask, 10);
    };
  });

/** Stretches grey levels so that the 4th and the 96th percentile become black and white. */
function stretch(data: Uint8Array): void {
  const sorted = Uint8Array.from(data).sort();
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
  const [low, high] = [at(0.04), at(0.96)];
  if (high <= low) return;
  const clamped = new Uint8ClampedArray(data.buffer, data.byteOffset, data.length);
  for (let i = 0; i < data.length; i++) clamped[i] = (255 * (data[i] - low)) / (high - low);
}

/**
 * OpenCV's mixture of Gaussians (Z. Zivkovic, "Improved adaptive Gaussian mixture model for background subtraction", ICPR
 * 2004) at its defaults: history 500, threshold 16, shadows told apart. Foreground counts from the same area on as in the
 * difference of frames; shadows do not count.
 */
const mog2 = (cv: Cv): GateMethod =>
  masking(cv, 'MOG2', (keep) => {
    const subtractor = keep(new cv.BackgroundSubtractorMOG2(500, 16, true));
    const mask = keep(new cv.Mat());
    return (frame) => {
      subtractor.apply(frame, mask);
      cv.threshold(mask, mask, 200, 255, cv.THRESH_BINARY);
      return hasContour(cv, mask, 500 * (frame.cols / 500) ** 2);
    };
  });
