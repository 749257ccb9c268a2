import { createRequire } from 'node:module';
import type * as OpenCv from '@techstark/opencv-js';

/** Its types leave out what is there. */
export type Cv = typeof OpenCv & {
  readonly BackgroundSubtractorMOG2: new (
    history: number,
    varThreshold: number,
    detectShadows: boolean,
  ) => {
    apply(frame: OpenCv.Mat, mask: OpenCv.Mat): void;
    delete(): void;
  };
};

/** OpenCV as WebAssembly, once it is ready. Its module has a `then` of its own, and must not be given to a promise. */
export async function openCv(): Promise<{ readonly cv: Cv }> {
  const cv = createRequire(import.meta.url)('@techstark/opencv-js') as Cv;
  if (typeof cv.Mat !== 'function') await new Promise<void>((ready) => (cv.onRuntimeInitialized = ready));
  return { cv };
}
