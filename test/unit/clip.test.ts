import fc from 'fast-check';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { mergeActivity } from '../../src/changes/merging.js';
import { encodeJpeg } from '../../src/pixels/encode.js';
import { shrunk, shrunkBytes } from '../../src/pixels/shrink.js';
import { yuvToRgb } from '../../src/pixels/yuv420.js';
import { clipFrames, encodeClip } from '../../src/reasoning/clip.js';
import type { Claim } from '../../src/reasoning/claim.js';
import type { FrameContent, FrameSequence, Lease, PictureU8, SequenceFrame } from '../../src/records/index.js';
import { activity } from '../../src/sequences/windows/activity.js';
import { withClipFrame, type ClipFrame } from '../../src/sequences/windows/clip-frames.js';
import { leaseOf } from '../../src/sources/budget.js';
import { evidenceOf, type Mark } from '../support/evidence.js';
import { activityOf, findingOf, pictureOf } from '../support/findings.js';
import { refOf } from '../../fixtures/stage.js';

const painted = (width: number, height: number, [red, green, blue]: readonly [number, number, number]): PictureU8 => {
  const data = new Uint8Array(width * height * 3);
  for (let i = 0; i < data.length; i += 3) data.set([red, green, blue], i);
  return { type: 'u8', width, height, channels: 3, data };
};

describe('a smaller copy', () => {
  it('holds the means of whole blocks, of pixels and of planes', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 90 }),
        fc.integer({ min: 2, max: 60 }),
        fc.nat(255),
        (width, height, grey) => {
          const y = new Uint8Array(width * height).fill(grey);
          const chroma = new Uint8Array(2 * Math.ceil(width / 2) * Math.ceil(height / 2)).fill(128);
          const data = new Uint8Array([...y, ...chroma]);
          const planes: FrameContent = {
            form: 'yuv420',
            picture: { type: 'yuv420', width, height, data, matrix: 'bt601', range: 'full' },
          };
          const pixels: FrameContent = { form: 'pixels', picture: painted(width, height, [grey, grey, grey]) };
          for (const content of [planes, pixels]) {
            const copy = shrunk(content, 32);
            if (copy === undefined || copy.form === 'encoded') throw new Error('there is a copy of pixels');
            const { picture } = copy;
            expect(picture.width).toBeLessThanOrEqual(32);
            expect([picture.width % 2, picture.height % 2]).toEqual([0, 0]);
            expect(picture.data.byteLength).toBe(shrunkBytes(content, 32));
            const rgb = picture.type === 'yuv420' ? yuvToRgb(picture) : picture;
            expect(new Set(rgb.data)).toEqual(new Set([grey]));
          }
        },
      ),
    );
  });

  it('is what comes encoded itself, and nothing of samples with more than 8 bits', () => {
    const encoded: FrameContent = { form: 'encoded', encoded: { mediaType: 'image/png', bytes: new Uint8Array(7) } };
    expect(shrunk(encoded, 480)).toBe(encoded);
    expect(shrunkBytes(encoded, 480)).toBe(7);
    const deep = { type: 'u16', width: 4, height: 4, channels: 1, data: new Uint16Array(16) } as const;
    expect(shrunk({ form: 'pixels', picture: deep }, 480)).toBeUndefined();
    expect(shrunkBytes({ form: 'pixels', picture: deep }, 480)).toBeUndefined();
  });
});

describe('frames for a clip', () => {
  it('are a third of a second apart, the latest, and never more than fits', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 400 }), { maxLength: 120 }),
        fc.integer({ min: 0, max: 5_000 }),
        (sizes, mostBytes) => {
          const kept = sizes.reduce<readonly ClipFrame[]>(
            (before, bytes, i) => withClipFrame(before, { ref: refOf(i * 3), bytes }, mostBytes),
            [],
          );
          expect(kept.length).toBeLessThanOrEqual(36);
          expect(kept.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThanOrEqual(mostBytes);
          for (const [i, { ref }] of kept.slice(1).entries()) {
            expect(ref.elapsedMs - kept[i].ref.elapsedMs).toBeGreaterThanOrEqual(330);
          }
        },
      ),
    );
  });

  it('are shown with each part and with the whole of an activity', () => {
    const window = activity({ preRollMs: 400, postRollMs: 400 }).open();
    const clips: number[][] = [];
    for (const [i, mark] of [...('.'.repeat(30) + 'a'.repeat(100) + '.'.repeat(40))].entries()) {
      const ref = refOf(i);
      const frame = {
        type: 'frame',
        ref,
        bytes: 3_000,
        smallBytes: 500,
        evidence: evidenceOf(mark as Mark, i),
      } as const;
      for (const { frames } of window.push(frame)) {
        clips.push(frames.filter(({ role }) => role === 'clip').map(({ ref: { index } }) => index));
      }
    }
    const told = clips.filter((clip) => clip.length > 0);
    expect(told.length).toBeGreaterThanOrEqual(3);
    expect(told.slice(0, -1).every((clip) => clip.length <= 12)).toBe(true);
    expect(told.at(-1)?.[0]).toBeLessThan(40);
    expect(window.keptSmall?.().size).toBe(0);
  });

  it('are not kept where no copy can be made', () => {
    const window = activity().open();
    for (let i = 0; i < 40; i++) {
      const evidence = evidenceOf(i < 10 ? '.' : 'a', i);
      window.push({ type: 'frame', ref: refOf(i), bytes: 3_000, evidence });
    }
    expect(window.keptSmall?.().size).toBe(0);
  });
});

