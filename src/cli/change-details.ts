import { figure } from '../outputs/report/words.js';
import type { ChangeEvent, EvidencePicture, FramePoint, Measure, Side, Verdict } from '../records/index.js';
import { eventLine, momentText } from './event-lines.js';
import { styled, type Terminal } from './terminal.js';

const labelWidth = 12;
const verdictStyles = { SUPPORTED: 'green', CONTRADICTED: 'red', UNVERIFIED: 'yellow' } as const;

/** Everything about one change, given by all its revisions in order. */
export function printChange(out: Terminal, revisions: readonly ChangeEvent[]): void {
  const last = revisions[revisions.length - 1];
  const row = rowsOn(out);
  const { subject, verification } = last;

  out.line(styled('bold', last.statement));
  row('change', last.changeId);
  row('kind', kindText(last));
  row('source', `${last.source}, topology ${last.topology}`);
  row('subject', `${subject.description} (${subject.label}, confidence ${figure(subject.confidence)})`);
  printPlace(out, last);
  for (const picture of last.pictures) row('picture', pictureText(picture));
  row('reasoner', reasonerText(last));
  out.line('  ', styled('dim', 'verdict'.padEnd(labelWidth)), verdict(verification.verdict));
  for (const check of verification.checks) {
    out.line(' '.repeat(labelWidth + 2), verdict(check.verdict), ` ${check.name}: ${check.detail}`);
  }
  for (const { revision, phase, statement } of revisions) {
    row(`revision ${revision}`, `${phase.toLowerCase()}: ${statement}`);
  }
}

/** A claim that was not published: what it said, of when and where, and which checks contradicted it. */
export function printContradicted(out: Terminal, claim: ChangeEvent): void {
  const row = rowsOn(out);
  out.line(...eventLine(claim));
  row('kind', kindText(claim));
  printPlace(out, claim);
  row('reasoner', reasonerText(claim));
  for (const check of claim.verification.checks) {
    if (check.verdict === 'CONTRADICTED') out.line('  ', verdict(check.verdict), ` ${check.name}: ${check.detail}`);
  }
}

const rowsOn =
  (out: Terminal) =>
  (label: string, value: string): void =>
    out.line('  ', styled('dim', label.padEnd(labelWidth)), value);

/** When and where, and by how much. */
function printPlace(out: Terminal, { interval, before, after, shift, measures }: ChangeEvent): void {
  const row = rowsOn(out);
  row('first', pointText(interval.first));
  row('last', pointText(interval.last));
  if (before) row('before', sideText(before));
  if (after) row('after', sideText(after));
  if (shift) row('shift', `${figure(shift.dx)} px right, ${figure(shift.dy)} px down`);
  for (const measure of measures) row('measure', measureText(measure));
}

const verdict = (value: Verdict) => styled(verdictStyles[value], value.toLowerCase());

const kindText = ({ kind, condition }: ChangeEvent): string =>
  condition === undefined ? kind : `${kind} ${condition}`;

const reasonerText = ({ reasoner, sequenceOrdinal }: ChangeEvent): string => `${reasoner}, sequence ${sequenceOrdinal}`;

const pointText = (point: FramePoint): string => `${momentText(point)}, frame ${point.frame}`;

const sideText = ({ region, text, color }: Side): string =>
  [
    region && `${figure(region.width)} × ${figure(region.height)} px at (${figure(region.x)}, ${figure(region.y)})`,
    text === undefined ? undefined : `“${text}”`,
    color,
  ]
    .filter((part) => part !== undefined)
    .join(', ');

const measureText = ({ name, unit, before, after }: Measure): string =>
  `${name} ${[before, after].map((value) => (value === undefined ? '–' : figure(value))).join(' → ')} ${unit}`;

const pictureText = ({ role, width, height, mediaType, sha256, frame }: EvidencePicture): string =>
  `${role} ${width} × ${height} ${mediaType}${frame ? ` of frame ${frame.frame}` : ''}, ${sha256.slice(0, 12)}`;
