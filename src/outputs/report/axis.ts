import type { LocalTime } from '../../records/index.js';
import { html, type Html } from './html.js';
import { dayWord, timeWord, type Moments } from './moments.js';
import { clock } from './words.js';

/** A moment that the axis names. */
export interface Tick {
  readonly elapsedMs: number;
  readonly word: string;
}

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;
/** Lengths of time between two ticks that people count in, in seconds. */
const stepsS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 21_600, 43_200, 86_400];
const MOST_TICKS = 8;

/**
 * Moments at round times, eight at most: of the day where the source knows it, so that hours stand at full hours also
 * where summer time begins in between, else since its first frame.
 */
export function ticksOf(endMs: number, { localAt }: Moments): Tick[] {
  const stepMs =
    (stepsS.find((seconds) => endMs / (seconds * 1_000) <= MOST_TICKS) ?? 0) * 1_000 ||
    Math.ceil(endMs / DAY_MS / MOST_TICKS) * DAY_MS;
  const ticks: Tick[] = [];
  if (localAt === undefined) {
    for (let ms = 0; ms <= endMs; ms += stepMs) {
      ticks.push({ elapsedMs: ms, word: stepMs >= DAY_MS ? `day ${ms / DAY_MS}` : clock(ms).replace(/\.0$/, '') });
    }
    return ticks;
  }
  const first = localAt(0);
  // Steps are counted on the clocks of the place, from the midnight before the first frame.
  for (let shownMs = Math.floor(sinceMidnightMs(first) / stepMs) * stepMs; ; shownMs += stepMs) {
    const nearMs = shownMs - sinceMidnightMs(first);
    const elapsedMs = nearMs + first.aheadMs - localAt(nearMs).aheadMs;
    if (elapsedMs > endMs) return ticks;
    const local = localAt(elapsedMs);
    // An hour that summer time leaves out has no place.
    if (elapsedMs < 0 || Math.floor(sinceMidnightMs(local)) !== shownMs % DAY_MS) continue;
    const isNewDay = shownMs > 0 && shownMs % DAY_MS === 0;
    ticks.push({ elapsedMs, word: isNewDay ? dayWord(local) : timeWord(local, stepMs < MINUTE_MS) });
  }
}

const sinceMidnightMs = ({ hour, minute, second, millisecond }: LocalTime): number =>
  ((hour * 60 + minute) * 60 + second) * 1_000 + millisecond;

/** Names and lines of the ticks, `height` px down. */
export function axis(endMs: number, height: number, moments: Moments): Html {
  return html`<g class="axis" aria-hidden="true">
    ${ticksOf(endMs, moments).map(({ elapsedMs, word }, i) => {
      const share = elapsedMs / endMs;
      const x = percent(share);
      const anchor = share < 0.03 ? 'start' : share > 0.97 ? 'end' : 'middle';
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

export const percent = (share: number): string => `${Math.round(share * 100_000) / 1_000}%`;
