import fc, { type Arbitrary } from 'fast-check';
import {
  changeKinds,
  conditionCauses,
  phases,
  verdicts,
  type ChangeEvent,
  type ChangeKind,
  type ConditionCause,
  type EvidencePicture,
  type FramePoint,
  type Measure,
  type Occurrence,
  type Region,
  type Side,
  type Subject,
  type Verification,
} from '../../src/records/index.js';

/** Any finite double; −0 is left out, which no format here tells from 0. */
export const real = (): Arbitrary<number> =>
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => (value === 0 ? 0 : value));

export const uint32 = (): Arbitrary<number> => fc.integer({ min: 0, max: 0xffff_ffff });
export const uint64 = (): Arbitrary<number> => fc.maxSafeNat();

/** Any text, or any text but the empty one. */
export const text = (): Arbitrary<string> => fc.string({ unit: 'grapheme' });
export const name = (): Arbitrary<string> => fc.string({ unit: 'grapheme', minLength: 1 });

/** Whole nanoseconds as ms, from 1900 to 2100: what a double of this size can hold and a timestamp can carry. */
export const timeMs = (): Arbitrary<number> =>
  fc.oneof(
    fc.integer({ min: -2_208_988_800_000, max: 4_102_444_800_000 }),
    fc.double({ min: -2_208_988_800_000, max: 4_102_444_800_000, noNaN: true }).map((value) => value + 0),
    fc.double({ min: -2_000, max: 100_000, noNaN: true }).map((value) => value + 0),
  );

export const region = (): Arbitrary<Region> =>
  fc.record({ x: real(), y: real(), width: real(), height: real() }, { noNullPrototype: true });

export const point = (): Arbitrary<FramePoint> =>
  fc.record({ frame: uint64(), timeMs: timeMs(), elapsedMs: real() }, { noNullPrototype: true });

export const interval = (): Arbitrary<{ first: FramePoint; last: FramePoint }> =>
  fc.record({ first: point(), last: point() }, { noNullPrototype: true });

export const side = (): Arbitrary<Side> =>
  fc.record({ region: region(), text: text(), color: text() }, { requiredKeys: [], noNullPrototype: true });

export const subject = (): Arbitrary<Subject> =>
  fc.record({ label: text(), description: text(), confidence: real() }, { noNullPrototype: true });

export const shift = (): Arbitrary<{ dx: number; dy: number }> =>
  fc.record({ dx: real(), dy: real() }, { noNullPrototype: true });

/** Never empty: an empty path is none. */
export const path = (): Arbitrary<{ at: FramePoint; x: number; y: number }[]> =>
  fc.array(fc.record({ at: point(), x: real(), y: real() }, { noNullPrototype: true }), { minLength: 1, maxLength: 3 });

export const measure = (): Arbitrary<Measure> =>
  fc.record(
    { name: name(), unit: text(), before: real(), after: real() },
    { requiredKeys: ['name', 'unit'], noNullPrototype: true },
  );

export const evidencePicture = (): Arbitrary<EvidencePicture> =>
  fc.record(
    {
      role: name(),
      sha256: name(),
      mediaType: name(),
      width: uint32(),
      height: uint32(),
      frame: point(),
      region: region(),
    },
    { requiredKeys: ['role', 'sha256', 'mediaType', 'width', 'height'], noNullPrototype: true },
  );

const verdict = () => fc.constantFrom(...verdicts);
export const verification = (): Arbitrary<Verification> =>
  fc.record(
    {
      verdict: verdict(),
      checks: fc.array(fc.record({ name: name(), verdict: verdict(), detail: text() }, { noNullPrototype: true }), {
        maxLength: 3,
      }),
    },
    { noNullPrototype: true },
  );

/** A kind, and with `CONDITION` its cause. */
export const kind = (): Arbitrary<{ kind: ChangeKind; condition?: ConditionCause }> =>
  fc.oneof(
    fc.constantFrom(...changeKinds.filter((value) => value !== 'CONDITION')).map((value) => ({ kind: value })),
    fc.constantFrom(...conditionCauses).map((condition) => ({ kind: 'CONDITION' as const, condition })),
  );

const occurrence = (): Arbitrary<Occurrence> =>
  fc.record({ source: name(), before: side(), after: side() }, { requiredKeys: ['source'], noNullPrototype: true });

/** Any change event that the contract allows, with any of its optional fields absent. */
export const changeEvent = (): Arbitrary<ChangeEvent> =>
  fc
    .tuple(
      kind(),
      fc.record(
        {
          eventId: name(),
          changeId: name(),
          revision: fc.integer({ min: 1, max: 0xffff_ffff }),
          phase: fc.constantFrom(...phases),
          topology: name(),
          source: name(),
          statement: text(),
          subject: subject(),
          interval: interval(),
          before: side(),
          after: side(),
          shift: shift(),
          path: path(),
          occurrences: fc.array(occurrence(), { minLength: 1, maxLength: 3 }),
          measures: fc.array(measure(), { maxLength: 3 }),
          pictures: fc.array(evidencePicture(), { maxLength: 3 }),
          verification: verification(),
          sequenceOrdinal: uint64(),
          reasoner: text(),
        },
        {
          requiredKeys: [
            'eventId',
            'changeId',
            'revision',
            'phase',
            'topology',
            'source',
            'statement',
            'subject',
            'interval',
            'measures',
            'pictures',
            'verification',
            'sequenceOrdinal',
            'reasoner',
          ],
          noNullPrototype: true,
        },
      ),
    )
    .map(([what, rest]) => ({ ...what, ...rest }));