const held = (index: number, role: SequenceFrame['role'], content: FrameContent): SequenceFrame<Lease> => ({
  ref: refOf(index, { width: 640, height: 360 }),
  ...(role && { role }),
  lease: leaseOf(content, 1, () => undefined),
});

const whole = painted(640, 360, [200, 30, 30]);
const sequenceOf = (frames: readonly SequenceFrame<Lease>[]) => ({ frames, first: at(20) }) as FrameSequence;
const claimOf = (kind: Claim['kind'], first: number, last: number): Claim =>
  findingOf({ kind, interval: { first: at(first), last: at(last) } });
const at = (index: number) => ({ frame: index, timeMs: 0, elapsedMs: index * 40 });

describe('a clip', () => {
  const small = shrunk({ form: 'pixels', picture: whole }, 480);
  if (small === undefined) throw new Error('8-bit pixels can be shrunk');
  const frames = [
    ...[2, 4, 9, 14].map((i) => held(i, 'before', { form: 'pixels', picture: whole })),
    ...Array.from({ length: 32 }, (_, i) => held(20 + i * 9, 'clip', small)),
    ...[310, 315, 320].map((i) => held(i, 'after', { form: 'pixels', picture: whole })),
  ];
  const numbers = (shown: readonly SequenceFrame[]) => shown.map(({ ref }) => ref.index);

  it('of an activity shows the latest four seconds at most', () => {
    const shown = numbers(clipFrames(claimOf('ACTIVITY', 20, 300), sequenceOf(frames)));
    expect(shown).toHaveLength(12);
    expect(shown.at(-1)).toBe(320);
  });

  it('of a lasting change shows a second before and after it, however long it took', () => {
    const short = numbers(clipFrames(claimOf('APPEARED', 100, 110), sequenceOf(frames)));
    expect([Math.min(...short), Math.max(...short)]).toEqual([83, 128]);
    const long = numbers(clipFrames(claimOf('DISAPPEARED', 20, 300), sequenceOf(frames)));
    expect(long).toHaveLength(12);
    expect([long[0], long.at(-1)]).toEqual([2, 320]);
  });

  it('is not there of a condition, without frames for it, or with too few', () => {
    expect(clipFrames(claimOf('CONDITION', 100, 110), sequenceOf(frames))).toEqual([]);
    expect(clipFrames(claimOf('APPEARED', 100, 110), sequenceOf(frames.filter(({ role }) => role !== 'clip')))).toEqual(
      [],
    );
    expect(clipFrames(claimOf('APPEARED', 900, 910), sequenceOf(frames))).toEqual([]);
    // It was told when it began, and will be when it ends.
    expect(clipFrames({ ...claimOf('ACTIVITY', 10, 300), ongoing: true }, sequenceOf(frames))).toEqual([]);
    expect(clipFrames({ ...claimOf('ACTIVITY', 20, 300), ongoing: true }, sequenceOf(frames))).not.toEqual([]);
  });

  it('is an animated WebP of one small size, of whatever its frames came as', async () => {
    const jpeg: FrameContent = {
      form: 'encoded',
      encoded: { mediaType: 'image/jpeg', bytes: await encodeJpeg(painted(640, 360, [30, 30, 200]), 90) },
    };
    const shown = clipFrames(
      claimOf('ACTIVITY', 0, 100),
      sequenceOf([...frames.slice(0, 10), held(95, 'clip', jpeg), held(110, 'clip', jpeg)]),
    );
    const { bytes, width, height } = await encodeClip(shown);
    expect([width, height]).toEqual([320, 180]);
    const about = await sharp(bytes, { animated: true }).metadata();
    expect(about).toMatchObject({ format: 'webp', width, pageHeight: height, loop: 0 });
    // Frames that look the same become one that is shown longer.
    expect(about.delay?.reduce((sum, ms) => sum + ms, 0)).toBe(330 * shown.length);
    const colour = async (page: number) => {
      const { data } = await sharp(bytes, { page }).raw().toBuffer({ resolveWithObject: true });
      return [data[0] > 128, data[2] > 128];
    };
    expect(await colour(0)).toEqual([true, false]);
    expect(await colour((about.pages ?? 1) - 1)).toEqual([false, true]);
  });
});

describe('an activity that goes on', () => {
  const clip = (sha256: string) => ({ ...pictureOf(sha256), role: 'clip', mediaType: 'image/webp' });
  const still = (sha256: string) => ({ ...pictureOf(sha256), role: 'during' });
  const large = { region: { x: 0, y: 0, width: 90, height: 90 } };

  it('keeps the still that shows it best, and the newest clip', () => {
    const before = activityOf(1, 0, 10, { after: large, pictures: [still('a'), clip('b')] });
    const shas = (now: ReturnType<typeof activityOf>) => mergeActivity(before, now).pictures.map((p) => p.sha256);
    expect(shas(activityOf(1, 10, 20, { pictures: [still('c'), clip('d')] }))).toEqual(['a', 'd']);
    expect(shas(activityOf(1, 10, 20))).toEqual(['a', 'b']);
  });
});
