import { axis, percent } from './axis.js';
import { html, type Html } from './html.js';
import type { Moments } from './moments.js';
import type { Lane, Story } from './story.js';

const lanes: readonly { lane: Lane; word: string }[] = [
  { lane: 'change', word: 'Changes' },
  { lane: 'activity', word: 'Activity' },
  { lane: 'condition', word: 'Conditions' },
];

/** Height of a row of marks where there is room, and where there is none, px. */
const ROW_PX = 16;
const LEAST_ROW_PX = 4;
/** Height of a lane at most, with rows that can still be told apart, and whatever comes, px. */
const LANE_PX = 128;
const LANE_MOST_PX = 320;
/** What is still open is drawn as long as this where there is no room to draw it to the end, as a share. */
const OPEN_SHARE = 0.03;
const LANE_GAP_PX = 14;
const LANE_WORD_PX = 18;
const AXIS_PX = 26;
/** Share of the timeline below which a mark is not drawn, so that it can be seen and hit. */
const LEAST_SHARE = 0.006;

/**
 * All of the source's time from left to right; a mark leads to its card. Positions are percentages, so that the drawing
 * fits any width without being scaled.
 */
export function timeline(stories: readonly Story[], durationMs: number, moments: Moments): Html {
  const endMs = Math.max(durationMs, ...stories.flatMap(({ fromMs, toMs }) => [fromMs, toMs ?? 0]), 1);
  let top = AXIS_PX;
  const drawn = lanes.flatMap(({ lane, word }) => {
    const own = stories.filter((story) => story.lane === lane);
    if (own.length === 0) return [];
    const { rows, openMs } = packed(own, endMs);
    const lanePx = Math.min(LANE_MOST_PX, Math.max(LANE_PX, rows.length * LEAST_ROW_PX));
    const rowPx = Math.min(ROW_PX, lanePx / rows.length);
    const y = top;
    top += LANE_WORD_PX + rows.length * rowPx + LANE_GAP_PX;
    return [
      html`<g class="lane">
        <text x="0" y="${y + 11}">${word}</text>
        ${rows.map((row, r) => row.map((story) => mark(story, { endMs, openMs, moments, y: y + LANE_WORD_PX + r * rowPx, rowPx })))}
      </g>`,
    ];
  });
  return html`<nav class="timeline" aria-label="Timeline">
    <svg width="100%" height="${top}">${axis(endMs, top, moments)}${drawn}</svg>
  </nav>`;
}

/**
 * Rows in which no two marks overlap: each goes into the first row that is free by then. What is still open reaches to the
 * end, and `openMs` far where so many did that they took all the room.
 */
function packed(stories: readonly Story[], endMs: number): { rows: Story[][]; openMs: number } {
  const rows = rowsOf(stories, endMs, endMs);
  if (rows.length * ROW_PX <= LANE_PX) return { rows, openMs: endMs };
  const openMs = endMs * OPEN_SHARE;
  return { rows: rowsOf(stories, endMs, openMs), openMs };
}

function rowsOf(stories: readonly Story[], endMs: number, openMs: number): Story[][] {
  const rows: { untilMs: number; stories: Story[] }[] = [];
  for (const story of stories) {
    const untilMs = Math.max(story.toMs ?? story.fromMs + openMs, story.fromMs + endMs * LEAST_SHARE);
    const free = rows.find((row) => row.untilMs <= story.fromMs);
    if (free === undefined) rows.push({ untilMs, stories: [story] });
    else {
      free.untilMs = untilMs;
      free.stories.push(story);
    }
  }
  return rows.map((row) => row.stories);
}

interface Place {
  readonly endMs: number;
  readonly openMs: number;
  readonly moments: Moments;
  readonly y: number;
  readonly rowPx: number;
}

function mark(story: Story, { endMs, openMs, moments, y, rowPx }: Place): Html {
  const { fromMs, toMs, tone, id, kindWord, last } = story;
  const width = Math.max(LEAST_SHARE, ((toMs ?? fromMs + openMs) - fromMs) / endMs);
  const from = Math.min(fromMs / endMs, 1 - LEAST_SHARE);
  const height = rowPx * 0.7;
  const until = toMs === undefined ? 'and on' : `to ${moments.word(toMs)}`;
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
    <desc>${kindWord}, ${moments.word(fromMs)} ${until}</desc>
    ${box('bar', Math.min(width, 1 - from))}${toMs === undefined && box('begin', LEAST_SHARE)}
  </a>`;
}
