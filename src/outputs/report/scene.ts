import type { ChangeEvent, EvidencePicture, Region } from '../../records/index.js';
import { html, type Html } from './html.js';
import { route } from './route.js';
import type { FrameSize, Showing } from './showing.js';

/** The part of the original that a picture shows. */
export const shownPart = (picture: EvidencePicture, frameSize: FrameSize | undefined): Region =>
  picture.region ?? {
    x: 0,
    y: 0,
    width: frameSize?.width ?? picture.width,
    height: frameSize?.height ?? picture.height,
  };

/** The smallest part that holds both. */
export function union(a: Region, b: Region): Region {
  const x = Math.min(a.x, b.x);
  const y = Math.min(a.y, b.y);
  return {
    x,
    y,
    width: Math.max(a.x + a.width, b.x + b.width) - x,
    height: Math.max(a.y + a.height, b.y + b.height) - y,
  };
}

export interface SceneParts {
  readonly picture: EvidencePicture;
  /** The part of the original that the drawing spans; `picture` fills its own share of it. */
  readonly view: Region;
  readonly shown: Region;
  readonly label: string;
  readonly box?: Region;
  readonly path?: ChangeEvent['path'];
}

/**
 * A picture with what was measured drawn over it, all in px of the original. The pixels themselves stand once in the
 * page's data blocks; the script fills them in when the card comes near.
 */
export function scene({ book }: Showing, { picture, view, shown, label, box, path }: SceneParts): Html {
  return html`<svg
    class="scene"
    role="img"
    aria-label="${label}"
    viewBox="${view.x} ${view.y} ${view.width} ${view.height}"
    width="${view.width}"
    height="${view.height}"
  >
    <image
      data-picture="${book.ids.get(picture.sha256)}"
      x="${shown.x}"
      y="${shown.y}"
      width="${shown.width}"
      height="${shown.height}"
      preserveAspectRatio="none"
    />
    ${path !== undefined && path.length > 1 && route(path, view)} ${box !== undefined && evidenceBox(box)}
  </svg>`;
}

/** Drawn twice, dark beneath bright, so that it shows on any picture. */
const evidenceBox = (box: Region): Html => {
  const corner = Math.min(box.width, box.height) * 0.06;
  const rect = (name: string) =>
    html`<rect class="${name}" x="${box.x}" y="${box.y}" width="${box.width}" height="${box.height}" rx="${corner}" />`;
  return html`<g class="box">${rect('halo')}${rect('line')}</g>`;
};

/** `at 00:04.2, frame 53`, as far as the picture knows. */
export const momentOf = ({ frame }: EvidencePicture, { moments }: Showing): string =>
  frame === undefined ? '' : `at ${moments.word(frame.elapsedMs)}, frame ${frame.frame}`;
