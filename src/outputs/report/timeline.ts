import { html, type Html } from './html.js';
import type { Lane, Story } from './story.js';
import { clock } from './words.js';

const lanes: readonly { lane: Lane; word: string }[] = [
  { lane: 'change', word: 'Changes' },
  { lane: 'activity', word: 'Activity' },
  { lane: 'condition', word: 'Conditions' },
];

/** Height of a row of marks where there is room, and of a lane at most, px. */
const ROW_PX = 16;
const LANE_MOST_PX = 128;
const LANE_GAP_PX = 14;
const LANE_WORD_PX = 18;
const AXIS_PX = 26;
/** Share of the timeline below which a mark is not drawn, so that it can be seen and hit. */
const LEAST_SHARE = 0.006;

/**
 * All of the source's time from left to right; a mark leads to its card. Positions are percentages, so that the drawing
 * fits any width without being scaled.
 */
export function timeline(stories: readonly Story[], durationMs: number): Html {
  const endMs = Math.max(durationMs, ...stories.flatMap(({ fromMs, toMs }) => [fromMs, toMs ?? 0]), 1);
  let top = AXIS_PX;
  const drawn = lanes.flatMap(({ lane, word }) => {
    const own = stories.filter((story) => story.lane === lane);
    if (own.length === 0) return [];
    const rows = packed(own, endMs);
    const rowPx = Math.min(ROW_PX, LANE_MOST_PX / rows.length);
    const y = top;
    top += LANE_WORD_PX + rows.length * rowPx + LANE_GAP_PX;
    return [
      html`<g class="lane">
        <text x="0" y="${y + 11}">${word}</text>
        ${rows.map((row, r) => row.map((story) => mark(story, endMs, y + LANE_WORD_PX + r * rowPx, rowPx)))}
      </g>`,
    ];
  });
  return html`<nav class="timeline" aria-label="Timeline">
    <svg width="100%" height="${top}">${axis(endMs, top)}${drawn}</svg>
  </nav>`;
}

/** Rows in which no two marks overlap: each goes into the first row that is free by then. */
function packed(stories: readonly Story[], endMs: number): Story[][] {
  const rows: { untilMs: number; stories: Story[] }[] = [];
  for (const story of stories) {
    const untilMs = Math.max(story.toMs ?? endMs, story.fromMs + endMs * LEAST_SHARE);
    const free = rows.find((row) => row.untilMs <= story.fromMs);
    if (free === undefined) rows.push({ untilMs, stories: [story] });
    else {
      free.untilMs = untilMs;
      free.stories.push(story);
    }
  }
  return rows.map((row) => row.stories);
}

function mark(story: Story, endMs: number, y: number, rowPx: number): Html {
  const { fromMs, toMs, tone, id, kindWord, last } = story;
  const width = Math.max(LEAST_SHARE, ((toMs ?? endMs) - fromMs) / endMs);
  const from = Math.min(fromMs / endMs, 1 - LEAST_SHARE);
  const height = rowPx * 0.7;
  const until = toMs === undefined ? 'and on' : `to ${clock(toMs)}`;
  const box = (name: string, share: number) =>
    html`<rect
      class="${name}"
      x="${percent(from)}"
      y="${y}"
      width="${percent(share)}"
      height="${height}"
      rx="${height / 2}"
    />`;
  return html`<a href="#${id}" class="mark tone-${tone}${toMs === undefined && ' open'}" data-kind="${kindWord}">
    <title>${last.statement}</title>
    <desc>${kindWord}, ${clock(fromMs)} ${until}</desc>
    ${box('bar', Math.min(width, 1 - from))}${toMs === undefined && box('begin', LEAST_SHARE)}
  </a>`;
}

/** Lengths of time between two ticks that people count in, in seconds. */
const steps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 21_600, 43_200, 86_400];
const MOST_TICKS = 8;
const DAY_MS = 86_400_000;

function axis(endMs: number, height: number): Html {
  const stepMs =
    (steps.find((seconds) => endMs / (seconds * 1_000) <= MOST_TICKS) ?? 0) * 1_000 ||
    Math.ceil(endMs / DAY_MS / MOST_TICKS) * DAY_MS;
  const ticks = Array.from({ length: Math.floor(endMs / stepMs) + 1 }, (_, i) => i * stepMs);
  return html`<g class="axis" aria-hidden="true">
    ${ticks.map((ms, i) => {
      const x = percent(ms / endMs);
      const anchor = i === 0 ? 'start' : ms > endMs * 0.97 ? 'end' : 'middle';
      const word = stepMs >= DAY_MS ? `day ${ms / DAY_MS}` : clock(ms).replace(/\.0$/, '');
      return html`<line x1="${x}" x2="${x}" y1="18" y2="${height}" /><text
          class="${i % 2 === 1 && 'odd'}"
          x="${x}"
          y="11"
          text-anchor="${anchor}"
        >
          ${word}
        </text>`;
    })}
  </g>`;
}

const percent = (share: number): string => `${Math.round(share * 100_000) / 1_000}%`;
