import { areaOf } from '../pixels/geometry.js';
import { capital, moverName } from '../reasoning/measured/words.js';
import type { EvidencePicture, Finding, Measure } from '../records/index.js';

/** At most so many points of a path are published. */
const PATH_POINTS = 80;

/** An activity as known so far and as the next sequence shows it: one way, the best name and picture of both. */
export function mergeActivity(before: Finding, now: Finding): Finding {
  const path = [...(before.path ?? []), ...(now.path ?? [])];
  const step = Math.max(1, Math.ceil((path.length - 1) / (PATH_POINTS - 1)));
  const shown =
    areaOf(now.after?.region ?? none) > areaOf(before.after?.region ?? none) && now.pictures.length > 0 ? now : before;
  const surer = now.subject.confidence > before.subject.confidence ? now : before;
  const durationMs = now.interval.last.elapsedMs - before.interval.first.elapsedMs;
  return {
    ...now,
    subject: surer.subject,
    statement: renamed(now, surer),
    interval: { first: before.interval.first, last: now.interval.last },
    ...(before.before && { before: before.before }),
    ...(shown.after && { after: shown.after }),
    path: path.filter((_, i) => i % step === 0 || i === path.length - 1),
    measures: [
      { name: 'duration', unit: 's', after: Math.round(durationMs) / 1_000 },
      ...now.measures.filter((m) => m.name !== 'duration'),
    ],
    // The moving picture ends with what is known now; the still is the best of all.
    pictures: [...shown.pictures.filter((p) => !isClip(p)), ...(clipsOf(now) ?? clipsOf(before) ?? [])],
    ...((before.zones ?? now.zones) && { zones: [...new Set([...(before.zones ?? []), ...(now.zones ?? [])])] }),
  };
}

const isClip = ({ role }: EvidencePicture): boolean => role === 'clip';

function clipsOf({ pictures }: Finding): EvidencePicture[] | undefined {
  const clips = pictures.filter(isClip);
  return clips.length > 0 ? clips : undefined;
}

/** The newest account of what happens under the surest name; an account that begins otherwise stays as it is. */
function renamed(now: Finding, surer: Finding): string {
  const name = capital(moverName(now.subject));
  return now.statement.startsWith(`${name} `)
    ? capital(moverName(surer.subject)) + now.statement.slice(name.length)
    : now.statement;
}

/** The number of a crowd as it is now, since it was first told. */
export const mergeCount = (before: Finding, now: Finding): Finding => ({
  ...now,
  interval: { first: before.interval.first, last: now.interval.last },
});

/** A condition as known so far and as measured again: the widest range, the strongest account. */
export function mergeCondition(before: Finding, now: Finding): Finding {
  const stronger = spread(now) > spread(before) ? now : before;
  return {
    ...stronger,
    interval: { first: before.interval.first, last: now.interval.last },
    measures: stronger.measures.map((m, i) => widest(m, before.measures[i], now.measures[i])),
    ongoing: now.ongoing,
  };
}

/** A gap as it was noticed and as it is known now. */
export const mergeGap = (before: Finding, now: Finding): Finding => ({
  ...now,
  interval: { first: before.interval.first, last: now.interval.last },
});

const spread = ({ measures: [m] }: Finding): number =>
  m === undefined ? 0 : Math.max(Math.abs((m.before ?? 1) - 1), Math.abs((m.after ?? 1) - 1));

const widest = (own: Measure, a: Measure | undefined, b: Measure | undefined): Measure => ({
  ...own,
  ...(own.before !== undefined && { before: Math.min(own.before, a?.before ?? own.before, b?.before ?? own.before) }),
  ...(own.after !== undefined && { after: Math.max(own.after, a?.after ?? own.after, b?.after ?? own.after) }),
});

const none = { x: 0, y: 0, width: 0, height: 0 };
