import type { ChangeEvent, FramePoint, Measure, Side, Verdict } from '../../records/index.js';
import { html, type Html } from './html.js';
import type { Moments } from './moments.js';
import type { PictureBook } from './pictures.js';
import type { Showing } from './showing.js';
import { stage } from './stage.js';
import type { Story } from './story.js';
import { clock, counted, figure, phaseWords, span, verdictWords, wallClock } from './words.js';

/** One change: what it looks like, the sentence, when, its life, and what the sentence rests on. */
export function card(story: Story, showing: Showing): Html {
  const { last } = story;
  const { book, moments } = showing;
  const steps = shownSteps(story);
  const views = steps.flatMap((step) => {
    const drawn = stage(step, showing);
    return drawn === undefined ? [] : [{ step, drawn }];
  });
  return html`<article
    class="card tone-${story.tone}${views.length === 0 && ' no-picture'}"
    id="${story.id}"
    tabindex="-1"
    data-kind="${story.kindWord}"
    aria-labelledby="${story.id}-statement"
  >
    ${
      views.length > 0 &&
      html`<div class="views">
        ${views.map(({ step, drawn }) => {
          return html`<div class="view" data-step="${step.revision}" ${step !== views.at(-1)?.step && html`hidden`}>
            ${drawn}
          </div>`;
        })}
      </div>`
    }
    <div class="told">
      <p class="badges"><span class="badge kind">${story.kindWord}</span>${verdictBadge(last.verification.verdict)}</p>
      <h3 id="${story.id}-statement" dir="auto">${last.statement}</h3>
      ${times(story, moments)} ${words(last)} ${life(story, views, moments)}
      ${
        last.pictures.some(({ sha256 }) => !book.ids.has(sha256)) &&
        html`<p class="quiet">${missingPictures(last, book)}</p>`
      }
      ${evidence(last)}
    </div>
  </article>`;
}

/** Steps that show something of their own: the last, and each whose pictures are not those of the step after it. */
function shownSteps({ steps }: Story): readonly ChangeEvent[] {
  const look = (step: ChangeEvent) => step.pictures.map(({ sha256 }) => sha256).join();
  return steps.filter((step, i) => i === steps.length - 1 || look(step) !== look(steps[i + 1]));
}

function missingPictures({ pictures }: ChangeEvent, book: PictureBook): string {
  const count = pictures.filter(({ sha256 }) => !book.ids.has(sha256)).length;
  return `${counted(count, 'picture')} of this change ${count === 1 ? 'is' : 'are'} not in this file.`;
}

const verdictBadge = (verdict: Verdict): Html =>
  html`<span class="badge verdict ${verdict.toLowerCase()}">${verdictWords[verdict]}</span>`;

const moment = (point: FramePoint, moments: Moments): Html => {
  const wall = wallClock(point);
  const word = moments.word(point.elapsedMs);
  return wall === undefined
    ? html`<time>${word}</time>`
    : html`<time datetime="${wall}" title="${clock(point.elapsedMs)} after the first frame">${word}</time>`;
};

function times({ last, steps, toMs, fromMs, lane }: Story, moments: Moments): Html {
  const { first } = last.interval;
  // An open change has no end yet, but the change itself took its time.
  const to = last.interval.last;
  const state =
    toMs !== undefined
      ? `lasted ${span(toMs - fromMs)}`
      : lane === 'change'
        ? 'and has stayed so'
        : 'and was still going on';
  return html`<p class="times">
    ${moment(first, moments)} – ${moment(to, moments)} <span class="quiet">${state}</span><br />
    <span class="quiet"
      >frames ${first.frame}–${to.frame}${steps.length > 1 && ` · ${counted(steps.length, 'step')}`}</span
    >
  </p>`;
}

