import type { FrameEvidence, SequenceFrame, SettledRegion } from '../evidence.js';
import { conditionCauses } from '../evidence.js';
import { changeKinds, type Finding } from '../finding.js';
import type { FrameRef } from '../frame.js';
import { ChangeEvent_Condition, ChangeEvent_Kind } from '../generated/blinkstream/v1/change.js';
import {
  type FrameEvidence as ProtoEvidence,
  FrameEvidence_Motion,
  type FrameRef as ProtoRef,
  type FrameSequence as ProtoSequence,
  FrameSequence_Trigger,
  type SequenceFrame as ProtoFrame,
  SequenceFrame_Role,
  type SettledRegion as ProtoSettledRegion,
  type Zone as ProtoZone,
  Zone_Use,
} from '../generated/blinkstream/v1/frame.js';
import type { Finding as ProtoFinding } from '../generated/blinkstream/v1/worker_service.js';
import { sequenceTriggers, type FrameSequence } from '../sequence.js';
import { zoneUses, type Zone } from '../zone.js';
import { conditionFromProto, conditionToProto } from './change.js';
import { converting, count, finite, named, oneOf, present } from './check.js';
import * as parts from './parts.js';
import { headerFromProto, headerToProto, type PictureHeader } from './picture.js';

/** A sequence on its way to a worker: no checkpoint, and of each kept picture its header in place of its lease. */
export interface SequenceOutline extends Omit<
  FrameSequence,
  'frames' | 'baseline' | 'gap' | 'checkpoint' | 'settledScene'
> {
  readonly frames: readonly SequenceFrame<PictureHeader>[];
  readonly baseline?: SequenceFrame<PictureHeader>;
}

/** @throws BlinkstreamError `PROTO_INVALID` (data) for a number that is not finite or does not fit, or an empty source */
export const sequenceToProto = (sequence: SequenceOutline): ProtoSequence =>
  converting('FrameSequence', 'worker', () => ({
    source: named(sequence.source, 'source'),
    ordinal: count(sequence.ordinal, 'ordinal'),
    trigger: FrameSequence_Trigger[upper(sequence.trigger)],
    first: parts.pointToProto(sequence.first, 'first'),
    last: parts.pointToProto(sequence.last, 'last'),
    frames: sequence.frames.map((frame) => frameToProto(frame, 'frames')),
    baseline: sequence.baseline && frameToProto(sequence.baseline, 'baseline'),
    settled: sequence.settled.map(settledToProto),
    thinnedFrames: count(sequence.thinnedFrames, 'thinned_frames'),
    zones: sequence.zones?.map(zoneToProto) ?? [],
  }));

/** @throws BlinkstreamError `PROTO_INVALID` (data) for a missing field, an unspecified or an unknown enum value */
export const sequenceFromProto = (sequence: ProtoSequence): SequenceOutline =>
  converting('FrameSequence', 'worker', () => ({
    source: named(sequence.source, 'source'),
    ordinal: count(sequence.ordinal, 'ordinal'),
    trigger: oneOf(sequenceTriggers, sequence.trigger.toLowerCase(), 'trigger'),
    first: parts.pointFromProto(sequence.first, 'first'),
    last: parts.pointFromProto(sequence.last, 'last'),
    frames: sequence.frames.map((frame) => frameFromProto(frame, 'frames')),
    ...(sequence.baseline && { baseline: frameFromProto(sequence.baseline, 'baseline') }),
    settled: sequence.settled.map(settledFromProto),
    thinnedFrames: count(sequence.thinnedFrames, 'thinned_frames'),
    ...(sequence.zones.length > 0 && { zones: sequence.zones.map(zoneFromProto) }),
  }));

/**
 * A finding as its proto message. A `path` or `embedding` that is empty counts as absent; embeddings travel as 32-bit
 * floats. @throws BlinkstreamError `PROTO_INVALID` (data), as `changeEventToProto`
 */
export const findingToProto = (finding: Finding): ProtoFinding =>
  converting('Finding', 'worker', () => ({
    kind: ChangeEvent_Kind[finding.kind],
    condition: conditionToProto(finding.kind, finding.condition),
    subject: parts.subjectToProto(finding.subject),
    statement: finding.statement,
    interval: parts.intervalToProto(finding.interval),
    before: finding.before && parts.sideToProto(finding.before, 'before'),
    after: finding.after && parts.sideToProto(finding.after, 'after'),
    shift: finding.shift && parts.shiftToProto(finding.shift),
    path: finding.path?.map(parts.pathPointToProto) ?? [],
    measures: finding.measures.map(parts.measureToProto),
    pictures: finding.pictures.map(parts.pictureToProto),
    ongoing: finding.ongoing,
    trackId: finding.identity.trackId === undefined ? undefined : count(finding.identity.trackId, 'track_id'),
    embedding: Array.from(finding.identity.embedding ?? [], (value) => finite(value, 'embedding')),
    verification: parts.verificationToProto(finding.verification),
    zones: [...(finding.zones ?? [])],
  }));

