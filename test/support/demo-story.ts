import { createHash } from 'node:crypto';
import sharp from 'sharp';
import { HEIGHT_PX, WIDTH_PX } from '../../fixtures/room.js';
import { drawFrames } from '../../fixtures/scene.js';
import { demoScript } from '../../fixtures/script.js';
import { demoTruth } from '../../fixtures/truth.js';
import type { Blob, ChangeEvent, EvidencePicture, FramePoint, Region } from '../../src/records/index.js';
import type { ReportSource } from '../../src/outputs/report/report.js';

/** A store of blobs in memory. */
export class MemoryBlobs {
  readonly all = new Map<string, Blob>();

  get(sha256: string): Promise<Blob | undefined> {
    return Promise.resolve(this.all.get(sha256));
  }

  add(mediaType: string, bytes: Uint8Array): string {
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    this.all.set(sha256, { sha256, mediaType, bytes });
    return sha256;
  }
}

export const demoSource: ReportSource = {
  name: 'demo.mp4',
  framesRead: demoTruth.frames,
  framesExpected: demoTruth.frames,
  complete: true,
  durationMs: demoScript.durationMs,
  frameSize: { width: WIDTH_PX, height: HEIGHT_PX },
};

const pointAt = (frame: number): FramePoint => {
  const elapsedMs = (frame * 1000) / demoScript.fps;
  return { frame, timeMs: elapsedMs, elapsedMs };
};

