import fc, { type Arbitrary } from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  bytesOf,
  contentOf,
  headerFromProto,
  headerOf,
  headerToProto,
  type PictureHeader,
} from '../../src/records/convert/picture.js';
import {
  findingFromProto,
  findingToProto,
  sequenceFromProto,
  sequenceToProto,
  type SequenceOutline,
} from '../../src/records/convert/worker.js';
import { sequenceTriggers } from '../../src/records/sequence.js';
import { ChangeEvent_Condition, ChangeEvent_Kind } from '../../src/records/generated/blinkstream/v1/change.js';
import {
  FrameEvidence_Motion,
  FrameSequence as ProtoSequence,
  FrameSequence_Trigger,
  PictureHeader_SampleType,
  PictureHeader_Yuv420_Matrix,
  SequenceFrame_Role,
} from '../../src/records/generated/blinkstream/v1/frame.js';
import { Finding as ProtoFinding } from '../../src/records/generated/blinkstream/v1/worker_service.js';
import {
  conditionCauses,
  yuv420Bytes,
  type Finding,
  type FrameContent,
  type SequenceFrame,
} from '../../src/records/index.js';
import * as any from '../support/arbitraries.js';
import { withTimesOf } from '../support/precision.js';

const plain = { noNullPrototype: true } as const;
const settledRegion = fc.record(
  { region: any.region(), leftAt: any.point(), restedAt: any.point(), mayBeLight: fc.constant(true as const) },
  { noNullPrototype: true, requiredKeys: ['region', 'leftAt', 'restedAt'] },
);

const pixels = (): Arbitrary<FrameContent> =>
  fc
    .tuple(
      fc.integer({ min: 1, max: 7 }),
      fc.integer({ min: 1, max: 5 }),
      fc.constantFrom(1 as const, 2 as const, 3 as const, 4 as const),
      fc.constantFrom('u8' as const, 'u16' as const, 'f32' as const),
    )
    .chain(([width, height, channels, type]) => {
      const size = { minLength: width * height * channels, maxLength: width * height * channels };
      const shape = { width, height, channels };
      const pictures = {
        u8: fc.uint8Array(size).map((data) => ({ ...shape, type: 'u8' as const, data })),
        u16: fc.uint16Array(size).map((data) => ({ ...shape, type: 'u16' as const, data })),
        f32: fc.float32Array(size).map((data) => ({ ...shape, type: 'f32' as const, data })),
      };
      return pictures[type].map((picture) => ({ form: 'pixels' as const, picture }));
    });

const planes = (): Arbitrary<FrameContent> =>
  fc
    .tuple(
      fc.integer({ min: 1, max: 7 }),
      fc.integer({ min: 1, max: 5 }),
      fc.constantFrom('bt601' as const, 'bt709' as const),
      fc.constantFrom('limited' as const, 'full' as const),
    )
    .chain(([width, height, matrix, range]) => {
      const bytes = yuv420Bytes(width, height);
      return fc
        .uint8Array({ minLength: bytes, maxLength: bytes })
        .map((data) => ({ form: 'yuv420' as const, picture: { type: 'yuv420', width, height, matrix, range, data } }));
    });

const content = (): Arbitrary<FrameContent> =>
  fc.oneof(
    pixels(),
    planes(),
    fc
      .record(
        { mediaType: fc.constantFrom('image/jpeg' as const, 'image/tiff' as const), bytes: fc.uint8Array() },
        plain,
      )
      .map((encoded) => ({ form: 'encoded' as const, encoded })),
  );

const ref = () =>
  fc.record(
    {
      source: any.name(),
      index: any.uint64(),
      eventTimeMs: any.real(),
      elapsedMs: any.real(),
      position: fc.record({ index: any.uint64(), offset: any.text() }, plain),
      width: any.uint32(),
      height: any.uint32(),
    },
    plain,
  );

