import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { localTimeIn, Schedule } from '../../src/records/index.js';

const zones = ['UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Kathmandu', 'Australia/Lord_Howe', 'America/St_Johns'];
const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

describe('a schedule', () => {
  it.each([
    ['Mo-Fr 18:00-07:00, Sa-Su', 'Mo–Fr 18:00–07:00, Sa–Su all day (UTC)'],
    ['18:00-7:00', 'every day 18:00–07:00 (UTC)'],
    ['  sunday 00:00–24:00 ,Fr - Mo 8:15 - 9:00', 'Su 00:00–24:00, Fr–Mo 08:15–09:00 (UTC)'],
    ['Tu', 'Tu all day (UTC)'],
    ['We-Tu', 'every day all day (UTC)'],
  ])('says how it understood %j', (text, words) => {
    expect(Schedule.parse(text, 'UTC').words).toBe(words);
  });

  it.each([
    ['', 'at its end: a day or a time is expected, such as Mo-Fr or 18:00-07:00'],
    ['Mo-Fr 18:00-07:00,', 'at its end: a day or a time is expected, such as Mo-Fr or 18:00-07:00'],
    ['Mo-Fr 18:00-7', 'at character 13, "7": a time from 00:00 to 24:00 is expected'],
    ['Mo-Fr 18:00', 'at its end: a dash and the end are expected, such as -07:00'],
    ['Mo-Fr 24:00-07:00', 'at character 7, "24:00-07:00": a time from 00:00 to 23:59 is expected'],
    ['Mo 18:60-19:00', 'at character 4, "18:60-19:00": a time from 00:00 to 23:59 is expected'],
    ['Mo-18:00', 'at character 4, "18:00": a day is expected, such as Fr'],
    ['Mo-Xx', 'at character 4, "Xx": a day is expected: Mo, Tu, We, Th, Fr, Sa or Su'],
    ['M 18:00-19:00', 'at character 1, "M 18:00-19:0": a day is expected: Mo, Tu, We, Th, Fr, Sa or Su'],
    ['Mo 08:00-08:00', 'at character 10, "08:00": the end is expected at another time than the beginning'],
    ['Mo; Tu', 'at character 3, "; Tu": a comma and another part, or nothing more, is expected'],
  ])('refuses %j with the place and what is expected there', (text, message) => {
    expect(() => Schedule.parse(text, 'UTC')).toThrow(
      expect.objectContaining({
        code: 'SCHEDULE_INVALID',
        class: 'user',
        exitCode: 2,
        message: expect.stringContaining(message) as string,
      }) as Error,
    );
  });

  it('refuses a time zone that there is not', () => {
    expect(() => Schedule.parse('Mo', 'Europe/Berlni')).toThrow(
      expect.objectContaining({ code: 'TIME_ZONE_UNKNOWN', class: 'user' }) as Error,
    );
  });

  it('goes on into the next day where it ends before it begins, also from Sunday to Monday', () => {
    const nights = Schedule.parse('Mo-Fr 18:00-07:00', 'Europe/Berlin');
    const isIn = (moment: string) => nights.touches(Date.parse(moment), Date.parse(moment));
    expect(isIn('2026-06-05T17:59:59.999+02:00')).toBe(false); // a Friday
    expect(isIn('2026-06-05T18:00:00+02:00')).toBe(true);
    expect(isIn('2026-06-06T06:59:59.999+02:00')).toBe(true);
    expect(isIn('2026-06-06T07:00:00+02:00')).toBe(false);
    expect(isIn('2026-06-06T18:00:00+02:00')).toBe(false);
    const sunday = Schedule.parse('Su 22:00-02:00', 'UTC');
    expect(sunday.touches(Date.UTC(2026, 5, 8, 1, 59), Date.UTC(2026, 5, 8, 1, 59))).toBe(true);
  });

  it('goes by the clocks of the place over the nights in which summer time begins and ends', () => {
    const early = Schedule.parse('02:00-03:00', 'Europe/Berlin');
    const isIn = (moment: string) => early.touches(Date.parse(moment), Date.parse(moment));
    // 02:00 to 03:00 is not there on 29 March 2026, and comes twice on 25 October.
    expect(early.touches(Date.parse('2026-03-28T12:00:00Z'), Date.parse('2026-03-29T12:00:00Z'))).toBe(false);
    expect(
      ['2026-10-24T23:59:59Z', '2026-10-25T00:30:00Z', '2026-10-25T01:30:00Z', '2026-10-25T02:00:00Z'].map(isIn),
    ).toEqual([false, true, true, false]);
  });

  it('holds for a moment if the clock of the place stands in one of its parts', () => {
    const time = fc.integer({ min: 0, max: 24 * 60 - 1 });
    fc.assert(
      fc.property(
        fc.constantFrom(...zones),
        fc.tuple(fc.nat(6), fc.nat(6), time, time).filter(([, , from, to]) => from !== to),
        fc.date({ min: new Date('2025-01-01'), max: new Date('2027-01-01'), noInvalidDate: true }),
        (zone, [first, last, from, to], date) => {
          const days = ['Mo', 'Tu', 'We', 'Th', 'Fr', 'Sa', 'Su'];
          const word = (minute: number) => `${Math.floor(minute / 60)}:${String(minute % 60).padStart(2, '0')}`;
          const schedule = Schedule.parse(`${days[first]}-${days[last]} ${word(from)}-${word(to)}`, zone);
          const { weekday, hour, minute } = localTimeIn(zone)(date.getTime());
          const isDay = (day: number) => (((day + 7) % 7) - first + 7) % 7 <= (last - first + 7) % 7;
          const now = hour * 60 + minute;
          const expected =
            from < to
              ? isDay(weekday) && now >= from && now < to
              : (isDay(weekday) && now >= from) || (isDay(weekday - 1) && now < to);
          expect(schedule.touches(date.getTime(), date.getTime())).toBe(expected);
        },
      ),
    );
  });

  it('touches a stretch of time if it holds for a moment of it', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...zones),
        fc.constantFrom('Mo-Fr 18:00-07:00', 'We 02:10-02:40', 'Sa-Su', '12:00-12:01', 'Su 02:00-04:00'),
        // Around the nights in which clocks are set.
        fc.constantFrom(Date.UTC(2026, 2, 7), Date.UTC(2026, 2, 28), Date.UTC(2026, 3, 4), Date.UTC(2026, 9, 24)),
        fc.nat(2 * DAY_MS),
        fc.nat(12 * 60 * MINUTE_MS),
        (zone, text, aroundMs, afterMs, lengthMs) => {
          const schedule = Schedule.parse(text, zone);
          const [fromMs, toMs] = [aroundMs + afterMs, aroundMs + afterMs + lengthMs];
          let holds = schedule.touches(toMs, toMs);
          for (let ms = fromMs; ms <= toMs && !holds; ms = (Math.floor(ms / MINUTE_MS) + 1) * MINUTE_MS) {
            holds = schedule.touches(ms, ms);
          }
          expect(schedule.touches(fromMs, toMs)).toBe(holds);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('touches every long stretch, without looking at all of it', () => {
    expect(Schedule.parse('Tu 03:00-03:01', 'UTC').touches(0, 1e14)).toBe(true);
  });
});
