import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  changeEventFromJson,
  changeEventFromProto,
  changeEventToJson,
  changeEventToProto,
  decodeChangeEvent,
  encodeChangeEvent,
} from '../../src/records/convert/change.js';
import {
  ChangeEvent as ProtoChangeEvent,
  ChangeEvent_Condition,
  ChangeEvent_Kind,
  ChangeEvent_Phase,
  Verification_Verdict,
} from '../../src/records/generated/blinkstream/v1/change.js';
import { changeKinds, conditionCauses, phases, verdicts, type ChangeEvent } from '../../src/records/index.js';
import { changeEvent, timeMs } from '../support/arbitraries.js';
import { eventOf } from '../../fixtures/events.js';
import { withTimesOf } from '../support/precision.js';

const invalid = (problem: string): unknown =>
  expect.objectContaining({ code: 'PROTO_INVALID', message: expect.stringContaining(problem) as string });

describe('change event and its bytes', () => {
  it('round trip: times to the microsecond, all else exactly', () => {
    fc.assert(
      fc.property(changeEvent(), (event) => {
        expect(withTimesOf(decodeChangeEvent(encodeChangeEvent(event)), event)).toEqual(event);
      }),
    );
  });

  it('keeps a time to the nanosecond or as exactly as a double can hold it', () => {
    fc.assert(
      fc.property(timeMs(), (value) => {
        const at = { frame: 0, timeMs: value, elapsedMs: 0 };
        const back = decodeChangeEvent(encodeChangeEvent(eventOf(1, { interval: { first: at, last: at } })));
        expect(Math.abs(back.interval.first.timeMs - value)).toBeLessThanOrEqual(0.0005);
      }),
    );
  });

  it.each([
    [0, '1970-01-01T00:00:00Z'],
    [-0.25, '1969-12-31T23:59:59.999750Z'],
    [999.9999999, '1970-01-01T00:00:01Z'],
    [33.366, '1970-01-01T00:00:00.033366Z'],
    [1_700_000_000_040, '2023-11-14T22:13:20.040Z'],
    [-62_135_596_800_000, '0001-01-01T00:00:00Z'],
  ])('tells %d ms as %s', (value, told) => {
    const at = { frame: 0, timeMs: value, elapsedMs: 0 };
    const json = changeEventToJson(eventOf(1, { interval: { first: at, last: at } }));
    expect(json).toContain(`"first":{"frame":0,"time":"${told}","elapsedMs":0}`);
  });
});

describe('change event as JSON', () => {
  it('is one line that a proto3 JSON parser reads back as the same message', () => {
    fc.assert(
      fc.property(changeEvent(), (event) => {
        const json = changeEventToJson(event);
        expect(json).not.toMatch(/[\n\r]/);
        expect(withTimesOf(changeEventFromJson(json), event)).toEqual(event);
      }),
    );
  });

  it('has the fields that readers know, and leaves out what is not there', () => {
    const told = JSON.parse(
      changeEventToJson(eventOf(0, { kind: 'CONDITION', condition: 'LIGHTING', occurrences: [] })),
    ) as Record<string, unknown>;
    expect(told).toMatchObject({ phase: 'STARTED', kind: 'CONDITION', condition: 'LIGHTING' });
    expect(told.interval).toEqual({
      first: { frame: 0, time: '1970-01-01T00:00:00Z', elapsedMs: 0 },
      last: { frame: 5, time: '1970-01-01T00:00:00.200Z', elapsedMs: 200 },
    });
    expect(told.before).toEqual({ region: { x: 40, y: 60.5, width: 22, height: 71 } });
    expect(told.measures).toEqual([{ name: 'share', unit: '1', before: 0, after: 0.012 }]);
    for (const absent of ['after', 'shift', 'path', 'occurrences']) expect(told).not.toHaveProperty(absent);
    expect(JSON.parse(changeEventToJson(eventOf(0)))).not.toHaveProperty('condition');
  });

  it.each(['', 'not JSON', 'null', '7', '[]', '{}', '{"eventId":"a"}', '{"interval":{"first":{"time":"soon"}}}'])(
    'is refused where it is no event: %s',
    (text) => {
      expect(() => changeEventFromJson(text)).toThrow(
        expect.objectContaining({ code: 'PROTO_INVALID', class: 'data' }),
      );
    },
  );

  it('keeps words that look like an unset enum', () => {
    const statement = 'CONDITION_UNSPECIFIED';
    expect(JSON.parse(changeEventToJson(eventOf(1, { statement })))).toMatchObject({ statement });
  });
});

