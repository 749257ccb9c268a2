import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { html } from '../../src/outputs/report/html.js';
import { choosePictures } from '../../src/outputs/report/pictures.js';
import { ticksOf } from '../../src/outputs/report/axis.js';
import { Moments } from '../../src/outputs/report/moments.js';
import { route, simplified } from '../../src/outputs/report/route.js';
import { tell } from '../../src/outputs/report/story.js';
import { timeline } from '../../src/outputs/report/timeline.js';
import { clock, figure, span, wallClock } from '../../src/outputs/report/words.js';
import { eventOf, MemoryBlobs } from '../support/demo-story.js';

describe('html', () => {
  it('lets no inserted sign through that could end a text or an attribute', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('<', '>', '&', '"', "'", '`', 'a', '/') }), (text) => {
        const { text: markup } = html`<p title="${text}">${[text, undefined, false]}</p>`;
        const inserted = markup.slice('<p title="'.length, -'</p>'.length).replace('">', '');
        expect(inserted).not.toMatch(/[<>"'`]/);
        const back = inserted.replace(/&#(\d+);/g, (_, code) => String.fromCharCode(Number(code)));
        expect(back).toBe(text + text);
      }),
    );
  });

  it('inserts markup of its own as it is', () => {
    const items = [1, 2].map((n) => html`<li>${n}</li>`);
    expect(
      html`<ul title="&lt;">
        ${items}
      </ul>`.text.replace(/\s+</g, '<'),
    ).toBe('<ul title="&lt;"><li>1</li><li>2</li></ul>');
  });
});

describe('words', () => {
  it('tells moments and lengths of time', () => {
    expect([0, 999, 61_250, 3_599_999, 3_600_000, 90_061_000].map(clock)).toEqual([
      '00:00.0',
      '00:00.9',
      '01:01.2',
      '59:59.9',
      '1:00:00.0',
      '25:01:01.0',
    ]);
    expect([0, 440, 9_949, 9_950, 59_499, 59_500, 200_000, 3_600_000, 7_500_000, 356_400_000].map(span)).toEqual([
      '0 s',
      '0.4 s',
      '9.9 s',
      '10 s',
      '59 s',
      '1 min',
      '3 min 20 s',
      '1 h',
      '2 h 5 min',
      '4 d 3 h',
    ]);
    expect([0.0147, 12_345.6, -3, 1e-7].map(figure)).toEqual(['0.0147', '12,350', '-3', '0.0000001']);
  });

  it('knows the wall clock only where the source does', () => {
    expect(wallClock({ frame: 0, timeMs: 1_200, elapsedMs: 1_200 })).toBeUndefined();
    expect(wallClock({ frame: 0, timeMs: Date.UTC(2026, 0, 2), elapsedMs: 0 })).toBe('2026-01-02T00:00:00.000Z');
    expect(wallClock({ frame: 0, timeMs: 1e300, elapsedMs: 0 })).toBeUndefined();
  });
});

const knowing = (first: string, durationMs: number, timeZone = 'Europe/Berlin') =>
  new Moments([{ frame: 3, timeMs: Date.parse(first) + 100, elapsedMs: 100 }], durationMs, timeZone);
const HOUR_MS = 3_600_000;

describe('moments', () => {
  it('are told by the clock of the place where the source knows it, with dates where there are several', () => {
    const evening = knowing('2026-06-03T16:03:20.000Z', 2 * HOUR_MS);
    expect([evening.word(0), evening.word(61_000)]).toEqual(['18:03:20', '18:04:21']);
    expect(evening.spanWord(2 * HOUR_MS)).toBe('Wed 3 Jun 2026, 18:03 – 20:03 (Europe/Berlin)');
    const night = knowing('2026-12-31T17:00:00.000Z', 13 * HOUR_MS);
    expect(night.word(12 * HOUR_MS)).toBe('Fri 1 Jan, 06:00:00');
    expect(night.spanWord(13 * HOUR_MS)).toBe('Thu 31 Dec 2026, 18:00 – Fri 1 Jan 2027, 07:00 (Europe/Berlin)');
  });

  it('are counted from the first frame where it does not', () => {
    const unknown = new Moments([{ frame: 0, timeMs: 40, elapsedMs: 40 }], 1_000);
    expect(unknown.word(61_250)).toBe('01:01.2');
    expect(unknown.spanWord(1_000)).toBeUndefined();
  });
});

