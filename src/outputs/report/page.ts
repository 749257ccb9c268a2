import type { SourceReport } from '../../sources/index.js';
import { card } from './card.js';
import { html, type Html } from './html.js';
import type { Moments } from './moments.js';
import type { PictureBook } from './pictures.js';
import type { FrameSize, Showing } from './showing.js';
import type { Lane, Story } from './story.js';
import { timeline } from './timeline.js';
import { counted, span } from './words.js';

/** What was looked at. */
export interface ReportSource extends Pick<SourceReport, 'framesRead' | 'framesExpected' | 'complete' | 'problem'> {
  readonly name: string;
  /** Event time from the first frame to the end of the last. */
  readonly durationMs: number;
  /** Changes are told in these hours alone; so many others were held back. */
  readonly told?: { readonly hours: string; readonly heldBack: number };
  /** Size of the original pictures, in which regions are given; without it, that of the evidence pictures. */
  readonly frameSize?: FrameSize;
}

export interface PageParts {
  readonly title: string;
  readonly source: ReportSource;
  readonly stories: readonly Story[];
  readonly showing: Showing;
  readonly maxPictureBytes: number;
}

/** Everything in the page's body but the pictures' data. */
export function body({ title, source, stories, showing, maxPictureBytes }: PageParts): Html {
  const { moments } = showing;
  const when = moments.spanWord(source.durationMs);
  const inLane = (lane: Lane) => stories.filter((story) => story.lane === lane);
  const [changes, activities, conditions] = [inLane('change'), inLane('activity'), inLane('condition')];
  const happened = stories.filter(({ lane }) => lane !== 'condition');
  return html`<header class="head">
      <p class="brand">
        <svg viewBox="0 0 32 20" width="32" height="20" aria-hidden="true">
          <circle cx="11" cy="10" r="9" />
          <circle cx="21" cy="10" r="9" /></svg
        >Blinkstream
      </p>
      <h1 dir="auto">${title}</h1>
      <p class="source">
        <bdi>${source.name}</bdi> · ${when !== undefined && `${when} · `}${span(source.durationMs)} ·
        ${counted(source.framesRead, 'frame')}
      </p>
      <dl class="counts">
        ${count(changes.length, 'Change', 'Changes')} ${count(activities.length, 'Activity', 'Activities')}
        ${count(conditions.length, 'Condition', 'Conditions')}
      </dl>
      ${source.told && hours(source.told)} ${!source.complete && partial(source)}
      ${leftOut(showing.book, maxPictureBytes)}
      <noscript
        ><p class="note">Pictures, slider and filter need this page’s own script; the sentences do not.</p></noscript
      >
    </header>
    ${stories.length > 0 && timeline(stories, source.durationMs, moments)} ${stories.length > 1 && filter(stories)}
    <main>
      ${
        happened.length === 0
          ? nothing(source, conditions.length, moments)
          : html`<h2 class="hidden-text">What happened</h2>
              ${happened.map((story) => card(story, showing))}`
      }
      ${
        conditions.length > 0 &&
        html`<section class="conditions" aria-labelledby="conditions">
          <h2 id="conditions">Conditions</h2>
          <p class="quiet">Nothing in the scene changed here; this is why the pixels did.</p>
          ${conditions.map((story) => card(story, showing))}
        </section>`
      }
    </main>`;
}

const count = (value: number, one: string, many: string): Html =>
  html`<div>
    <dt>${value === 1 ? one : many}</dt>
    <dd>${value.toLocaleString('en-US')}</dd>
  </div>`;

function partial({ framesRead, framesExpected, problem }: ReportSource): Html {
  const read = `Only ${counted(framesRead, 'frame')}${framesExpected === undefined ? '' : ` of ${framesExpected.toLocaleString('en-US')}`} could be read`;
  return html`<p class="note warning" role="note">
    <b>${read}</b>${problem !== undefined && html`: <span dir="auto">${problem}</span>`}
  </p>`;
}

const hours = ({ hours, heldBack }: NonNullable<ReportSource['told']>): Html =>
  html`<p class="note" role="note">
    <b>Changes are told ${hours}.</b>
    ${heldBack === 0 ? 'There were no others.' : `${counted(heldBack, 'other')} ${heldBack === 1 ? 'was' : 'were'} held back.`}
  </p>`;

/** Says how many pictures the page does not hold, and why. */
function leftOut(
  { ids, overLimit, clipsOverLimit, missing, notShowable }: PictureBook,
  maxBytes: number,
): Html | undefined {
  const all = ids.size + overLimit + missing + notShowable;
  if (ids.size === all) return undefined;
  const megabytes = (maxBytes / 2 ** 20).toLocaleString('en-US', { maximumSignificantDigits: 3 });
  const are = (count: number) => `${count.toLocaleString('en-US')} ${count === 1 ? 'is' : 'are'}`;
  const reasons = [
    overLimit > 0 &&
      `${overLimit.toLocaleString('en-US')} would make it larger than ${megabytes} MiB${clipsOverLimit > 0 ? `, ${counted(clipsOverLimit, 'clip')} among them` : ''}`,
    missing > 0 && `${are(missing)} no longer kept`,
    notShowable > 0 && `${are(notShowable)} of a type that browsers do not show`,
  ].filter((reason) => reason !== false);
  return html`<p class="note" role="note">
    <b>This file holds ${ids.size.toLocaleString('en-US')} of ${counted(all, 'picture')}.</b> Of the others,
    ${reasons.join('; ')}.${overLimit > 0 && html` <code>blinkstream inspect DIR --save PICTURES</code> gets those that are kept.`}
  </p>`;
}

function filter(stories: readonly Story[]): Html {
  const counts = new Map<string, number>();
  const ordered = (['change', 'activity', 'condition'] as const).flatMap((lane) =>
    stories.filter((s) => s.lane === lane),
  );
  for (const { kindWord } of ordered) counts.set(kindWord, (counts.get(kindWord) ?? 0) + 1);
  const button = (kind: string, word: string, value: number) =>
    html`<button type="button" data-filter="${kind}" aria-pressed="${String(kind === '')}">
      ${word} <span>${value.toLocaleString('en-US')}</span>
    </button>`;
  return html`<div class="filter" role="group" aria-label="Show only">
    ${button('', 'All', stories.length)} ${[...counts].map(([kind, value]) => button(kind, kind, value))}
    <span class="hidden-text" role="status"></span>
  </div>`;
}

function nothing({ name, framesRead, durationMs, told }: ReportSource, conditions: number, moments: Moments): Html {
  return html`<section class="nothing">
    <svg viewBox="0 0 64 40" width="96" height="60" aria-hidden="true">
      <circle cx="32" cy="20" r="18" />
      <circle cx="32" cy="20" r="18" />
    </svg>
    <h2>Nothing changed${told && ' in these hours'}</h2>
    <p>
      Blinkstream looked at ${counted(framesRead, 'frame')} of <bdi>${name}</bdi>, ${moments.word(0)} to
      ${moments.word(durationMs)}, and the scene stayed as it was.
      ${
        conditions > 0
          ? `The pixels did change: the ${counted(conditions, 'condition')} below ${conditions === 1 ? 'says' : 'say'} why.`
          : 'No change of light, weather or camera was seen either.'
      }
    </p>
  </section>`;
}