describe('what is refused', () => {
  const whole = () => changeEventToProto(eventOf(1));

  it.each<[string, (message: ProtoChangeEvent) => ProtoChangeEvent]>([
    ['event_id is missing', (m) => ({ ...m, eventId: '' })],
    ['change_id is missing', (m) => ({ ...m, changeId: '' })],
    ['revision is missing', (m) => ({ ...m, revision: 0 })],
    ['topology is missing', (m) => ({ ...m, topology: '' })],
    ['source is missing', (m) => ({ ...m, source: '' })],
    ['subject is missing', (m) => ({ ...m, subject: undefined })],
    ['interval is missing', (m) => ({ ...m, interval: undefined })],
    ['interval.last is missing', (m) => ({ ...m, interval: { first: m.interval?.first, last: undefined } })],
    [
      'interval.first.time is missing',
      (m) => ({ ...m, interval: { first: { frame: 1, time: undefined, elapsedMs: 0 }, last: m.interval?.last } }),
    ],
    [
      'interval.first.time is 0 s and 1000000000 ns',
      (m) => ({
        ...m,
        interval: { first: { frame: 1, time: { seconds: 0, nanos: 1e9 }, elapsedMs: 0 }, last: m.interval?.last },
      }),
    ],
    ['verification is missing', (m) => ({ ...m, verification: undefined })],
    ['phase is PHASE_UNSPECIFIED', (m) => ({ ...m, phase: ChangeEvent_Phase.PHASE_UNSPECIFIED })],
    ['kind is KIND_UNSPECIFIED', (m) => ({ ...m, kind: ChangeEvent_Kind.KIND_UNSPECIFIED })],
    ['condition is missing with kind CONDITION', (m) => ({ ...m, kind: ChangeEvent_Kind.CONDITION })],
    ['condition is NOISE with kind DISAPPEARED', (m) => ({ ...m, condition: ChangeEvent_Condition.NOISE })],
    [
      'verification.verdict is VERDICT_UNSPECIFIED',
      (m) => ({ ...m, verification: { verdict: Verification_Verdict.VERDICT_UNSPECIFIED, checks: [] } }),
    ],
  ])('from proto: %s', (problem, spoil) => {
    const message = spoil(whole());
    expect(() => changeEventFromProto(message)).toThrow(invalid(problem));
    expect(() => decodeChangeEvent(ProtoChangeEvent.encode(message).finish())).toThrow(invalid(problem));
  });

  it('an enum value of a newer version, and damaged bytes', () => {
    const bytes = encodeChangeEvent(eventOf(1));
    const kind = bytes.findIndex((byte, at) => byte === 56 && bytes[at + 1] === 2);
    const newer = bytes.slice();
    newer[kind + 1] = 99;
    expect(() => decodeChangeEvent(newer)).toThrow(invalid('99'));
    expect(() => decodeChangeEvent(bytes.subarray(0, bytes.length - 3))).toThrow(invalid('ChangeEvent'));
  });

  it.each<[string, Partial<ChangeEvent>]>([
    ['event_id is missing', { eventId: '' }],
    ['revision is missing', { revision: 0 }],
    ['revision is 1.5', { revision: 1.5 }],
    ['sequence_ordinal is -1', { sequenceOrdinal: -1 }],
    ['before.region.x is NaN', { before: { region: { x: NaN, y: 0, width: 1, height: 1 } } }],
    ['measures.count.after is NaN', { measures: [{ name: 'count', unit: '1', after: NaN }] }],
    ['shift.dx is Infinity', { shift: { dx: Infinity, dy: 0 } }],
    ['condition is missing', { kind: 'CONDITION' }],
  ])('to proto: %s', (problem, fields) => {
    expect(() => encodeChangeEvent(eventOf(1, fields))).toThrow(invalid(problem));
    expect(() => changeEventToJson(eventOf(1, fields))).toThrow(invalid(problem));
  });

  it('knows every word of the proto and no other', () => {
    const known = (words: readonly string[], unspecified: string) => [...words, unspecified].sort();
    expect(Object.keys(ChangeEvent_Kind).sort()).toEqual(known(changeKinds, 'KIND_UNSPECIFIED'));
    expect(Object.keys(ChangeEvent_Phase).sort()).toEqual(known(phases, 'PHASE_UNSPECIFIED'));
    expect(Object.keys(ChangeEvent_Condition).sort()).toEqual(known(conditionCauses, 'CONDITION_UNSPECIFIED'));
    expect(Object.keys(Verification_Verdict).sort()).toEqual(known(verdicts, 'VERDICT_UNSPECIFIED'));
  });
});
