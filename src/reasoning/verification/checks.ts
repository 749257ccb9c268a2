import { changeInBox } from '../../evidence/comparison.js';
import type { NamedTrack, SceneEvidence } from '../../evidence/scene.js';
import { centreOf, iou, overlapOfSmaller } from '../../pixels/geometry.js';
import type { Check, Region, Verdict } from '../../records/index.js';
import type { Claim } from '../claim.js';
import { outlineSide, readable } from '../measured/lasting.js';

/** A claimed moment may be off by this much, ms. */
const MOMENT_MS = 1_000;
/** Least share of a claimed box that must have changed, and of the change near it that must lie inside. */
const FILLED = 0.1;
const COVERED = 0.5;
/** Colours may differ by this much in each channel. */
const COLOUR_STEP = 32;

const check = (name: string, verdict: Verdict, detail: string): Check => ({ name, verdict, detail });
const held = (name: string, ok: boolean, detail: string): Check =>
  check(name, ok ? 'SUPPORTED' : 'CONTRADICTED', detail);
const percent = (share: number): string => `${Math.round(share * 100)} %`;

/** Is there change in the claimed boxes, and not beside them? */
export function regionCheck(claim: Claim, evidence: SceneEvidence): Check {
  const { comparison } = evidence;
  const boxes = [claim.before?.region, claim.after?.region].filter((r): r is Region => r !== undefined);
  if (comparison === undefined) return check('region', 'UNVERIFIED', 'there is no scene before and after to compare');
  if (boxes.length === 0) return check('region', 'CONTRADICTED', 'no region was claimed');
  const results = boxes.map((box) => changeInBox(comparison, box));
  const worst = results.reduce((a, b) => (a.filled * a.covered <= b.filled * b.covered ? a : b));
  return held(
    'region',
    results.every(({ filled, covered }) => filled >= FILLED && covered >= (claim.kind === 'MOVED' ? 0.25 : COVERED)),
    `${percent(worst.filled)} of the box changed, ${percent(worst.covered)} of the change around it lies inside`,
  );
}

/** Did it happen then? Against the gate's settled regions; where there are none, between the frames compared. */
export function lastingIntervalCheck(claim: Claim, evidence: SceneEvidence): Check {
  const own = observedAt(claim, evidence);
  const { first, last } = claim.interval;
  if (own === undefined) return check('interval', 'UNVERIFIED', 'no changed region overlaps the claimed box');
  const off = Math.max(
    Math.abs(first.elapsedMs - own.interval.first.elapsedMs),
    Math.abs(last.elapsedMs - own.interval.last.elapsedMs),
  );
  return held(
    'interval',
    off <= MOMENT_MS && first.elapsedMs <= last.elapsedMs,
    `measured from frame ${own.interval.first.frame} to ${own.interval.last.frame}${own.intervalMeasured ? '' : ', bounded by the frames compared'}`,
  );
}

/** Which side holds the thing: by the detector's count where it knows the thing, else by the outline. */
export function directionCheck(claim: Claim, evidence: SceneEvidence): Check {
  const wanted = claim.kind === 'APPEARED' ? 1 : -1;
  const own = observedAt(claim, evidence);
  if (own === undefined) return check('direction', 'UNVERIFIED', 'no changed region overlaps the claimed box');
  const { before, after } = own.object;
  const side = outlineSide(own);
  if ((before === undefined) !== (after === undefined)) {
    const seen = after === undefined ? -1 : 1;
    return held(
      'direction',
      seen === wanted,
      `the detector sees a ${(after ?? before)?.label ?? 'thing'} only ${seen > 0 ? 'after' : 'before'}`,
    );
  }
  if (side === 0) return check('direction', 'UNVERIFIED', 'the outline is as strong on both sides');
  return held(
    'direction',
    side === wanted,
    `the outline is stronger ${side > 0 ? 'after' : 'before'} (${own.outline.before.toFixed(1)} and ${own.outline.after.toFixed(1)} grey levels)`,
  );
}

/** Are those words there? */
export function textCheck(claim: Claim, evidence: SceneEvidence): Check {
  const own = observedAt(claim, evidence);
  const words = own && readable(own);
  if (words === undefined) return check('text', 'UNVERIFIED', 'no two different texts were read there');
  return held(
    'text',
    words.before === claim.before?.text && words.after === claim.after?.text,
    `"${words.before}" and "${words.after}" were read`,
  );
}

/** Are those the colours? */
export function colorCheck(claim: Claim, evidence: SceneEvidence): Check {
  const own = observedAt(claim, evidence);
  if (own === undefined) return check('color', 'UNVERIFIED', 'no changed region overlaps the claimed box');
  const near = (claimed: string | undefined, measured: string) =>
    claimed === undefined || colourStep(claimed, measured) <= COLOUR_STEP;
  return held(
    'color',
    near(claim.before?.color, own.color.before) && near(claim.after?.color, own.color.after),
    `measured ${own.color.before} before and ${own.color.after} after`,
  );
}

