import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import sharp from 'sharp';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { writeReport, type ReportInput } from '../../src/outputs/report/report.js';
import type { ChangeEvent } from '../../src/records/index.js';
import { startBrowser, startNpmBrowser } from '../support/browser.js';
import { demoSource, demoStory, eventOf, MemoryBlobs } from '../support/demo-story.js';

let folder: string;
let browser: Browser;
let demo: Awaited<ReturnType<typeof demoStory>>;
let written = 0;
const pages: Page[] = [];
/** For what a page does in its own time, on a busy machine. */
const patience = { timeout: 20_000 };

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'blinkstream-report-'));
  [browser, demo] = await Promise.all([startBrowser(), demoStory()]);
});
afterEach(async () => {
  await Promise.all(pages.splice(0).map((page) => page.close()));
});
afterAll(async () => {
  await browser.close();
  await rm(folder, { recursive: true });
});

/** Writes a report and opens it; whatever the page complains about or asks the network for is collected. */
async function show(input: Partial<ReportInput>, options: BrowserContextOptions = {}, opener = browser) {
  const path = join(folder, `${++written}.html`);
  const { source = demoSource, changes = demo.changes, blobs = demo.blobs } = input;
  const report = await writeReport({ title: 'What changed', ...input, path, source, changes, blobs });
  const page = await opener.newPage({ viewport: { width: 1280, height: 900 }, ...options });
  pages.push(page);
  const complaints: string[] = [];
  const requests: string[] = [];
  page.on('console', (message) => complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('dialog', (dialog) => {
    complaints.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on('request', (request) => {
    if (!request.url().startsWith('data:')) requests.push(request.url());
  });
  await page.goto(pathToFileURL(path).href);
  return { page, path, report, complaints, requests };
}

// What runs inside the page is given as text: the DOM's types stay out of a program for Node.
const splitOf = (page: Page): Promise<unknown> =>
  page.evaluate("document.querySelector('.view:not([hidden]) .pair').style.getPropertyValue('--split')");

describe('the report of the demo', () => {
  it('opens without a complaint or a request, and shows its pictures', async () => {
    const { page, path, report, complaints, requests } = await show({});
    const first = page.locator('.card image.loaded').first();
    await first.waitFor();
    expect(complaints).toEqual([]);
    expect(requests).toEqual([pathToFileURL(path).href]);
    expect(report).toEqual({ pictures: demo.blobs.all.size, picturesLeftOut: 0 });
    // The same picture stands behind several cards, but once in the file.
    const text = await readFile(path, 'utf8');
    for (const { bytes } of demo.blobs.all.values()) {
      expect(text.split(Buffer.from(bytes).toString('base64'))).toHaveLength(2);
    }
  });

  it('reads as it should', async () => {
    const { page } = await show({});
    await expect(await page.locator('body').ariaSnapshot()).toMatchFileSnapshot('../golden/report.aria.txt');
  });

  it('moves the border between before and after by mouse and keyboard, and blinks', async () => {
    const { page } = await show({});
    const slide = page.locator('.view:not([hidden]) .slide').first();
    await slide.scrollIntoViewIfNeeded();
    const box = await slide.boundingBox();
    if (box === null) throw new Error('the slider is not shown');
    await page.mouse.move(box.x + box.width * 0.2, box.y + box.height / 2);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.75, box.y + box.height / 2, { steps: 5 });
    await page.mouse.up();
    expect(await splitOf(page)).toBe('75%');
    await slide.press('ArrowLeft');
    expect(await splitOf(page)).toBe('74%');
    await slide.press('Home');
    expect(await splitOf(page)).toBe('0%');

    const blink = page.getByRole('button', { name: 'Blink' }).first();
    await blink.click();
    expect(await blink.getAttribute('aria-pressed')).toBe('true');
    await expect.poll(() => splitOf(page), patience).toBe('100%');
    await expect.poll(() => splitOf(page), patience).toBe('0%');
    await blink.click();
    expect(await blink.getAttribute('aria-pressed')).toBe('false');
  });

  it('draws the way of an activity over its still, with an arrow at its end', async () => {
    const { page } = await show({});
    const card = page.locator('.card', { hasText: 'stood for 1.6 s' });
    await card.scrollIntoViewIfNeeded();
    const lines = card.locator('.route polyline.line');
    expect(await lines.first().getAttribute('points')).toBe('632,278 537,283');
    expect(await lines.nth(1).getAttribute('points')).toMatch(/^[\d.,]+ 537,283 [\d.,]+$/);
    expect(await lines.nth(1).isVisible()).toBe(true);
  });

  it('draws the evidence box where the change is in the picture', async () => {
    const { page } = await show({});
    const card = page.locator('.card', { hasText: 'became' });
    await card.scrollIntoViewIfNeeded();
    const part = async (selector: string) => {
      const box = await card.locator(selector).first().boundingBox();
      if (box === null) throw new Error(`${selector} is not shown`);
      return box;
    };
    const [picture, box] = [await part('.layer.after image'), await part('.layer.after .box .line')];
    const region = demo.changes[4][0].after?.region;
    if (region === undefined) throw new Error('the demo has a region here');
    const scale = picture.width / 640;
    expect(box.x - picture.x).toBeCloseTo(region.x * scale, -1);
    expect(box.y - picture.y).toBeCloseTo(region.y * scale, -1);
    expect(box.width).toBeCloseTo(region.width * scale, -1);
  });

  it('shows the pictures of each step of a life', async () => {
    const { page } = await show({});
    const card = page.locator('.card', { hasText: 'is back after' });
    const view = card.locator('.view:not([hidden])');
    expect(await view.getAttribute('data-step')).toBe('2');
    await card.getByRole('button', { name: /^Started/ }).click();
    expect(await view.getAttribute('data-step')).toBe('1');
  });

  it('plays a clip where somebody opens it', async () => {
    const blobs = new MemoryBlobs();
    for (const [sha256, blob] of demo.blobs.all) blobs.all.set(sha256, blob);
    const grey = { create: { width: 64, height: 72, channels: 3, background: '#777' } } as const;
    const raw = await sharp(grey).raw().toBuffer();
    const moving = await sharp(raw, { raw: { width: 64, height: 72, channels: 3, pageHeight: 36 } })
      .webp()
      .toBuffer();
    const clip = {
      role: 'clip',
      sha256: blobs.add('image/webp', moving),
      mediaType: 'image/webp',
      width: 64,
      height: 36,
    };
    const [step] = demo.changes[1];
    const changes = [[{ ...step, pictures: [...step.pictures, clip] }]];
    const { page, complaints } = await show({ changes, blobs });
    const drawn = page.locator('.clip .scene');
    expect(await drawn.isVisible()).toBe(false);
    await page.getByText('Clip', { exact: true }).click();
    await page.locator('.clip image.loaded').waitFor();
    expect(await drawn.isVisible()).toBe(true);
    expect(complaints).toEqual([]);

    // The largest that fits without it.
    const stills = step.pictures.reduce((sum, { sha256 }) => sum + (blobs.all.get(sha256)?.bytes.byteLength ?? 0), 0);
    const full = await show({ changes, blobs, maxPictureBytes: stills });
    expect(await full.page.locator('.note').innerText()).toMatch(
      /1 would make it larger than .* MiB, 1 clip among them\. blinkstream inspect DIR --save PICTURES gets those/,
    );
    expect(await full.page.locator('.clip').count()).toBe(0);
  });

  it('filters by kind, and a mark of the timeline leads to its card all the same', async () => {
    const { page } = await show({});
    await page.getByRole('button', { name: 'Activity 2' }).click();
    expect(await page.locator('.card:visible').count()).toBe(2);
    expect(await page.getByRole('status').textContent()).toBe('2 of 7 shown');
    expect(await page.locator('.conditions').isVisible()).toBe(false);

    const mark = page.locator('.mark', { hasText: 'became' });
    await mark.focus();
    await page.keyboard.press('Enter');
    expect(await page.locator('.card:visible').count()).toBe(7);
    const focused = page.locator('.card:focus');
    expect(await focused.locator('h3').textContent()).toContain('became');
    await expect.poll(async () => (await focused.boundingBox())?.y, patience).toBeLessThan(300);
  });

  it('fits a phone, and follows the colour scheme', async () => {
    const light = await show({}, { viewport: { width: 390, height: 844 }, hasTouch: true });
    const dark = await show({}, { colorScheme: 'dark' });
    expect(await light.page.evaluate('document.documentElement.scrollWidth')).toBe(390);
    const paper = (page: Page) => page.evaluate('getComputedStyle(document.body).backgroundColor');
    expect(await paper(light.page)).toBe('rgb(245, 245, 242)');
    expect(await paper(dark.page)).toBe('rgb(17, 18, 22)');
  });
});

describe('a report of other sizes', () => {
  it('says what was looked at where nothing changed', async () => {
    const { page, complaints } = await show({ changes: [] });
    expect(await page.locator('main').innerText()).toMatch(
      /Nothing changed[^]*330 frames of demo\.mp4, 00:00\.0 to 00:26\.4/,
    );
    expect(await page.locator('.timeline').count()).toBe(0);
    expect(complaints).toEqual([]);
  });

  it('tells dates and times of day where the source knows them', async () => {
    const startedMs = Date.parse('2026-03-28T18:59:50.000Z');
    const at = ({ interval: { first, last } }: ChangeEvent) => {
      const dated = (point: typeof first) => ({ ...point, timeMs: startedMs + point.elapsedMs });
      return { interval: { first: dated(first), last: dated(last) } };
    };
    const changes = demo.changes.map((steps) => steps.map((step) => ({ ...step, ...at(step) })));
    const { page, complaints } = await show({ changes, timeZone: 'Europe/Berlin' });
    expect(await page.locator('.source').innerText()).toMatch(/Sat 28 Mar 2026, 19:59 – 20:00 \(Europe\/Berlin\)/);
    expect((await page.locator('.axis text').allTextContents()).map((text) => text.trim())).toContain('20:00:00');
    const card = page.locator('.card', { hasText: 'became' });
    await card.scrollIntoViewIfNeeded();
    expect(await card.locator('.times').textContent()).toContain('20:00:06');
    expect(await card.locator('.times time').first().getAttribute('datetime')).toBe('2026-03-28T19:00:06.800Z');
    expect(await card.locator('.caption').first().textContent()).toMatch(/Before\s+20:00:02/);
    expect(complaints).toEqual([]);
  });

  it('says in which hours changes are told, and how many were held back', async () => {
    const told = { hours: 'Mo–Fr 18:00–07:00 (Europe/Berlin)', heldBack: 3 };
    const { page } = await show({ source: { ...demoSource, told } });
    expect(await page.locator('.note').innerText()).toBe(
      'Changes are told Mo–Fr 18:00–07:00 (Europe/Berlin). 3 others were held back.',
    );
    const nothing = await show({ source: { ...demoSource, told: { ...told, heldBack: 1 } }, changes: [] });
    expect(await nothing.page.locator('body').innerText()).toMatch(
      /1 other was held back[^]*Nothing changed in these hours/,
    );
  });

  it('tells a lone condition and a partial source', async () => {
    const source = {
      ...demoSource,
      framesRead: 131,
      complete: false,
      problem: 'the file ends in the middle of a frame',
    };
    const { page } = await show({ source, changes: [demo.changes[6]] });
    const text = await page.locator('body').innerText();
    expect(text).toContain('Only 131 frames of 330 could be read: the file ends in the middle of a frame');
    expect(text).toContain('The pixels did change: the 1 condition below says why.');
    expect(await page.locator('.card').count()).toBe(1);
  });

  it('holds 500 changes within its limit of pictures and says what it left out', async () => {
    const blobs = new MemoryBlobs();
    const changes = Array.from({ length: 500 }, (_, i): ChangeEvent[] => {
      // Each its own picture: bytes behind the end of a PNG do not change what it shows.
      const sha256 = blobs.add('image/png', Buffer.concat([onePixel, Buffer.from(String(i).padStart(1000, ' '))]));
      const picture = { role: 'during', sha256, mediaType: 'image/png', width: 64, height: 36 };
      return [eventOf(i, { kind: 'ACTIVITY', phase: 'ENDED', first: i * 10, last: i * 10 + 5, pictures: [picture] })];
    });
    blobs.all.delete(changes[0][0].pictures[0].sha256);
    const { page, report, complaints } = await show({
      changes,
      blobs,
      maxPictureBytes: 400 * (onePixel.length + 1000),
    });
    expect(report).toEqual({ pictures: 400, picturesLeftOut: 100 });
    expect(await page.locator('.note').innerText()).toMatch(
      /This file holds 400 of 500 pictures\. Of the others, 99 would make it larger than .* MiB; 1 is no longer kept\./,
    );
    expect(await page.locator('.card').count()).toBe(500);
    expect(await page.locator('.mark').count()).toBe(500);
    // Only what comes near is decoded.
    await page.locator('image.loaded').first().waitFor();
    expect(await page.locator('image[href]').count()).toBeLessThan(50);
    await page.locator('#change-400').scrollIntoViewIfNeeded();
    await page.locator('#change-400 image.loaded').waitFor();
    expect(complaints).toEqual([]);
  });
});

describe('hostile input', () => {
  it('is shown as text and does nothing', async () => {
    const attacks = [
      '<script>alert(1)</script>',
      '"><img src=x onerror=alert(2)>',
      "' onmouseover='alert(3)",
      '</style></script><script>alert(4)</script>',
      '<svg/onload=alert(5)>',
      '{{constructor.constructor("alert(6)")()}}',
      '&lt;b&gt; &#x3c;i&#x3e;',
      '<!-- --!> <iframe src="javascript:alert(7)">',
    ];
    const blobs = new MemoryBlobs();
    const hostile = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" onload="alert(8)"/>');
    const svg = blobs.add('image/svg+xml', hostile);
    const changes = attacks.map((attack, i): ChangeEvent[] => [
      eventOf(i, {
        kind: 'TEXT_CHANGED',
        first: i,
        last: i + 1,
        changeId: attack,
        source: attack,
        statement: attack,
        reasoner: attack,
        subject: { label: attack, description: attack, confidence: 0.5 },
        before: { text: attack, color: attack },
        after: { text: attack, region: { x: 0, y: 0, width: 5, height: 5 } },
        measures: [{ name: attack, unit: attack, before: 1 }],
        occurrences: [{ source: attack }],
        pictures: [{ role: 'before', sha256: svg, mediaType: 'image/svg+xml', width: 5, height: 5 }],
        verification: { verdict: 'SUPPORTED', checks: [{ name: attack, verdict: 'SUPPORTED', detail: attack }] },
      }),
    ]);
    const all = attacks.join(' ');
    const source = { ...demoSource, name: all, complete: false, problem: all };
    const { page, path, complaints, requests } = await show({ title: all, source, changes, blobs });
    for (const details of await page.locator('summary').all()) await details.click();
    await page.locator('.mark').first().hover();
    expect(complaints).toEqual([]);
    expect(requests).toEqual([pathToFileURL(path).href]);
    expect(await page.title()).toBe(all);
    expect(await page.locator('h3').allTextContents()).toEqual(attacks);
    expect(await page.locator('img, iframe, script[src], [onload], [onerror], [onmouseover]').count()).toBe(0);
    expect(await page.locator('script:not([type])').count()).toBe(1);
    expect(await page.locator('.note').last().innerText()).toContain('1 is of a type that browsers do not show');
  });

  it('could not reach the network even if it ran', async () => {
    const { page, complaints } = await show({});
    await page.evaluate(`
      document.body.append(Object.assign(new Image(), { src: 'https://example.invalid/a.png' }));
      document.body.append(Object.assign(document.createElement('script'), { textContent: 'document.title = "ran"' }));
    `);
    await expect
      .poll(() => complaints.join(' '), patience)
      .toMatch(/Content Security Policy[^]*Content Security Policy/);
    expect(await page.title()).toBe('What changed');
  });
});

describe('writing', () => {
  it('says why it could not, and leaves no half file', async () => {
    const path = join(folder, 'missing', 'report.html');
    const input = { path, title: 'x', source: demoSource, changes: demo.changes, blobs: demo.blobs };
    await expect(writeReport(input)).rejects.toMatchObject({ code: 'REPORT_NOT_WRITTEN', class: 'resource' });
    // A blob that goes while the report is written.
    let gets = 0;
    const blobs = {
      get: (sha256: string) => (gets++ < demo.blobs.all.size ? demo.blobs.get(sha256) : Promise.resolve(undefined)),
    };
    await expect(writeReport({ ...input, path: join(folder, 'gone.html'), blobs })).rejects.toMatchObject({
      code: 'REPORT_NOT_WRITTEN',
    });
    expect((await readdir(folder)).filter((name) => !/^\d+\.html$/.test(name))).toEqual([]);
  });
});

describe('the browser inside npm', () => {
  it('starts and shows a report too', async () => {
    const own = await startNpmBrowser();
    try {
      const { page, complaints } = await show({ changes: [demo.changes[3]] }, {}, own);
      await page.locator('image.loaded').first().waitFor();
      expect(await page.locator('.card').count()).toBe(1);
      expect(complaints).toEqual([]);
      pages.splice(pages.indexOf(page), 1);
    } finally {
      await own.close();
    }
  });
});

/** A PNG of one grey pixel. */
const onePixel = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg==',
  'base64',
);
