import { phases, type ChangeEvent, type Occurrence } from '../change.js';
import { conditionCauses, type ConditionCause } from '../evidence.js';
import { changeKinds, type ChangeKind } from '../finding.js';
import {
  ChangeEvent as ProtoChangeEvent,
  ChangeEvent_Condition,
  ChangeEvent_Kind,
  ChangeEvent_Phase,
  type Occurrence as ProtoOccurrence,
} from '../generated/blinkstream/v1/change.js';
import { Timestamp } from '../generated/google/protobuf/timestamp.js';
import { converting, count, named, oneOf } from './check.js';
import * as parts from './parts.js';
import { timeToJson } from './time.js';

/**
 * An event as its proto message. `path` and `occurrences` that are empty count as absent; times are kept to the
 * nanosecond, all else exactly.
 * @throws BlinkstreamError `PROTO_INVALID` (data) for a number that is not finite or does not fit, an empty id, or a
 *   `condition` that does not go with `kind`
 */
export const changeEventToProto = (event: ChangeEvent): ProtoChangeEvent =>
  converting('ChangeEvent', 'log', () => toProto(event));

/** @throws BlinkstreamError `PROTO_INVALID` (data) for a missing field, an unspecified or an unknown enum value */
export const changeEventFromProto = (event: ProtoChangeEvent): ChangeEvent =>
  converting('ChangeEvent', 'log', () => fromProto(event));

/** The bytes of the proto message. @throws BlinkstreamError `PROTO_INVALID` (data), see `changeEventToProto` */
export const encodeChangeEvent = (event: ChangeEvent): Uint8Array =>
  converting('ChangeEvent', 'log', () => ProtoChangeEvent.encode(toProto(event)).finish());

/** @throws BlinkstreamError `PROTO_INVALID` (data) for damaged bytes, and see `changeEventFromProto` */
export const decodeChangeEvent = (bytes: Uint8Array): ChangeEvent =>
  converting('ChangeEvent', 'log', () => fromProto(ProtoChangeEvent.decode(bytes)));

/**
 * One line of proto3 JSON without the line's end. Of what proto3 JSON leaves open: zeros are told, empty lists are not,
 * 64-bit counts are plain numbers (they stay below 2^53).
 * @throws BlinkstreamError `PROTO_INVALID` (data), see `changeEventToProto`
 */
export const changeEventToJson = (event: ChangeEvent): string =>
  // The generated message has the JSON names and string enums already, so that only three things differ.
  JSON.stringify(changeEventToProto(event), (key, value: unknown) => {
    if (key === 'time') return timeToJson(value as Timestamp);
    if (key === 'condition' && value === ChangeEvent_Condition.CONDITION_UNSPECIFIED) return undefined;
    return Array.isArray(value) && value.length === 0 ? undefined : value;
  });

/**
 * An event out of proto3 JSON, as `changeEventToJson` or any other writes it; fields that are not known are passed over.
 * @throws BlinkstreamError `PROTO_INVALID` (data) for text that is no JSON, and see `changeEventFromProto`
 */
export const changeEventFromJson = (text: string): ChangeEvent =>
  converting('ChangeEvent', 'log', () => {
    // Each time is parsed for itself: the event's own parser goes wrong before 1970.
    const parsed: unknown = JSON.parse(text, (key, value: unknown) =>
      key === 'time' ? Timestamp.fromJSON(value) : value,
    );
    if (typeof parsed !== 'object' || parsed === null) throw new Error('it is no object');
    return fromProto(ProtoChangeEvent.fromJSON(parsed));
  });

export const conditionToProto = (kind: ChangeKind, condition: ConditionCause | undefined): ChangeEvent_Condition => {
  checkCondition(kind, condition);
  return condition === undefined ? ChangeEvent_Condition.CONDITION_UNSPECIFIED : ChangeEvent_Condition[condition];
};

