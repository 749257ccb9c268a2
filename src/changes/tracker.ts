import { type ChangeEvent, type Finding, type FramePoint, type Phase, type Schedule } from '../records/index.js';
import { compactLook } from '../evidence/embedding.js';
import { changeIdOf, eventOf } from './event.js';
import { isSameChange, isSameCount, reversalOf } from './identity.js';
import { mergeActivity, mergeCondition, mergeCount, mergeGap } from './merging.js';

/** A change that may still go on; plain, lives in the checkpoint. */
export interface OpenChange {
  readonly changeId: string;
  revision: number;
  finding: Finding;
  sequenceOrdinal: number;
  reasoner: string;
}

export interface TrackerState {
  nextOrdinal: number;
  /** Those of revision 0 have not been told: they lie outside of the schedule so far. */
  open: OpenChange[];
  /** Changes that will never be told, because they lay outside of the schedule. */
  heldBack: number;
}

export interface TrackerOptions {
  /** Part of every change id. */
  readonly topology: string;
  readonly source: string;
  /** An activity that is not seen for this long has ended; default 2,000 ms. */
  readonly activityEndsAfterMs?: number;
  /** A condition that is not measured for this long has ended; default 5,000 ms. */
  readonly conditionEndsAfterMs?: number;
  /** Hours in which changes are told; default: always. */
  readonly schedule?: Schedule | undefined;
}

export const trackerDefaults = { activityEndsAfterMs: 2_000, conditionEndsAfterMs: 5_000 } as const;

/** What a worker made of one sequence, and until when it reaches. */
export interface TrackInput {
  readonly findings: readonly Finding[];
  readonly last: FramePoint;
  readonly sequenceOrdinal: number;
  readonly reasoner: string;
}

/** Lasting changes that are remembered for being reversed; beyond it the oldest are left as they are. */
const MOST_OPEN = 1_000;

/**
 * Gives findings identity over time: a reducer `(state, findings of a sequence) → (state, events)` without a clock.
 * Activities go on from sequence to sequence by their track and end by time-out; conditions by their cause; the number of
 * a crowd by its place, until there is none; lasting changes stay open until they are reversed, and the reversal ends them instead of being a change of its own.
 *
 * With a schedule a change is told if any of it lies in the hours: it begins in them, or still goes on, or is still there,
 * when they begin. What was told is told to its end. Identity knows no hours, so that a thing that came by day and is taken
 * away by night is one change.
 */
export class Tracker {
  readonly state: TrackerState;
  readonly #options: Required<Omit<TrackerOptions, 'schedule'>> & Pick<TrackerOptions, 'schedule'>;

  constructor(options: TrackerOptions, restored?: TrackerState) {
    this.#options = { ...trackerDefaults, ...options };
    this.state = restored === undefined ? { nextOrdinal: 1, open: [], heldBack: 0 } : structuredClone(restored);
  }

  /**
   * The state as it is now, whatever comes later. Findings are never changed, only replaced, and so are shared: a copy of
   * each, with its embedding, for every checkpoint that waits would be most of what a process holds.
   */
  snapshot(): TrackerState {
    return { ...this.state, open: this.state.open.map((change) => ({ ...change })) };
  }

  push(input: TrackInput): ChangeEvent[] {
    const events: ChangeEvent[] = [];
    for (const finding of input.findings) events.push(...this.#take(finding, input));
    events.push(...this.#timeOut(input));
    // Where the hours begin, what goes on is told, and what has come before and is still there.
    for (const change of this.#untold()) events.push(...this.#tell(change, 'STARTED', input.last));
    return events;
  }

  /** The source has ended: what was still going on ends with it, lasting changes stay. */
  end(): ChangeEvent[] {
    const passing = this.state.open.filter(({ finding }) => isPassing(finding));
    const events = passing.flatMap((change) => this.#close(change, change.finding));
    this.state.heldBack += this.#untold().length;
    return events;
  }

  #untold(): OpenChange[] {
    return this.state.open.filter(({ revision }) => revision === 0);
  }

  #isInHours(first: FramePoint, last: FramePoint): boolean {
    return this.#options.schedule?.touches(first.timeMs, last.timeMs) ?? true;
  }

  #take(finding: Finding, input: TrackInput): ChangeEvent[] {
    if (finding.kind === 'ACTIVITY') return this.#goOn(finding, input, this.#activity(finding), mergeActivity);
    if (isGap(finding)) return this.#goOn(finding, input, this.#condition(finding), mergeGap);
    if (finding.kind === 'CONDITION') return this.#goOn(finding, input, this.#condition(finding), mergeCondition);
    if (finding.kind === 'COUNT_CHANGED') return this.#goOn(finding, input, this.#count(finding), mergeCount);
    return this.#lasting(finding, input);
  }

  #activity(finding: Finding): OpenChange | undefined {
    return this.state.open.find(
      ({ finding: f }) => f.kind === 'ACTIVITY' && f.identity.trackId === finding.identity.trackId,
    );
  }

