import type { Moments } from './moments.js';
import type { PictureBook } from './pictures.js';

/** Size of the original pictures in px, in which regions and paths are given. */
export interface FrameSize {
  readonly width: number;
  readonly height: number;
}

/** What every part of the page is drawn with. */
export interface Showing {
  readonly book: PictureBook;
  readonly moments: Moments;
  /** Without it, that of the evidence pictures. */
  readonly frameSize: FrameSize | undefined;
}
