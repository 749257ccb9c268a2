import {
  knowsWallClock,
  type ChangeKind,
  type ConditionCause,
  type FramePoint,
  type Phase,
  type Verdict,
} from '../../records/index.js';

/** A kind as the page names it. */
export const kindWords: Readonly<Record<ChangeKind, string>> = {
  APPEARED: 'Appeared',
  DISAPPEARED: 'Disappeared',
  MOVED: 'Moved',
  REPLACED: 'Replaced',
  RESIZED: 'Resized',
  RECOLORED: 'Recoloured',
  TEXT_CHANGED: 'Text changed',
  LAYOUT_SHIFTED: 'Layout shifted',
  RESTYLED: 'Restyled',
  ACTIVITY: 'Activity',
  TREND: 'Trend',
  ONSET: 'Onset',
  COUNT_CHANGED: 'Count changed',
  CONDITION: 'Condition',
};

export const causeWords: Readonly<Record<ConditionCause, string>> = {
  LIGHTING: 'Lighting',
  CAMERA_MOVED: 'Camera moved',
  OVERLAY: 'Overlay',
  NOISE: 'Noise',
  WEATHER: 'Weather',
  SHADOW: 'Shadow',
  COLOR_MODE: 'Colour mode',
  OBSCURED: 'Obscured',
  SIGNAL_GAP: 'Signal gap',
  RENDERING: 'Rendering',
};

export const phaseWords: Readonly<Record<Phase, string>> = { STARTED: 'Started', UPDATED: 'Updated', ENDED: 'Ended' };

export const verdictWords: Readonly<Record<Verdict, string>> = {
  SUPPORTED: 'Supported',
  CONTRADICTED: 'Contradicted',
  UNVERIFIED: 'Unverified',
};

/** `02:07.4`, from an hour on `1:02:07.4`. Tenths are cut, not rounded, so that a moment is never told early. */
export function clock(elapsedMs: number): string {
  const tenths = Math.floor(Math.max(0, elapsedMs) / 100);
  const two = (value: number) => String(value).padStart(2, '0');
  const hours = Math.floor(tenths / 36_000);
  const rest = `${two(Math.floor(tenths / 600) % 60)}:${two(Math.floor(tenths / 10) % 60)}.${tenths % 10}`;
  return hours === 0 ? rest : `${hours}:${rest}`;
}

/** A length of time in words: `0.4 s`, `24 s`, `3 min 20 s`, `2 h 5 min`, `4 d 3 h`. */
export function span(ms: number): string {
  if (ms < 9_950) return `${Number((ms / 1000).toFixed(1))} s`;
  const seconds = Math.round(ms / 1000);
  const pair = (large: number, largeUnit: string, small: number, smallUnit: string) =>
    small === 0 ? `${large} ${largeUnit}` : `${large} ${largeUnit} ${small} ${smallUnit}`;
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3_600) return pair(Math.floor(seconds / 60), 'min', seconds % 60, 's');
  const minutes = Math.round(seconds / 60);
  if (minutes < 1_440) return pair(Math.floor(minutes / 60), 'h', minutes % 60, 'min');
  const hours = Math.round(minutes / 60);
  return pair(Math.floor(hours / 24), 'd', hours % 24, 'h');
}

/** The moment on the wall clock as ISO 8601, where the source knows it. */
export function wallClock({ timeMs }: FramePoint): string | undefined {
  if (!knowsWallClock(timeMs)) return undefined;
  const date = new Date(timeMs);
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString();
}

/** `1 change`, `2 changes`, `1,204 frames`. */
export const counted = (count: number, one: string, many = `${one}s`): string =>
  `${count.toLocaleString('en-US')} ${count === 1 ? one : many}`;

/** A measure as a person reads it: at most four significant digits. */
export const figure = (value: number): string =>
  Number(value.toPrecision(4)).toLocaleString('en-US', { maximumSignificantDigits: 4 });
