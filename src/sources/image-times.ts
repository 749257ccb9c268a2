import exifr from 'exifr';
import { BlinkstreamError } from '../records/index.js';

/**
 * Where the times of images come from. `pattern`: a part of the file's name, written with `{YYYY}`, `{MM}`, `{DD}`,
 * `{hh}`, `{mm}`, `{ss}`, `{ms}` for figures and `*` for anything, such as `cam_{YYYY}{MM}{DD}_{hh}{mm}{ss}`; it needs
 * the date. `exif`: DateTimeOriginal. Both are UTC unless EXIF tells its offset. `intervalMs`: so far apart, from 0.
 */
export type ImageTimes = { readonly pattern: string } | 'exif' | { readonly intervalMs: number };

/** The image's time in ms. `index` counts the images from 0. Throws Error with the reason where it has none. */
export type TimeReader = (image: { name: string; index: number; bytes: Uint8Array }) => Promise<number>;

/** @throws BlinkstreamError `SOURCE_TIMES` on a pattern or interval that makes no sense */
export function timeReader(times: ImageTimes): TimeReader {
  if (times === 'exif') {
    return async ({ bytes }) => {
      const time = await exifTimeMs(bytes);
      if (time === undefined) throw new Error('it has no EXIF time');
      return time;
    };
  }
  if ('intervalMs' in times) {
    const { intervalMs } = times;
    if (!(intervalMs > 0 && Number.isFinite(intervalMs)))
      throw timesError(`an interval of ${intervalMs} ms makes no sense`);
    return ({ index }) => Promise.resolve(index * intervalMs);
  }
  const read = namePattern(times.pattern);
  return ({ name }) => {
    const time = read(name);
    if (time !== undefined) return Promise.resolve(time);
    return Promise.reject(new Error(`its name does not hold a time as ${times.pattern}`));
  };
}

/** When the picture was taken, in ms since the epoch; undefined where its EXIF does not tell. */
export async function exifTimeMs(bytes: Uint8Array): Promise<number | undefined> {
  const tags = ['DateTimeOriginal', 'OffsetTimeOriginal', 'SubSecTimeOriginal'];
  // Not revived: a Date would be made in the zone of this machine.
  const exif = (await exifr.parse(bytes, { pick: tags, reviveValues: false }).catch(() => undefined)) as
    Partial<Record<string, unknown>> | undefined;
  const taken = exif?.DateTimeOriginal;
  const match = typeof taken === 'string' ? /^(\d{4}):(\d\d):(\d\d)[ T](\d\d):(\d\d):(\d\d)/.exec(taken) : null;
  if (match === null) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1).map(Number);
  const fraction = exif?.SubSecTimeOriginal;
  const ms = typeof fraction === 'string' && /^\d+$/.test(fraction.trim()) ? Number(`0.${fraction.trim()}`) * 1_000 : 0;
  const offset = exif?.OffsetTimeOriginal;
  const zone = typeof offset === 'string' ? /^([+-])(\d\d):(\d\d)/.exec(offset) : null;
  const aheadMs = zone === null ? 0 : (zone[1] === '-' ? -60_000 : 60_000) * (Number(zone[2]) * 60 + Number(zone[3]));
  const time = utc({ YYYY: year, MM: month, DD: day, hh: hour, mm: minute, ss: second, ms });
  return time === undefined ? undefined : time - aheadMs;
}

const digits = { YYYY: 4, MM: 2, DD: 2, hh: 2, mm: 2, ss: 2, ms: 3 } as const;
type Part = keyof typeof digits;

function namePattern(pattern: string): (name: string) => number | undefined {
  const parts: Part[] = [];
  const source = pattern
    .split(/(\{[^}]*\}|\*)/)
    .map((piece) => {
      if (piece === '*') return '.*?';
      const part = /^\{(.*)\}$/.exec(piece)?.[1];
      if (part === undefined) return piece.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
      if (!Object.hasOwn(digits, part)) throw timesError(`{${part}} in "${pattern}" is not a part of a time`);
      if (parts.includes(part as Part)) throw timesError(`{${part}} stands twice in "${pattern}"`);
      parts.push(part as Part);
      return `(\\d{${digits[part as Part]}})`;
    })
    .join('');
  for (const needed of ['YYYY', 'MM', 'DD'] as const) {
    if (!parts.includes(needed)) throw timesError(`{${needed}} is missing in "${pattern}"`);
  }
  const expression = new RegExp(source);
  return (name) => {
    const match = expression.exec(name);
    if (match === null) return undefined;
    const found = Object.fromEntries(parts.map((part, i) => [part, Number(match[i + 1])]));
    return utc({ YYYY: 0, MM: 0, DD: 0, hh: 0, mm: 0, ss: 0, ms: 0, ...found });
  };
}

/** Undefined for a moment that does not exist, such as the 31st of June. */
function utc({ YYYY, MM, DD, hh, mm, ss, ms }: Record<Part, number>): number | undefined {
  const time = Date.UTC(YYYY, MM - 1, DD, hh, mm, ss);
  const date = new Date(time);
  const exists = date.getUTCMonth() === MM - 1 && date.getUTCDate() === DD && hh < 24 && mm < 60 && ss < 60;
  return exists ? time + ms : undefined;
}

const timesError = (message: string): BlinkstreamError =>
  new BlinkstreamError(message, {
    code: 'SOURCE_TIMES',
    class: 'user',
    stage: 'source',
    hint: 'write a name pattern like {YYYY}{MM}{DD}_{hh}{mm}{ss}, or an interval above 0 ms',
    exitCode: 2,
  });