  #condition(finding: Finding): OpenChange | undefined {
    return this.state.open.find(({ finding: f }) => f.kind === 'CONDITION' && f.condition === finding.condition);
  }

  #count(finding: Finding): OpenChange | undefined {
    return this.state.open.find(({ finding: f }) => isSameCount(f, finding));
  }

  /**
   * A passing change, or the number of a crowd, begins, goes on, or ends. A condition ends by time-out alone, because it comes and goes; only of a
   * gap it is known.
   */
  #goOn(
    finding: Finding,
    input: TrackInput,
    known: OpenChange | undefined,
    merge: (before: Finding, now: Finding) => Finding,
  ): ChangeEvent[] {
    const over = !finding.ongoing && (finding.kind !== 'CONDITION' || isGap(finding));
    if (known === undefined) {
      const change = this.#open(finding, input);
      return over ? this.#close(change, finding) : this.#tell(change, 'STARTED');
    }
    const isNews =
      finding.kind === 'COUNT_CHANGED' || (known.finding.subject.confidence === 0 && finding.subject.confidence > 0);
    known.finding = merge(known.finding, finding);
    known.sequenceOrdinal = input.sequenceOrdinal;
    if (over) return this.#close(known, known.finding);
    // One that has not been told has nothing to update.
    return isNews && known.revision > 0 ? this.#tell(known, 'UPDATED') : [];
  }

  #lasting(finding: Finding, input: TrackInput): ChangeEvent[] {
    const candidates = this.state.open.filter((change) => !isPassing(change.finding));
    if (candidates.some((change) => isSameChange(change.finding, finding))) return [];
    for (const change of candidates.reverse()) {
      const ended = reversalOf(change.finding, finding);
      if (ended === undefined) continue;
      change.sequenceOrdinal = input.sequenceOrdinal;
      return this.#close(change, ended);
    }
    const change = this.#open(finding, input);
    return this.#tell(change, 'STARTED');
  }

  #timeOut({ last }: TrackInput): ChangeEvent[] {
    const over = this.state.open.filter(({ finding }) => {
      const quietMs = last.elapsedMs - finding.interval.last.elapsedMs;
      if (finding.kind === 'ACTIVITY') return quietMs > this.#options.activityEndsAfterMs;
      return finding.kind === 'CONDITION' && !isGap(finding) && quietMs > this.#options.conditionEndsAfterMs;
    });
    return over.flatMap((change) => this.#close(change, change.finding));
  }

  #open(finding: Finding, { sequenceOrdinal, reasoner }: TrackInput): OpenChange {
    const { topology, source } = this.#options;
    const changeId = changeIdOf(topology, source, this.state.nextOrdinal);
    this.state.nextOrdinal += 1;
    const change: OpenChange = { changeId, revision: 0, finding: kept(finding), sequenceOrdinal, reasoner };
    this.state.open.push(change);
    // What passes is bounded by its time-out, and must be told to have ended.
    const remembered = this.state.open.filter((c) => !isPassing(c.finding));
    if (remembered.length > MOST_OPEN) this.#forget(remembered[0]);
    return change;
  }

  #close(change: OpenChange, finding: Finding): ChangeEvent[] {
    change.finding = { ...finding, ongoing: false };
    const events = this.#tell(change, 'ENDED');
    this.#forget(change);
    return events;
  }

  #forget(change: OpenChange): void {
    if (change.revision === 0) this.state.heldBack += 1;
    this.state.open.splice(this.state.open.indexOf(change), 1);
  }

  /** A step of what is told; nothing of a change that has lain outside of the hours so far. */
  #tell(change: OpenChange, phase: Phase, now?: FramePoint): ChangeEvent[] {
    const { first, last } = change.finding.interval;
    const isThere = now !== undefined && !isPassing(change.finding) && this.#isInHours(now, now);
    if (change.revision === 0 && !isThere && !this.#isInHours(first, last)) return [];
    change.revision += 1;
    const { changeId, revision, finding, sequenceOrdinal, reasoner } = change;
    const { topology, source } = this.#options;
    return [eventOf(finding, { changeId, revision, phase, topology, source, sequenceOrdinal, reasoner })];
  }
}

const isGap = (finding: Finding): boolean => finding.condition === 'SIGNAL_GAP';
const isPassing = (finding: Finding): boolean => finding.kind === 'ACTIVITY' || finding.kind === 'CONDITION';

/** A finding as the state holds it: every checkpoint writes all that are open, and looks are most of what they hold. */
function kept(finding: Finding): Finding {
  const { embedding } = finding.identity;
  return embedding === undefined
    ? finding
    : { ...finding, identity: { ...finding.identity, embedding: compactLook(embedding) } };
}