export const conditionFromProto = (kind: ChangeKind, value: ChangeEvent_Condition): ConditionCause | undefined => {
  const condition =
    value === ChangeEvent_Condition.CONDITION_UNSPECIFIED ? undefined : oneOf(conditionCauses, value, 'condition');
  checkCondition(kind, condition);
  return condition;
};

function checkCondition(kind: ChangeKind, condition: ConditionCause | undefined): void {
  if ((kind === 'CONDITION') !== (condition !== undefined)) {
    throw new Error(`condition is ${condition ?? 'missing'} with kind ${kind}`);
  }
}

const occurrenceToProto = ({ source, before, after }: Occurrence): ProtoOccurrence => ({
  source: named(source, 'occurrences.source'),
  before: before && parts.sideToProto(before, 'occurrences.before'),
  after: after && parts.sideToProto(after, 'occurrences.after'),
});

const occurrenceFromProto = ({ source, before, after }: ProtoOccurrence): Occurrence => ({
  source: named(source, 'occurrences.source'),
  ...(before && { before: parts.sideFromProto(before, 'occurrences.before') }),
  ...(after && { after: parts.sideFromProto(after, 'occurrences.after') }),
});

/** Revisions start at 1, so that proto3's default is never a revision. */
function revision(value: number): number {
  if (value === 0) throw new Error('revision is missing');
  return count(value, 'revision', 'uint32');
}

const toProto = (event: ChangeEvent): ProtoChangeEvent => ({
  eventId: named(event.eventId, 'event_id'),
  changeId: named(event.changeId, 'change_id'),
  revision: revision(event.revision),
  phase: ChangeEvent_Phase[event.phase],
  topology: named(event.topology, 'topology'),
  source: named(event.source, 'source'),
  kind: ChangeEvent_Kind[event.kind],
  condition: conditionToProto(event.kind, event.condition),
  statement: event.statement,
  subject: parts.subjectToProto(event.subject),
  interval: parts.intervalToProto(event.interval),
  before: event.before && parts.sideToProto(event.before, 'before'),
  after: event.after && parts.sideToProto(event.after, 'after'),
  shift: event.shift && parts.shiftToProto(event.shift),
  path: event.path?.map(parts.pathPointToProto) ?? [],
  occurrences: event.occurrences?.map(occurrenceToProto) ?? [],
  measures: event.measures.map(parts.measureToProto),
  pictures: event.pictures.map(parts.pictureToProto),
  verification: parts.verificationToProto(event.verification),
  sequenceOrdinal: count(event.sequenceOrdinal, 'sequence_ordinal'),
  reasoner: event.reasoner,
  zones: [...(event.zones ?? [])],
});

function fromProto(event: ProtoChangeEvent): ChangeEvent {
  const kind = oneOf(changeKinds, event.kind, 'kind');
  const condition = conditionFromProto(kind, event.condition);
  return {
    eventId: named(event.eventId, 'event_id'),
    changeId: named(event.changeId, 'change_id'),
    revision: revision(event.revision),
    phase: oneOf(phases, event.phase, 'phase'),
    topology: named(event.topology, 'topology'),
    source: named(event.source, 'source'),
    kind,
    ...(condition && { condition }),
    statement: event.statement,
    subject: parts.subjectFromProto(event.subject),
    interval: parts.intervalFromProto(event.interval),
    ...(event.before && { before: parts.sideFromProto(event.before, 'before') }),
    ...(event.after && { after: parts.sideFromProto(event.after, 'after') }),
    ...(event.shift && { shift: parts.shiftFromProto(event.shift) }),
    ...(event.path.length > 0 && { path: event.path.map(parts.pathPointFromProto) }),
    ...(event.occurrences.length > 0 && { occurrences: event.occurrences.map(occurrenceFromProto) }),
    measures: event.measures.map(parts.measureFromProto),
    pictures: event.pictures.map(parts.pictureFromProto),
    verification: parts.verificationFromProto(event.verification),
    sequenceOrdinal: event.sequenceOrdinal,
    reasoner: event.reasoner,
    ...(event.zones.length > 0 && { zones: event.zones }),
  };
}
