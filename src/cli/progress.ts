import type { StatusLine } from './terminal.js';

export interface ProgressFigures {
  readonly frames: number;
  /** As the source announced it; may be off by a few. */
  readonly framesExpected?: number;
  /** Absent where none are looked for. */
  readonly events?: number;
}

/** Often enough to look alive, seldom enough to cost nothing. */
const redrawMs = 100;

/** How far a run is, on the status line; the rate is the mean since the first update. */
export class Progress {
  #start: { readonly atMs: number; readonly frames: number } | undefined;
  #drawnAtMs = -Infinity;

  constructor(
    private readonly status: StatusLine,
    private readonly nowMs: () => number = () => performance.now(),
  ) {}

  update(figures: ProgressFigures): void {
    const atMs = this.nowMs();
    this.#start ??= { atMs, frames: figures.frames };
    if (atMs - this.#drawnAtMs < redrawMs) return;
    this.#drawnAtMs = atMs;
    const { frames } = this.#start;
    this.status.show(progressText(figures, (figures.frames - frames) / ((atMs - this.#start.atMs) / 1000)));
  }

  end(): void {
    this.status.clear();
  }
}

/** `1,204 of 1,800 frames · 66 % · 312 frames/s · 4 events`; a rate that is not finite is not known yet. */
export function progressText({ frames, framesExpected, events }: ProgressFigures, framesPerSecond: number): string {
  const count = (value: number, unit: string) => `${value.toLocaleString('en')} ${unit}${value === 1 ? '' : 's'}`;
  return [
    framesExpected === undefined
      ? count(frames, 'frame')
      : `${frames.toLocaleString('en')} of ${count(framesExpected, 'frame')}`,
    framesExpected ? `${Math.min(100, Math.floor((100 * frames) / framesExpected))} %` : '',
    Number.isFinite(framesPerSecond) ? `${framesPerSecond.toFixed(framesPerSecond < 10 ? 1 : 0)} frames/s` : '',
    events === undefined ? '' : count(events, 'event'),
  ]
    .filter(Boolean)
    .join(' · ');
}
