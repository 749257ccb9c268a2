import { InvalidArgumentError } from 'commander';
import type { MomentTime } from '../sources/moments.js';

const CLOCK = /^(?:(\d+):)?([0-5]?\d):([0-5]\d(?:\.\d+)?)$/;
const ISO = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:[Zz]|[+-]\d\d:\d\d)$/;

/** Reads a moment of a source: `127.4` seconds, `02:07.4`, `1:02:07`, or a date and time with its zone. */
export function momentTime(text: string): MomentTime {
  if (/^\d+(?:\.\d+)?$/.test(text)) return { elapsedMs: Number(text) * 1_000 };
  const clock = CLOCK.exec(text);
  if (clock !== null) {
    const [, hours = '0', minutes, seconds] = clock;
    return { elapsedMs: (Number(hours) * 3_600 + Number(minutes) * 60 + Number(seconds)) * 1_000 };
  }
  const timeMs = ISO.test(text) ? Date.parse(text.replace(' ', 'T').toUpperCase()) : Number.NaN;
  if (!Number.isNaN(timeMs)) return { timeMs };
  throw new InvalidArgumentError('give seconds (127.4), a clock time (02:07.4) or 2026-01-31T08:30:00Z');
}
