import { requireTimeZone, Schedule } from '../../records/index.js';
import { tried, type Contradiction } from './contradiction.js';
import type { Deployment } from './schema.js';
import type { SourceEntry } from './sources.js';

/** @throws BlinkstreamError as `Schedule.parse` */
export const scheduleOf = (entry: SourceEntry): Schedule | undefined =>
  entry.kind === 'video' || entry.schedule === undefined ? undefined : Schedule.parse(entry.schedule, entry.timeZone);

export const ofSchedules = ({ sources }: Deployment): Contradiction[] =>
  sources.flatMap((entry, i): Contradiction[] => {
    if (entry.kind === 'video') return [];
    const { schedule, timeZone } = entry;
    if (schedule === undefined) {
      const message = 'timeZone says of which place the schedule is, and there is none';
      return timeZone === undefined ? [] : [{ path: ['sources', i, 'timeZone'], message }];
    }
    if (entry.kind === 'images' && entry.intervalMs !== undefined) {
      const message = 'pictures that are dated by intervalMs have no time of day: say timePattern, or leave it to EXIF';
      return [{ path: ['sources', i, 'schedule'], message }];
    }
    if (timeZone !== undefined) {
      const unknown = tried(['sources', i, 'timeZone'], () => requireTimeZone(timeZone));
      if (unknown.length > 0) return unknown;
    }
    return tried(['sources', i, 'schedule'], () => scheduleOf(entry));
  });