/** @throws BlinkstreamError `PROTO_INVALID` (data) for a missing field, an unspecified or an unknown enum value */
export const findingFromProto = (finding: ProtoFinding): Finding =>
  converting('Finding', 'worker', () => {
    const kind = oneOf(changeKinds, finding.kind, 'kind');
    const condition = conditionFromProto(kind, finding.condition);
    const { trackId, embedding } = finding;
    return {
      kind,
      ...(condition && { condition }),
      subject: parts.subjectFromProto(finding.subject),
      statement: finding.statement,
      interval: parts.intervalFromProto(finding.interval),
      ...(finding.before && { before: parts.sideFromProto(finding.before, 'before') }),
      ...(finding.after && { after: parts.sideFromProto(finding.after, 'after') }),
      ...(finding.shift && { shift: parts.shiftFromProto(finding.shift) }),
      ...(finding.path.length > 0 && { path: finding.path.map(parts.pathPointFromProto) }),
      measures: finding.measures.map(parts.measureFromProto),
      pictures: finding.pictures.map(parts.pictureFromProto),
      ongoing: finding.ongoing,
      identity: {
        ...(trackId !== undefined && { trackId }),
        ...(embedding.length > 0 && { embedding: embedding.map((value) => finite(value, 'embedding')) }),
      },
      verification: parts.verificationFromProto(finding.verification),
      ...(finding.zones.length > 0 && { zones: finding.zones }),
    };
  });

const zoneToProto = ({ name, use, polygon }: Zone): ProtoZone => ({
  name: named(name, 'zones.name'),
  use: Zone_Use[upper(use)],
  polygon: polygon.map(([x, y]) => ({ x: finite(x, 'zones.polygon'), y: finite(y, 'zones.polygon') })),
});

const zoneFromProto = ({ name, use, polygon }: ProtoZone): Zone => ({
  name: named(name, 'zones.name'),
  use: oneOf(zoneUses, use.toLowerCase(), 'zones.use'),
  polygon: polygon.map(({ x, y }) => [finite(x, 'zones.polygon'), finite(y, 'zones.polygon')]),
});

const roles = ['before', 'during', 'after', 'whole', 'clip'] as const;
const motions = ['active', 'still', 'unseen'] as const;

/** Words that are lower case in our records are upper case in proto. */
const upper = <T extends string>(word: T): Uppercase<T> => word.toUpperCase() as Uppercase<T>;

const frameToProto = ({ ref, evidence, role, lease }: SequenceFrame<PictureHeader>, field: string): ProtoFrame => ({
  ref: refToProto(ref, `${field}.ref`),
  evidence: evidence && evidenceToProto(evidence),
  role: role ? SequenceFrame_Role[upper(role)] : SequenceFrame_Role.ROLE_UNSPECIFIED,
  picture: lease && headerToProto(lease),
});

const frameFromProto = (frame: ProtoFrame, field: string): SequenceFrame<PictureHeader> => ({
  ref: refFromProto(present(frame.ref, `${field}.ref`), `${field}.ref`),
  ...(frame.evidence && { evidence: evidenceFromProto(frame.evidence) }),
  // Role is the one enum that may be unset: a frame whose pixels were not kept has none.
  ...(frame.role !== SequenceFrame_Role.ROLE_UNSPECIFIED && {
    role: oneOf(roles, frame.role.toLowerCase(), `${field}.role`),
  }),
  ...(frame.picture && { lease: headerFromProto(frame.picture) }),
});

const refToProto = (ref: FrameRef, field: string): ProtoRef => ({
  source: named(ref.source, `${field}.source`),
  index: count(ref.index, `${field}.index`),
  eventTimeMs: finite(ref.eventTimeMs, `${field}.event_time_ms`),
  elapsedMs: finite(ref.elapsedMs, `${field}.elapsed_ms`),
  position: { index: count(ref.position.index, `${field}.position.index`), offset: ref.position.offset },
  width: count(ref.width, `${field}.width`, 'uint32'),
  height: count(ref.height, `${field}.height`, 'uint32'),
});