const evidence = () =>
  fc.record(
    {
      motion: fc.constantFrom('active' as const, 'still' as const),
      nuisances: fc.array(
        fc.record(
          {
            cause: fc.constantFrom(...conditionCauses),
            strength: any.real(),
            unit: any.text(),
            region: any.region(),
          },
          { ...plain, requiredKeys: ['cause', 'strength', 'unit'] },
        ),
        { maxLength: 2 },
      ),
      tracks: fc.array(
        fc.record(
          { id: any.uint64(), region: any.region(), born: any.point(), origin: any.region(), sweep: any.region() },
          plain,
        ),
        { maxLength: 2 },
      ),
      settled: fc.array(settledRegion, {
        maxLength: 2,
      }),
      light: fc.record({ gain: any.real(), offset: any.real() }, plain),
      overlays: fc.array(any.region(), { maxLength: 2 }),
      noiseSigma: any.real(),
      illumination: fc.nat(100),
      changedShare: any.real(),
      restless: fc.array(any.region(), { minLength: 1, maxLength: 2 }),
    },
    {
      ...plain,
      requiredKeys: [
        ...(['motion', 'nuisances', 'tracks', 'settled', 'light', 'overlays', 'noiseSigma', 'illumination'] as const),
        'changedShare',
      ],
    },
  );

const frame = (): Arbitrary<SequenceFrame<PictureHeader>> =>
  fc.record(
    {
      ref: ref(),
      evidence: evidence(),
      role: fc.constantFrom('before' as const, 'during' as const, 'after' as const, 'whole' as const),
      lease: content().map(headerOf),
    },
    { ...plain, requiredKeys: ['ref'] },
  );

const sequence = (): Arbitrary<SequenceOutline> =>
  fc.record(
    {
      source: any.name(),
      ordinal: any.uint64(),
      trigger: fc.constantFrom(...sequenceTriggers),
      settled: fc.array(settledRegion, {
        maxLength: 2,
      }),
      first: any.point(),
      last: any.point(),
      frames: fc.array(frame(), { maxLength: 3 }),
      baseline: frame(),
      thinnedFrames: any.uint64(),
    },
    {
      ...plain,
      requiredKeys: ['source', 'ordinal', 'trigger', 'first', 'last', 'frames', 'settled', 'thinnedFrames'],
    },
  );

const finding = (): Arbitrary<Finding> =>
  fc
    .tuple(
      any.kind(),
      fc.record(
        {
          subject: any.subject(),
          statement: any.text(),
          interval: any.interval(),
          before: any.side(),
          after: any.side(),
          shift: any.shift(),
          path: any.path(),
          measures: fc.array(any.measure(), { maxLength: 3 }),
          pictures: fc.array(any.evidencePicture(), { maxLength: 3 }),
          ongoing: fc.boolean(),
          identity: fc.record(
            {
              trackId: any.uint64(),
              embedding: fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }), { minLength: 1, maxLength: 4 }),
            },
            { ...plain, requiredKeys: [] },
          ),
          verification: any.verification(),
        },
        {
          ...plain,
          requiredKeys: [
            'subject',
            'statement',
            'interval',
            'measures',
            'pictures',
            'ongoing',
            'identity',
            'verification',
          ],
        },
      ),
    )
    .map(([what, rest]) => ({ ...what, ...rest }));

const invalid = (problem: string): unknown =>
  expect.objectContaining({ code: 'PROTO_INVALID', message: expect.stringContaining(problem) as string });

describe('round trips through bytes', () => {
  it('sequence', () => {
    fc.assert(
      fc.property(sequence(), (value) => {
        const bytes = ProtoSequence.encode(sequenceToProto(value)).finish();
        expect(withTimesOf(sequenceFromProto(ProtoSequence.decode(bytes)), value)).toEqual(value);
      }),
    );
  });

  it('finding', () => {
    fc.assert(
      fc.property(finding(), (value) => {
        const bytes = ProtoFinding.encode(findingToProto(value)).finish();
        expect(withTimesOf(findingFromProto(ProtoFinding.decode(bytes)), value)).toEqual(value);
      }),
    );
  });

  it('picture: header and bytes, also where the bytes lie unaligned', () => {
    fc.assert(
      fc.property(content(), fc.nat({ max: 3 }), (value, shift) => {
        const bytes = bytesOf(value);
        const moved = new Uint8Array(bytes.byteLength + shift).subarray(shift);
        moved.set(bytes);
        const header = headerFromProto(headerToProto(headerOf(value)));
        expect(header).toEqual(headerOf(value));
        expect(contentOf(header, moved)).toEqual(value);
      }),
    );
  });
});

