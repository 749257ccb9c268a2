import type { ChangeEvent, EvidencePicture, Region } from '../../records/index.js';
import { html, type Html } from './html.js';
import { momentOf, scene, shownPart, union } from './scene.js';
import type { Showing } from './showing.js';

/** What one step of a change looks like: a pair to compare where there is one, else single pictures, close-ups, and a clip. */
export function stage(step: ChangeEvent, showing: Showing): Html | undefined {
  const drawn = [whole(step, showing), crops(step, showing), clip(step, showing)].filter((part) => part !== undefined);
  return drawn.length === 0 ? undefined : html`${drawn}`;
}

function whole(step: ChangeEvent, showing: Showing): Html | undefined {
  const held = step.pictures.filter(({ sha256 }) => showing.book.ids.has(sha256));
  const [before, after, during] = ['before', 'after', 'during'].map((role) => held.find((p) => p.role === role));
  if (before !== undefined && after !== undefined && during === undefined) {
    return comparison(step, before, after, showing);
  }
  const pictures = [during, before, after].filter((picture) => picture !== undefined);
  if (pictures.length === 0) return undefined;
  if (before === undefined || after === undefined) return single(step, pictures[0], showing);
  return html`${single(step, pictures[0], showing)}${comparison(step, before, after, showing)}`;
}

/** Before and after over each other; a range input that covers them moves the border, by mouse, touch and keyboard. */
function comparison(step: ChangeEvent, before: EvidencePicture, after: EvidencePicture, showing: Showing): Html {
  const parts = [shownPart(before, showing.frameSize), shownPart(after, showing.frameSize)];
  const view = union(parts[0], parts[1]);
  const layer = (picture: EvidencePicture, side: 'before' | 'after', shown: (typeof parts)[0]) => {
    const box = step[side]?.region;
    const label = `${side === 'before' ? 'Before' : 'After'} ${momentOf(picture, showing)}`;
    return scene(showing, { picture, view, shown, label, ...(box && { box }) });
  };
  return html`<div class="pair">
    <div class="compare">
      <div class="layer after">${layer(after, 'after', parts[1])}</div>
      <div class="layer before">${layer(before, 'before', parts[0])}</div>
      <div class="border" aria-hidden="true"><span class="grip"></span></div>
      <input
        class="slide"
        type="range"
        min="0"
        max="100"
        step="1"
        value="${startAt(step, view)}"
        aria-label="Share of the picture that shows before"
      />
    </div>
    <p class="caption">
      ${caption('Before', before, showing)}<button class="blink" type="button" aria-pressed="false">Blink</button>
      ${caption('After', after, showing)}
    </p>
  </div>`;
}

/** Where the border stands at first, in percent: across what changed, so that both sides of it show at once. */
function startAt({ before, after }: ChangeEvent, view: Region): number {
  const box = after?.region ?? before?.region;
  if (box === undefined) return 50;
  return Math.round(Math.min(92, Math.max(8, (100 * (box.x + box.width / 2 - view.x)) / view.width)));
}

/** Beneath the picture rather than on it: nothing may cover what is to be looked at. */
const caption = (word: string, { frame }: EvidencePicture, { moments }: Showing): Html =>
  html`<span><b>${word}</b>${frame !== undefined && html` <time>${moments.word(frame.elapsedMs)}</time>`}</span>`;

function single(step: ChangeEvent, picture: EvidencePicture, showing: Showing): Html {
  const shown = shownPart(picture, showing.frameSize);
  const box = (picture.role === 'before' ? undefined : step.after?.region) ?? step.before?.region;
  const word = picture.role === 'before' ? 'Before' : picture.role === 'after' ? 'After' : 'During';
  const parts = { picture, view: shown, shown, label: `${word} ${momentOf(picture, showing)}` };
  return html`<div class="still">
    ${scene(showing, { ...parts, ...(box && { box }), ...(step.path && { path: step.path }) })}
    <p class="caption">${caption(word, picture, showing)}</p>
  </div>`;
}

/** The changed part itself, before and after, side by side. */
function crops(step: ChangeEvent, showing: Showing): Html | undefined {
  const shown = (['before-crop', 'after-crop'] as const).flatMap((role) => {
    const picture = step.pictures.find((p) => p.role === role && showing.book.ids.has(p.sha256));
    if (picture === undefined) return [];
    const view = picture.region ?? { x: 0, y: 0, width: picture.width, height: picture.height };
    const word = role === 'before-crop' ? 'Before' : 'After';
    const drawn = scene(showing, {
      picture,
      view,
      shown: view,
      label: `${word}, close up, ${momentOf(picture, showing)}`,
    });
    return [
      html`<figure>
        ${drawn}
        <figcaption>${word}</figcaption>
      </figure>`,
    ];
  });
  return shown.length === 0 ? undefined : html`<div class="crops">${shown}</div>`;
}

/** A moving picture, which begins when somebody opens it. */
function clip(step: ChangeEvent, showing: Showing): Html | undefined {
  const picture = step.pictures.find(({ role, sha256 }) => role === 'clip' && showing.book.ids.has(sha256));
  if (picture === undefined) return undefined;
  const view = shownPart(picture, showing.frameSize);
  return html`<details class="clip">
    <summary>Clip${picture.frame !== undefined && ` from ${showing.moments.word(picture.frame.elapsedMs)} on`}</summary>
    ${scene(showing, { picture, view, shown: view, label: `Clip, first ${momentOf(picture, showing)}` })}
  </details>`;
}