const colourStep = (a: string, b: string): number =>
  Math.max(...[1, 3, 5].map((i) => Math.abs(parseInt(a.slice(i, i + 2), 16) - parseInt(b.slice(i, i + 2), 16))));

/** Is the way from the one box to the other the claimed shift? */
export function shiftCheck(claim: Claim): Check {
  const { before, after, shift } = claim;
  if (before?.region === undefined || after?.region === undefined || shift === undefined) {
    return check('shift', 'CONTRADICTED', 'a move needs two boxes and a shift');
  }
  const [a, b] = [centreOf(before.region), centreOf(after.region)];
  return held(
    'shift',
    Math.hypot(b.x - a.x - shift.dx, b.y - a.y - shift.dy) <= 3,
    `the boxes are ${Math.round(b.x - a.x)}, ${Math.round(b.y - a.y)} px apart`,
  );
}

/** Does something move there, then, and that way? */
export function activityChecks(claim: Claim, evidence: SceneEvidence): Check[] {
  const track = evidence.tracks.find((t) => t.id === claim.identity.trackId);
  if (track === undefined) return [check('region', 'CONTRADICTED', 'no such track was measured')];
  const start = claim.before?.region;
  const best = claim.after?.region;
  const same = (a: Region | undefined, b: Region) => a !== undefined && iou(a, b) >= 0.5;
  const off = Math.max(
    Math.abs(claim.interval.first.elapsedMs - track.born.elapsedMs),
    Math.abs(claim.interval.last.elapsedMs - track.last.elapsedMs),
  );
  return [
    held(
      'region',
      same(start, track.firstRegion) && same(best, track.bestRegion),
      `followed through ${track.path.length} frames`,
    ),
    held('interval', off <= MOMENT_MS, `seen from frame ${track.born.frame} to ${track.last.frame}`),
    held('direction', sameWay(claim, track), 'the path is the measured one'),
  ];
}

/** The claimed path must run as the measured one does: its ends where and when those are. */
function sameWay(claim: Claim, track: NamedTrack): boolean {
  const claimed = claim.path ?? [];
  if (claimed.length === 0) return false;
  const near = (p: (typeof claimed)[number], q: (typeof track.path)[number]) =>
    Math.hypot(p.x - q.x, p.y - q.y) <= Math.max(8, 0.25 * Math.sqrt(track.bestRegion.width * track.bestRegion.height));
  return near(claimed[0], track.path[0]) && near(claimed[claimed.length - 1], track.path[track.path.length - 1]);
}

/** Was that cause measured in that interval, that strongly? */
export function conditionChecks(claim: Claim, evidence: SceneEvidence): Check[] {
  const { first, last } = claim.interval;
  const inside = evidence.sequence.frames.filter(
    (f) => f.ref.index >= first.frame && f.ref.index <= last.frame && f.evidence,
  );
  const strengths = inside.flatMap(
    (f) => f.evidence?.nuisances.filter((n) => n.cause === claim.condition).map((n) => n.strength) ?? [],
  );
  const whole = evidence.conditions.find((span) => span.cause === claim.condition);
  const off =
    whole === undefined
      ? Infinity
      : Math.max(Math.abs(first.elapsedMs - whole.first.elapsedMs), Math.abs(last.elapsedMs - whole.last.elapsedMs));
  const told = claim.measures[0];
  const near = (a: number | undefined, b: number) => a !== undefined && Math.abs(a - b) <= 0.02 + 0.02 * Math.abs(b);
  return [
    held(
      'cause',
      strengths.length > 0,
      `${claim.condition ?? 'no cause'} was measured ${strengths.length} times in the interval`,
    ),
    held(
      'interval',
      off <= MOMENT_MS,
      whole === undefined ? 'not measured at all' : `measured from frame ${whole.first.frame} to ${whole.last.frame}`,
    ),
    held(
      'strength',
      whole !== undefined && near(told?.before, whole.least) && near(told?.after, whole.greatest),
      whole === undefined ? 'not measured' : `${whole.least.toFixed(3)} to ${whole.greatest.toFixed(3)} ${whole.unit}`,
    ),
  ];
}

/** The changed region that a claim is about. */
function observedAt(claim: Claim, evidence: SceneEvidence): SceneEvidence['regions'][number] | undefined {
  const box = claim.after?.region ?? claim.before?.region;
  if (box === undefined) return undefined;
  const by = (region: Region) => iou(region, box) + overlapOfSmaller(region, box);
  const best = [...evidence.regions].sort((a, b) => by(b.region) - by(a.region)).at(0);
  return best !== undefined && overlapOfSmaller(best.region, box) > 0.3 ? best : undefined;
}
