import {
  type EvidencePicture as ProtoPicture,
  type FramePoint as ProtoPoint,
  type Interval as ProtoInterval,
  type Measure as ProtoMeasure,
  type PathPoint as ProtoPathPoint,
  type Region as ProtoRegion,
  type Shift as ProtoShift,
  type Side as ProtoSide,
  type Subject as ProtoSubject,
  type Verification as ProtoVerification,
  Verification_Verdict,
} from '../generated/blinkstream/v1/change.js';
import type { EvidencePicture } from '../evidence.js';
import { verdicts, type Finding, type Measure, type Side, type Subject, type Verification } from '../finding.js';
import type { FramePoint } from '../frame.js';
import type { Region } from '../region.js';
import { count, finite, named, oneOf, present } from './check.js';
import { timeFromProto, timeToProto } from './time.js';

export const regionToProto = ({ x, y, width, height }: Region, field: string): ProtoRegion => ({
  x: finite(x, `${field}.x`),
  y: finite(y, `${field}.y`),
  width: finite(width, `${field}.width`),
  height: finite(height, `${field}.height`),
});

export const regionFromProto: (region: ProtoRegion, field: string) => Region = regionToProto;

export const pointToProto = (point: FramePoint, field: string): ProtoPoint => ({
  frame: count(point.frame, `${field}.frame`),
  time: timeToProto(point.timeMs, `${field}.time`),
  elapsedMs: finite(point.elapsedMs, `${field}.elapsed_ms`),
});

export const pointFromProto = (point: ProtoPoint | undefined, field: string): FramePoint => {
  const { frame, time, elapsedMs } = present(point, field);
  return {
    frame: count(frame, `${field}.frame`),
    timeMs: timeFromProto(present(time, `${field}.time`), `${field}.time`),
    elapsedMs: finite(elapsedMs, `${field}.elapsed_ms`),
  };
};

export const intervalToProto = ({ first, last }: Finding['interval']): ProtoInterval => ({
  first: pointToProto(first, 'interval.first'),
  last: pointToProto(last, 'interval.last'),
});

export const intervalFromProto = (interval: ProtoInterval | undefined): Finding['interval'] => {
  const { first, last } = present(interval, 'interval');
  return { first: pointFromProto(first, 'interval.first'), last: pointFromProto(last, 'interval.last') };
};

export const sideToProto = ({ region, text, color }: Side, field: string): ProtoSide => ({
  region: region && regionToProto(region, `${field}.region`),
  text,
  color,
});

export const sideFromProto = ({ region, text, color }: ProtoSide, field: string): Side => ({
  ...(region && { region: regionFromProto(region, `${field}.region`) }),
  ...(text !== undefined && { text }),
  ...(color !== undefined && { color }),
});

export const subjectToProto = ({ label, description, confidence }: Subject): ProtoSubject => ({
  label,
  description,
  confidence: finite(confidence, 'subject.confidence'),
});

export const subjectFromProto = (subject: ProtoSubject | undefined): Subject =>
  subjectToProto(present(subject, 'subject'));

type Shift = NonNullable<Finding['shift']>;
export const shiftToProto = ({ dx, dy }: Shift): ProtoShift => ({
  dx: finite(dx, 'shift.dx'),
  dy: finite(dy, 'shift.dy'),
});
export const shiftFromProto: (shift: ProtoShift) => Shift = shiftToProto;

type PathPoint = NonNullable<Finding['path']>[number];
export const pathPointToProto = ({ at, x, y }: PathPoint): ProtoPathPoint => ({
  at: pointToProto(at, 'path.at'),
  x: finite(x, 'path.x'),
  y: finite(y, 'path.y'),
});

export const pathPointFromProto = ({ at, x, y }: ProtoPathPoint): PathPoint => ({
  at: pointFromProto(at, 'path.at'),
  x: finite(x, 'path.x'),
  y: finite(y, 'path.y'),
});

export const measureToProto = ({ name, unit, before, after }: Measure): ProtoMeasure => ({
  name: named(name, 'measures.name'),
  unit,
  before: before === undefined ? undefined : finite(before, `measures.${name}.before`),
  after: after === undefined ? undefined : finite(after, `measures.${name}.after`),
});

export const measureFromProto = ({ name, unit, before, after }: ProtoMeasure): Measure => ({
  name: named(name, 'measures.name'),
  unit,
  ...(before !== undefined && { before: finite(before, `measures.${name}.before`) }),
  ...(after !== undefined && { after: finite(after, `measures.${name}.after`) }),
});

export const pictureToProto = (picture: EvidencePicture): ProtoPicture => ({
  role: named(picture.role, 'pictures.role'),
  sha256: named(picture.sha256, 'pictures.sha256'),
  mediaType: named(picture.mediaType, 'pictures.media_type'),
  width: count(picture.width, 'pictures.width', 'uint32'),
  height: count(picture.height, 'pictures.height', 'uint32'),
  frame: picture.frame && pointToProto(picture.frame, 'pictures.frame'),
  region: picture.region && regionToProto(picture.region, 'pictures.region'),
});

export const pictureFromProto = (picture: ProtoPicture): EvidencePicture => ({
  role: named(picture.role, 'pictures.role'),
  sha256: named(picture.sha256, 'pictures.sha256'),
  mediaType: named(picture.mediaType, 'pictures.media_type'),
  width: picture.width,
  height: picture.height,
  ...(picture.frame && { frame: pointFromProto(picture.frame, 'pictures.frame') }),
  ...(picture.region && { region: regionFromProto(picture.region, 'pictures.region') }),
});

export const verificationToProto = ({ verdict, checks }: Verification): ProtoVerification => ({
  verdict: Verification_Verdict[verdict],
  checks: checks.map((check) => ({
    name: named(check.name, 'verification.checks.name'),
    verdict: Verification_Verdict[check.verdict],
    detail: check.detail,
  })),
});

export const verificationFromProto = (verification: ProtoVerification | undefined): Verification => {
  const { verdict, checks } = present(verification, 'verification');
  return {
    verdict: oneOf(verdicts, verdict, 'verification.verdict'),
    checks: checks.map((check) => ({
      name: named(check.name, 'verification.checks.name'),
      verdict: oneOf(verdicts, check.verdict, 'verification.checks.verdict'),
      detail: check.detail,
    })),
  };
};