describe('what is refused', () => {
  const at = { frame: 1, timeMs: 40, elapsedMs: 40 };
  const whole: SequenceOutline = {
    source: 'yard',
    ordinal: 3,
    trigger: 'activity',
    first: at,
    last: at,
    settled: [],
    frames: [],
    thinnedFrames: 0,
  };
  const told: Finding = {
    kind: 'MOVED',
    subject: { label: 'chair', description: 'the chair', confidence: 0.7 },
    statement: 'The chair has moved.',
    interval: { first: at, last: at },
    measures: [],
    pictures: [],
    ongoing: false,
    identity: {},
    verification: { verdict: 'SUPPORTED', checks: [] },
  };
  const u8 = PictureHeader_SampleType.U8;
  const header = { width: 4, height: 2, channels: 3, sampleType: u8, mediaType: '', yuv420: undefined };

  it.each<[string, Partial<ProtoSequence>]>([
    ['source is missing', { source: '' }],
    ['trigger is trigger_unspecified', { trigger: FrameSequence_Trigger.TRIGGER_UNSPECIFIED }],
    ['first is missing', { first: undefined }],
    [
      'frames.ref is missing',
      {
        frames: [{ ref: undefined, evidence: undefined, role: SequenceFrame_Role.BEFORE, picture: undefined }],
      },
    ],
  ])('sequence: %s', (problem, spoiled) => {
    expect(() => sequenceFromProto({ ...sequenceToProto(whole), ...spoiled })).toThrow(invalid(problem));
  });

  it('sequence: an evidence without motion', () => {
    const [one] = fc.sample(frame(), { numRuns: 1, seed: 1 });
    const [proof] = fc.sample(evidence(), { numRuns: 1, seed: 1 });
    const message = sequenceToProto({ ...whole, frames: [{ ref: one.ref, evidence: proof }] });
    const seen = message.frames[0].evidence;
    if (!seen) throw new Error('no evidence');
    seen.motion = FrameEvidence_Motion.MOTION_UNSPECIFIED;
    expect(() => sequenceFromProto(message)).toThrow(invalid('motion'));
  });

  it.each<[string, Partial<ProtoFinding>]>([
    ['kind is KIND_UNSPECIFIED', { kind: ChangeEvent_Kind.KIND_UNSPECIFIED }],
    ['condition is NOISE with kind MOVED', { condition: ChangeEvent_Condition.NOISE }],
    ['subject is missing', { subject: undefined }],
    ['verification is missing', { verification: undefined }],
  ])('finding: %s', (problem, spoiled) => {
    expect(() => findingFromProto({ ...findingToProto(told), ...spoiled })).toThrow(invalid(problem));
  });

  it('picture: shapes and lengths that do not agree', () => {
    expect(headerFromProto({ ...header, byteLength: 24 })).toMatchObject({ form: 'pixels', type: 'u8' });
    expect(() => headerFromProto({ ...header, byteLength: 23 })).toThrow('cannot have 23 bytes');
    expect(() => headerFromProto({ ...header, width: 0, byteLength: 0 })).toThrow('cannot have 0 bytes');
    expect(() => headerFromProto({ ...header, channels: 5, byteLength: 40 })).toThrow('channels is 5');
    expect(() => headerFromProto({ ...header, mediaType: 'image/png', byteLength: 24 })).toThrow('media type');
    const none = PictureHeader_SampleType.SAMPLE_TYPE_UNSPECIFIED;
    expect(() => headerFromProto({ ...header, sampleType: none, byteLength: 24 })).toThrow('media_type is ');
    expect(() => contentOf(headerFromProto({ ...header, byteLength: 24 }), new Uint8Array(23))).toThrow(
      '23 bytes of 24',
    );
  });

  it('picture in planes: shapes and lengths that do not agree', () => {
    const yuv420 = { matrix: PictureHeader_Yuv420_Matrix.BT709, fullRange: false };
    const planar = { ...header, width: 3, height: 3, yuv420, byteLength: 17 };
    expect(headerFromProto(planar)).toMatchObject({ form: 'yuv420', matrix: 'bt709', range: 'limited' });
    expect(() => headerFromProto({ ...planar, byteLength: 18 })).toThrow('yuv420 cannot have 18 bytes');
    expect(() => headerFromProto({ ...planar, width: 0, byteLength: 0 })).toThrow('cannot have 0 bytes');
    expect(() => headerFromProto({ ...planar, channels: 1 })).toThrow('has 1 channels of u8');
    const sampleType = PictureHeader_SampleType.U16;
    expect(() => headerFromProto({ ...planar, sampleType })).toThrow('has 3 channels of u16');
    const matrix = PictureHeader_Yuv420_Matrix.MATRIX_UNSPECIFIED;
    expect(() => headerFromProto({ ...planar, yuv420: { ...yuv420, matrix } })).toThrow('matrix is missing');
  });
});