describe('the ticks of the axis', () => {
  const words = (endMs: number, moments: Moments) => ticksOf(endMs, moments).map(({ word }) => word);

  it('stand at full hours of the place, also over the nights in which summer time begins and ends', () => {
    const spring = knowing('2026-03-28T21:30:00.000Z', 7 * HOUR_MS);
    expect(words(7 * HOUR_MS, spring)).toEqual(['23:00', 'Sun 29 Mar', '01:00', '03:00', '04:00', '05:00', '06:00']);
    const autumn = knowing('2026-10-24T20:30:00.000Z', 14 * HOUR_MS);
    expect(words(14 * HOUR_MS, autumn)).toEqual(['Sun 25 Oct', '02:00', '04:00', '06:00', '08:00', '10:00']);
    expect(ticksOf(14 * HOUR_MS, autumn)[2].elapsedMs).toBe(6.5 * HOUR_MS);
  });

  it('count from the first frame where the source knows no time of day', () => {
    expect(words(26_000, new Moments([], 26_000))).toEqual(['00:00', '00:05', '00:10', '00:15', '00:20', '00:25']);
  });

  it('are eight and one at most, in order, inside', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1_000, max: 400 * 24 * HOUR_MS }),
        fc.integer({ min: Date.UTC(2025, 0, 1), max: Date.UTC(2027, 0, 1) }),
        fc.constantFrom('Europe/Berlin', 'America/New_York', 'Asia/Kathmandu', 'Australia/Lord_Howe', 'UTC'),
        (endMs, firstMs, zone) => {
          const ticks = ticksOf(endMs, knowing(new Date(firstMs).toISOString(), endMs, zone)).map((t) => t.elapsedMs);
          expect(ticks.length).toBeLessThanOrEqual(9);
          expect(ticks.every((ms) => ms >= 0 && ms <= endMs)).toBe(true);
          expect([...ticks].sort((a, b) => a - b)).toEqual(ticks);
        },
      ),
      { numRuns: 300 },
    );
  });
});

const moments = fc.record({ first: fc.nat(5_000), length: fc.nat(2_000), open: fc.boolean() });

describe('the timeline', () => {
  it('draws every change once, inside the picture, and no two over each other', () => {
    fc.assert(
      fc.property(fc.array(moments, { minLength: 1, maxLength: 40 }), fc.nat(600_000), (spans, durationMs) => {
        const stories = tell(
          spans.map(({ first, length, open }, i) => [
            eventOf(i, { kind: 'APPEARED', phase: open ? 'STARTED' : 'ENDED', first, last: first + length }),
          ]),
        );
        const { text } = timeline(stories, durationMs, new Moments([], durationMs));
        const bars = [...text.matchAll(/class="bar"\s+x="([\d.]+)%"\s+y="([\d.]+)"\s+width="([\d.]+)%"/g)].map(
          ([, x, y, width]) => ({ from: Number(x), to: Number(x) + Number(width), y }),
        );
        expect(bars).toHaveLength(spans.length);
        for (const [i, a] of bars.entries()) {
          expect(a.from).toBeGreaterThanOrEqual(0);
          expect(a.to).toBeLessThan(100.01);
          for (const b of bars.slice(i + 1)) {
            if (a.y === b.y) expect(Math.min(a.to, b.to) - Math.max(a.from, b.from)).toBeLessThan(0.65);
          }
        }
      }),
    );
  });
});

