import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { html } from '../../src/outputs/report/html.js';
import { choosePictures } from '../../src/outputs/report/pictures.js';
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
        const { text } = timeline(stories, durationMs);
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
