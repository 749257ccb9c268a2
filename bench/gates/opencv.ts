import { createRequire } from 'node:module';
import type * as OpenCv from '@techstark/opencv-js';

/** Its types leave these open. */
type Constants =
  | 'CHAIN_APPROX_SIMPLE'
  | 'COLOR_RGB2GRAY'
  | 'CV_32F'
  | 'CV_8U'
  | 'CV_8UC3'
  | 'INTER_LINEAR'
  | 'RETR_EXTERNAL'
  | 'THRESH_BINARY';

/** Its types leave out what is there. */
export type Cv = Omit<typeof OpenCv, Constants> &
  Readonly<Record<Constants, number>> & {
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