/** Words and colours before and after. */
function words({ before, after }: ChangeEvent): Html | undefined {
  const side = (value: Side | undefined, name: string) =>
    (value?.text !== undefined || value?.color !== undefined) &&
    html`<span class="${name}"
      >${value.text !== undefined && html`<q dir="auto">${value.text}</q>`}${
        value.color !== undefined && swatch(value.color)
      }</span
    >`;
  const [from, to] = [side(before, 'was'), side(after, 'is')];
  if (from === false && to === false) return undefined;
  return html`<p class="words">
    ${from}${from !== false && to !== false && html` <span aria-label="to">→</span> `}${to}
  </p>`;
}

const swatch = (color: string): Html =>
  html`<span class="swatch"
    >${
      /^#[0-9a-f]{6}$/i.test(color) &&
      html`<svg width="14" height="14" aria-hidden="true"><rect width="14" height="14" rx="4" fill="${color}" /></svg>`
    }
    ${color}</span
  >`;

/** The steps of its life; those with pictures of their own choose what is seen. */
function life({ steps }: Story, views: readonly { step: ChangeEvent }[], moments: Moments): Html | undefined {
  if (steps.length < 2) return undefined;
  const told = (step: ChangeEvent) =>
    html`<b>${phaseWords[step.phase]}</b> ${moment(step.interval.last, moments)}
      <span class="sentence" dir="auto">${step.statement}</span>`;
  return html`<ol class="life" aria-label="Life of this change">
    ${steps.map((step) => {
      const chooses = views.length > 1 && views.some((view) => view.step === step);
      return html`<li class="${step.phase.toLowerCase()}">
        ${
          chooses
            ? html`<button
                type="button"
                data-show="${step.revision}"
                aria-pressed="${String(step === views.at(-1)?.step)}"
              >
                ${told(step)}
              </button>`
            : html`<div>${told(step)}</div>`
        }
      </li>`;
    })}
  </ol>`;
}

/** What the sentence rests on, folded away. */
function evidence(event: ChangeEvent): Html {
  const { measures, occurrences = [], verification } = event;
  return html`<div class="evidence">
    ${
      verification.checks.length > 0 &&
      html`<details>
        <summary>${counted(verification.checks.length, 'check')} against the pixels</summary>
        <ul class="checks">
          ${verification.checks.map(
            ({ name, verdict, detail }) =>
              html`<li class="${verdict.toLowerCase()}">
                <b>${name}</b> <span class="word">${verdictWords[verdict]}</span> <span dir="auto">${detail}</span>
              </li>`,
          )}
        </ul>
      </details>`
    }
    ${
      measures.length > 0 &&
      html`<details>
        <summary>${counted(measures.length, 'measure')}</summary>
        <table>
          <thead>
            <tr>
              <th scope="col">Measure</th>
              <th scope="col">Before</th>
              <th scope="col">After</th>
            </tr>
          </thead>
          <tbody>
            ${measures.map(measureRow)}
          </tbody>
        </table>
      </details>`
    }
    ${
      occurrences.length > 0 &&
      html`<details>
        <summary>Seen in ${counted(occurrences.length, 'place')}</summary>
        <ul class="places">
          ${occurrences.map(({ source }) => html`<li dir="auto">${source}</li>`)}
        </ul>
      </details>`
    }
    <details>
      <summary>Origin</summary>
      <dl>
        <dt>Subject</dt>
        <dd dir="auto">${event.subject.description || event.subject.label}${sureness(event)}</dd>
        <dt>Change</dt>
        <dd>${event.changeId}</dd>
        <dt>Told by</dt>
        <dd>${event.reasoner}, sequence ${event.sequenceOrdinal}</dd>
      </dl>
    </details>
  </div>`;
}

const sureness = ({ subject }: ChangeEvent): string =>
  subject.confidence > 0 ? ` (${subject.label}, ${Math.round(subject.confidence * 100)} % sure)` : '';

const measureRow = ({ name, unit, before, after }: Measure): Html => {
  const cell = (value: number | undefined) =>
    html`<td>${value === undefined ? '–' : `${figure(value)}${unit === '1' ? '' : ` ${unit}`}`}</td>`;
  return html`<tr>
    <th scope="row">${name}</th>
    ${cell(before)}${cell(after)}
  </tr>`;
};