const refFromProto = ({ position, ...ref }: ProtoRef, field: string): FrameRef => {
  const { index, offset } = present(position, `${field}.position`);
  return {
    source: named(ref.source, `${field}.source`),
    index: ref.index,
    eventTimeMs: finite(ref.eventTimeMs, `${field}.event_time_ms`),
    elapsedMs: finite(ref.elapsedMs, `${field}.elapsed_ms`),
    position: { index, offset },
    width: ref.width,
    height: ref.height,
  };
};

const settledToProto = ({ region, leftAt, restedAt, mayBeLight }: SettledRegion): ProtoSettledRegion => ({
  region: parts.regionToProto(region, 'settled.region'),
  leftAt: parts.pointToProto(leftAt, 'settled.left_at'),
  restedAt: parts.pointToProto(restedAt, 'settled.rested_at'),
  mayBeLight: mayBeLight === true,
});

const settledFromProto = ({ region, leftAt, restedAt, mayBeLight }: ProtoSettledRegion): SettledRegion => ({
  region: parts.regionFromProto(present(region, 'settled.region'), 'settled.region'),
  leftAt: parts.pointFromProto(leftAt, 'settled.left_at'),
  restedAt: parts.pointFromProto(restedAt, 'settled.rested_at'),
  ...(mayBeLight && { mayBeLight }),
});

const evidenceToProto = (evidence: FrameEvidence): ProtoEvidence => ({
  motion: FrameEvidence_Motion[upper(evidence.motion)],
  nuisances: evidence.nuisances.map(({ cause, strength, unit, region }) => ({
    cause: ChangeEvent_Condition[cause],
    strength: finite(strength, 'nuisances.strength'),
    unit,
    region: region && parts.regionToProto(region, 'nuisances.region'),
  })),
  tracks: evidence.tracks.map(({ id, region, born, origin, sweep }) => ({
    id: count(id, 'tracks.id'),
    region: parts.regionToProto(region, 'tracks.region'),
    born: parts.pointToProto(born, 'tracks.born'),
    origin: parts.regionToProto(origin, 'tracks.origin'),
    sweep: parts.regionToProto(sweep, 'tracks.sweep'),
  })),
  settled: evidence.settled.map(settledToProto),
  lightGain: finite(evidence.light.gain, 'light_gain'),
  lightOffset: finite(evidence.light.offset, 'light_offset'),
  overlays: evidence.overlays.map((region) => parts.regionToProto(region, 'overlays')),
  restless: (evidence.restless ?? []).map((region) => parts.regionToProto(region, 'restless')),
  noiseSigma: finite(evidence.noiseSigma, 'noise_sigma'),
  changedShare: finite(evidence.changedShare, 'changed_share'),
  illumination: count(evidence.illumination, 'illumination'),
});

const evidenceFromProto = (evidence: ProtoEvidence): FrameEvidence => ({
  motion: oneOf(motions, evidence.motion.toLowerCase(), 'motion'),
  nuisances: evidence.nuisances.map(({ cause, strength, unit, region }) => ({
    cause: oneOf(conditionCauses, cause, 'nuisances.cause'),
    strength: finite(strength, 'nuisances.strength'),
    unit,
    ...(region && { region: parts.regionFromProto(region, 'nuisances.region') }),
  })),
  tracks: evidence.tracks.map(({ id, region, born, origin, sweep }) => ({
    id,
    region: parts.regionFromProto(present(region, 'tracks.region'), 'tracks.region'),
    born: parts.pointFromProto(born, 'tracks.born'),
    origin: parts.regionFromProto(present(origin, 'tracks.origin'), 'tracks.origin'),
    sweep: parts.regionFromProto(present(sweep, 'tracks.sweep'), 'tracks.sweep'),
  })),
  settled: evidence.settled.map(settledFromProto),
  light: {
    gain: finite(evidence.lightGain, 'light_gain'),
    offset: finite(evidence.lightOffset, 'light_offset'),
  },
  overlays: evidence.overlays.map((region) => parts.regionFromProto(region, 'overlays')),
  ...(evidence.restless.length > 0 && {
    restless: evidence.restless.map((region) => parts.regionFromProto(region, 'restless')),
  }),
  noiseSigma: finite(evidence.noiseSigma, 'noise_sigma'),
  changedShare: finite(evidence.changedShare, 'changed_share'),
  illumination: evidence.illumination,
});
