import type { FrameContent, Picture } from '../records/index.js';
import { decodePicture } from './decode.js';
import { yuvToRgb } from './yuv420.js';

/** The picture that a frame holds, in whatever form. @throws BlinkstreamError as `decodePicture` */
export async function pictureOf(content: FrameContent): Promise<Picture> {
  switch (content.form) {
    case 'pixels':
      return content.picture;
    case 'yuv420':
      return yuvToRgb(content.picture);
    case 'encoded':
      return decodePicture(content.encoded);
  }
}
