import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { decodePicture } from '../../src/pixels/decode.js';
import type { Claim } from '../../src/reasoning/claim.js';
import { measuredClaims } from '../../src/reasoning/measured/index.js';
import { PictureMaker } from '../../src/reasoning/pictures.js';
import type { Region } from '../../src/records/index.js';
import { during } from '../support/findings.js';
import { box, PICTURE, sceneOf, spanOf, trackOf } from '../support/scenes.js';
import { refOf, Stage, type Shot } from '../../fixtures/stage.js';

const boxes = (...regions: Region[]): Shot => ({
  boxes: regions.map((r) => ({ ...r, colour: [190, 40, 40] as const })),
});
const [left, right] = [box(30, 90, 40, 60), box(250, 90, 40, 60)];
const evidence = sceneOf({
  after: boxes(left, right),
  tracks: [trackOf([box(0, 100, 16, 30), box(304, 100, 16, 30)])],
  conditions: [spanOf('NOISE', 3, 6, 'grey levels')],
});
const claims = measuredClaims(evidence);
const one = (kind: Claim['kind']): Claim => claims.find((claim) => claim.kind === kind) ?? expect.fail(`no ${kind}`);

describe('pictures of claims', () => {
  const maker = new PictureMaker();
  const roles: Record<string, string[]> = {};

  beforeAll(async () => {
    for (const claim of claims)
      roles[claim.statement] = (await maker.forClaim(claim, evidence)).map(({ role, sha256 }) => `${role} ${sha256}`);
  });

  it('show before and after, whole and closer, and of a condition the whole', async () => {
    expect((await maker.forClaim(one('APPEARED'), evidence)).map(({ role }) => role)).toEqual([
      'before',
      'after',
      'before-crop',
      'after-crop',
    ]);
    expect((await maker.forClaim(one('CONDITION'), evidence)).map(({ role }) => role)).toEqual(['before', 'after']);
  });

  it('are made once, however many claims show them', () => {
    const shown = new Set(Object.values(roles).flatMap((list) => list.map((entry) => entry.split(' ')[1])));
    expect(maker.blobs.map(({ sha256 }) => sha256).sort()).toEqual([...shown].sort());
    // Two things that appeared: two wholes, and two crops each.
    expect(shown.size).toBe(6);
  });

  it('are what their hash, size and box say', async () => {
    for (const picture of await maker.forClaim(one('APPEARED'), evidence)) {
      const blob = maker.blobs.find(({ sha256 }) => sha256 === picture.sha256) ?? expect.fail('no blob');
      expect(createHash('sha256').update(blob.bytes).digest('hex')).toBe(picture.sha256);
      const decoded = await decodePicture({ mediaType: 'image/jpeg', bytes: blob.bytes });
      expect(decoded).toMatchObject({ width: picture.width, height: picture.height });
      const { width, height } = picture.region ?? PICTURE;
      expect(decoded).toMatchObject({ width, height });
    }
  });

  it('show an activity by its frame, and by none where its pixels were not kept', async () => {
    expect(await maker.forClaim(one('ACTIVITY'), evidence)).toEqual([]);
    const [track] = evidence.tracks;
    const shot = { ref: refOf(110, PICTURE), picture: new Stage(PICTURE).draw() };
    const shown = await maker.forClaim(one('ACTIVITY'), { ...evidence, tracks: [{ ...track, shot }] });
    expect(shown).toMatchObject([{ role: 'during', frame: during(110, 110).first, ...PICTURE }]);
  });

  it('stay inside the picture, wherever a box in it is claimed', async () => {
    const reaching = (most: number) =>
      fc.tuple(fc.integer({ min: -60, max: most - 1 }), fc.integer({ min: 61, max: 500 }));
    const anywhere = fc
      .tuple(reaching(PICTURE.width), reaching(PICTURE.height))
      .map(([[x, width], [y, height]]) => box(x, y, width, height));
    const claim = one('APPEARED');
    await fc.assert(
      fc.asyncProperty(anywhere, async (region) => {
        const crops = await new PictureMaker().forClaim({ ...claim, after: { region } }, evidence);
        for (const { region: shown } of crops.slice(2)) {
          if (shown === undefined) throw new Error('a crop says what it shows');
          expect(Math.min(shown.x, shown.y)).toBeGreaterThanOrEqual(0);
          expect(Math.min(shown.width, shown.height)).toBeGreaterThan(0);
          expect(shown.x + shown.width).toBeLessThanOrEqual(PICTURE.width);
          expect(shown.y + shown.height).toBeLessThanOrEqual(PICTURE.height);
        }
      }),
      { numRuns: 25 },
    );
  });
});

it('wide pictures are kept no wider than a report shows them', async () => {
  const wide = { type: 'u8', width: 2_000, height: 500, channels: 3, data: new Uint8Array(3_000_000) } as const;
  const shot = { ref: refOf(0, wide), picture: wide };
  const [before] = await new PictureMaker().forClaim(one('APPEARED'), { ...evidence, before: shot, after: shot });
  expect(before).toMatchObject({ width: 1_280, height: 320 });
});