describe('many changes that are still open', () => {
  it('leave the timeline low, and each other a place', () => {
    const stories = tell(
      Array.from({ length: 500 }, (_, i) => [eventOf(i, { kind: 'APPEARED', first: i * 10, last: i * 10 })]),
    );
    const { text } = timeline(stories, 600_000, new Moments([], 600_000));
    expect(Number(/<svg width="100%" height="([\d.]+)"/.exec(text)?.[1])).toBeLessThan(400);
    const heights = [...text.matchAll(/class="bar"[^>]*?\sheight="([\d.]+)"/g)].map(([, height]) => Number(height));
    expect(heights).toHaveLength(500);
    expect(Math.min(...heights)).toBeGreaterThan(2);
  });
});

describe('the way of an activity', () => {
  const point = fc.record({ x: fc.integer({ min: 0, max: 640 }), y: fc.integer({ min: 0, max: 360 }) });

  it('is drawn with fewer points, and no point of it is farther from the line than told', () => {
    fc.assert(
      fc.property(fc.array(point, { minLength: 2, maxLength: 80 }), fc.integer({ min: 0, max: 40 }), (path, px) => {
        const way = simplified(path, px);
        expect([way[0], way.at(-1)]).toEqual([path[0], path.at(-1)]);
        const distance = (p: (typeof path)[0]) =>
          Math.min(
            ...way.slice(1).map((b, i) => {
              const a = way[i];
              const [dx, dy] = [b.x - a.x, b.y - a.y];
              const t =
                dx || dy ? Math.min(1, Math.max(0, ((p.x - a.x) * dx + (p.y - a.y) * dy) / (dx ** 2 + dy ** 2))) : 0;
              return Math.hypot(p.x - a.x - t * dx, p.y - a.y - t * dy);
            }),
          );
        for (const p of path) expect(distance(p)).toBeLessThanOrEqual(px + 1e-9);
      }),
    );
  });

  it('points with an arrow to where the thing was seen last', () => {
    const path = [0, 10, 20, 30, 40].map((x) => ({ x, y: 100 + (x % 20) / 10 }));
    const { text } = route(path, { x: 0, y: 0, width: 300, height: 400 });
    const lines = [...text.matchAll(/class="line" points="([^"]*)"/g)].map(([, points]) => points);
    expect(lines).toEqual(['0,100 40,100', '30.5,94.5 40,100 30.5,105.5']);
    expect(text).toContain('d="M0 100h0"');
  });
});

describe('the choice of pictures', () => {
  it('takes pairs of the last revision first, then the rest as far as it fits', async () => {
    const blobs = new MemoryBlobs();
    const picture = (role: string, text: string) => ({
      role,
      sha256: blobs.add('image/png', Buffer.from(text.padEnd(100))),
      mediaType: 'image/png',
      width: 1,
      height: 1,
    });
    const [early, crop, before, after] = [
      picture('before', 'early'),
      picture('before-crop', 'crop'),
      picture('before', 'before'),
      picture('after', 'after'),
    ];
    const started = eventOf(1, { kind: 'APPEARED', first: 0, last: 1, pictures: [early] });
    const ended = { ...started, revision: 2, phase: 'ENDED', pictures: [crop, before, after] } as const;
    const chosen = async (maxBytes: number) => {
      const book = await choosePictures(tell([[started, ended]]), blobs, maxBytes);
      return { shas: [...book.ids.keys()], left: book.overLimit, bytes: book.bytes };
    };
    expect(await chosen(300)).toEqual({ shas: [before, after, crop].map((p) => p.sha256), left: 1, bytes: 300 });
    expect(await chosen(250)).toEqual({ shas: [before, after].map((p) => p.sha256), left: 2, bytes: 200 });
    expect(await chosen(1_000)).toMatchObject({ left: 0, bytes: 400 });
  });
});