/** The demo clip's changes as a run would tell them, with pictures out of the drawn frames. */
export async function demoStory(): Promise<{ changes: ChangeEvent[][]; blobs: MemoryBlobs }> {
  const frames = [...drawFrames(demoScript)];
  const blobs = new MemoryBlobs();
  const picture = async (role: string, frame: number, region?: Region): Promise<EvidencePicture> => {
    let image = sharp(frames[frame], { raw: { width: WIDTH_PX, height: HEIGHT_PX, channels: 3 } });
    if (region) {
      const { x, y, width, height } = region;
      image = image.extract({ left: x, top: y, width, height });
    }
    const { data, info } = await image.jpeg({ quality: 85 }).toBuffer({ resolveWithObject: true });
    const size = { width: info.width, height: info.height };
    const sha256 = blobs.add('image/jpeg', data);
    return { role, sha256, mediaType: 'image/jpeg', ...size, frame: pointAt(frame), ...(region && { region }) };
  };
  /** Before and after of a region, with close-ups a little wider than it. */
  const pair = async (before: number, after: number, region: Region): Promise<EvidencePicture[]> => {
    const x = Math.max(0, region.x - 16);
    const y = Math.max(0, region.y - 12);
    const around = { x, y, width: region.width + 32, height: region.height + 24 };
    return Promise.all([
      picture('before', before),
      picture('after', after),
      picture('before-crop', before, around),
      picture('after-crop', after, around),
    ]);
  };
  const [armIn, taken, cart, parcel, sign, , returned] = demoTruth.events;
  const [clock, light] = demoTruth.conditions;
  const bottleGone = await pair(25, 75, taken.region);
  const bottleBack = await pair(205, 255, taken.region);

  const lasting = {
    measures: [{ name: 'changed share', unit: '1', before: 0, after: 0.0147 }],
    verification: {
      verdict: 'SUPPORTED',
      checks: [
        { name: 'region', verdict: 'SUPPORTED', detail: '0.94 of the box differs, 0.02 of what surrounds it' },
        { name: 'interval', verdict: 'SUPPORTED', detail: 'as before until frame 41, as after since frame 60' },
      ],
    },
  } as const satisfies Partial<ChangeEvent>;
  const bottle = eventOf(1, { ...lasting, kind: 'DISAPPEARED', first: taken.firstFrame, last: taken.lastFrame });
  const changes: ChangeEvent[][] = [
    [
      {
        ...bottle,
        subject: { label: 'bottle', description: 'the left of three bottles', confidence: 0.86 },
        statement: 'The left of three bottles was taken away.',
        before: { region: taken.region },
        pictures: bottleGone,
      },
      {
        ...bottle,
        eventId: `${bottle.changeId}.2`,
        revision: 2,
        phase: 'ENDED',
        subject: { label: 'bottle', description: 'the left of three bottles', confidence: 0.86 },
        statement: 'The left of three bottles is back after 15 s.',
        interval: { first: bottle.interval.first, last: pointAt(returned.lastFrame) },
        before: { region: taken.region },
        after: { region: returned.region },
        pictures: bottleBack,
      },
    ],
    [
      {
        ...eventOf(2, { ...lasting, kind: 'ACTIVITY', phase: 'ENDED', first: armIn.firstFrame, last: armIn.lastFrame }),
        subject: { label: 'person', description: 'a person', confidence: 0.61 },
        statement: 'A person reached in from the left and went out again within 2.4 s.',
        after: { region: { x: 0, y: 128, width: 118, height: 80 } },
        path: [36, 38, 40, 43, 46, 48, 50].map((frame, i) => ({
          at: pointAt(frame),
          x: [8, 34, 62, 84, 70, 44, 16][i],
          y: [176, 170, 166, 164, 166, 172, 178][i],
        })),
        pictures: [await picture('during', 43)],
      },
    ],
    [
      {
        ...eventOf(3, { ...lasting, kind: 'ACTIVITY', phase: 'ENDED', first: cart.firstFrame, last: cart.lastFrame }),
        subject: { label: 'object', description: 'something', confidence: 0 },
        statement: 'Something came in from the right, stood for 1.6 s and left to the right.',
        after: { region: { x: 472, y: 218, width: 138, height: 114 } },
        path: [0, 1, 2, 3, 4, 5].map((i) => ({ at: pointAt(92 + i * 5), x: 632 - i * 19, y: 278 + i })),
        pictures: [await picture('during', 118)],
        verification: {
          verdict: 'UNVERIFIED',
          checks: [{ name: 'region', verdict: 'UNVERIFIED', detail: 'the path leaves the picture' }],
        },
      },
    ],
    [
      {
        ...eventOf(4, { ...lasting, kind: 'APPEARED', first: parcel.firstFrame, last: parcel.lastFrame }),
        subject: { label: 'object', description: 'an object', confidence: 0 },
        statement: 'An object was left at the lower right.',
        after: { region: parcel.region },
        pictures: await pair(75, 160, parcel.region),
      },
    ],
    [
      {
        ...eventOf(5, { ...lasting, kind: 'TEXT_CHANGED', first: sign.firstFrame, last: sign.lastFrame }),
        subject: { label: 'text', description: 'the text', confidence: 0.98 },
        statement: 'The text “OPEN” became “CLOSED”.',
        before: { region: sign.region, text: 'OPEN', color: '#26705a' },
        after: { region: sign.region, text: 'CLOSED', color: '#a8342e' },
        pictures: await pair(160, 205, sign.region),
      },
    ],
    [
      {
        ...eventOf(6, {
          kind: 'CONDITION',
          condition: 'LIGHTING',
          phase: 'ENDED',
          first: light.firstFrame,
          last: light.lastFrame,
        }),
        statement: 'The light slowly faded to 80 % within 15 s.',
        measures: [{ name: 'gain', unit: '1', before: 1, after: 0.8 }],
        pictures: [await picture('before', 0), await picture('after', 299)],
        verification: { verdict: 'SUPPORTED', checks: [] },
      },
    ],
    [
      {
        ...eventOf(7, {
          kind: 'CONDITION',
          condition: 'OVERLAY',
          phase: 'ENDED',
          first: clock.firstFrame,
          last: clock.lastFrame,
        }),
        statement: 'A clock is laid over the upper left corner.',
        after: { region: clock.region },
        verification: { verdict: 'SUPPORTED', checks: [] },
      },
    ],
  ];
  return { changes, blobs };
}

type Told = Pick<ChangeEvent, 'kind'> & Partial<ChangeEvent> & { readonly first: number; readonly last: number };

/** Revision 1 of change `n` between two frames, with what `fields` say. */
export function eventOf(n: number, { first, last, ...fields }: Told): ChangeEvent {
  return {
    eventId: `demo/${n}.1`,
    changeId: `demo/${n}`,
    revision: 1,
    phase: 'STARTED',
    topology: 'watch',
    source: 'demo.mp4',
    statement: `Change ${n}.`,
    subject: { label: 'object', description: '', confidence: 0 },
    interval: { first: pointAt(first), last: pointAt(last) },
    measures: [],
    pictures: [],
    verification: { verdict: 'SUPPORTED', checks: [] },
    sequenceOrdinal: n,
    reasoner: 'measured',
    ...fields,
  };
}
