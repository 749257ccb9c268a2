import {
  BlinkstreamError,
  pointOf,
  type FrameEvidence,
  type FrameRef,
  type Position,
  type SequenceFrame,
  type SequenceTrigger,
  type SettledRegion,
} from '../../records/index.js';
import { isAfter } from '../reorder.js';
import { shownClip, withClipFrame, type ClipFrame } from './clip-frames.js';
import { chooseKeyframe, type Keyframe } from './keyframes.js';
import type { ClosedWindow, Window, WindowInput, WindowSpec } from './window.js';

export interface ActivityOptions {
  /** Scene kept from before the activity; default 1,000 ms. */
  readonly preRollMs: number;
  /** Nothing may move for this long before the window closes; default 1,000 ms. */
  readonly postRollMs: number;
  /** An activity that goes on is told about this often, so that the first word does not wait for its end; default 1,500 ms. */
  readonly partMs: number;
  /** After this long the scene is compared although it has not come to rest; default 20,000 ms. */
  readonly maxMs: number;
  /** A quiet scene is told (conditions, checkpoint) this often; default 5,000 ms. */
  readonly quietMs: number;
  /** A quiet scene is held against itself as last settled this often; default 60,000 ms. */
  readonly settledEveryMs: number;
  /** Bytes of pixels that the window may hold; default 192 MiB. */
  readonly maxBytes: number;
}

export const activityDefaults: ActivityOptions = {
  preRollMs: 1_000,
  postRollMs: 1_000,
  partMs: 1_500,
  maxMs: 20_000,
  quietMs: 5_000,
  settledEveryMs: 60_000,
  maxBytes: 192 * 2 ** 20,
};

/** Frames on each side of a comparison: their median is free of noise and rain. */
const SIDE_FRAMES = 5;
/** Frames that show what moves, one for each thing. */
const DURING_FRAMES = 8;
/** Smaller copies for a moving picture may have this share of `maxBytes` beside. */
const CLIP_SHARE = 1 / 8;

export interface ActivityState {
  mode: 'quiet' | 'active';
  openedMs: number;
  lastActiveMs: number;
  segmentMs: number;
  settledMs: number;
  /** Every frame since the last closed window; those of a quiet scene without evidence are only counted in. */
  segment: SequenceFrame[];
  /** The latest frames with pixels, `SIDE_FRAMES` at most, evenly apart. */
  recent: SequenceFrame[];
  before: SequenceFrame[];
  keyframes: Keyframe[];
  /** The latest frames of the activity, for a moving picture. */
  clip: readonly ClipFrame[];
  /** What came to rest since the window opened. */
  settled: SettledRegion[];
  baseline: SequenceFrame | undefined;
  /** Pictures were missing, and the scene since has not been held against the baseline yet. */
  dark: boolean;
  last: FrameRef | undefined;
  frameBytes: number;
  thinnedFrames: number;
}

/**
 * Windows of activity. While something moves the window is open; it closes `postRollMs` after the last movement with the
 * scene before and after, so that settled is held against settled. Every frame's evidence goes into exactly one window:
 * stretches without movement close as `condition` (a nuisance was measured) or `checkpoint` (nothing was).
 *
 * Where pictures are missing what is open closes, and the baseline is all that is kept: as soon as the scene rests for
 * `postRollMs` afterwards it is held against it, so that what changed in the dark is found.
 */
export function activity(options: Partial<ActivityOptions> = {}): WindowSpec<ActivityState, 'measured'> {
  const all = { ...activityDefaults, ...options };
  return {
    name: 'activity',
    needs: 'measured',
    open: (restored, roomBytes = Infinity) =>
      new ActivityWindow({ ...all, maxBytes: Math.min(all.maxBytes, roomBytes) }, restored),
  };
}

class ActivityWindow implements Window<ActivityState> {
  readonly state: ActivityState;
  readonly #options: ActivityOptions;

  constructor(options: ActivityOptions, restored?: ActivityState) {
    this.#options = options;
    this.state = structuredClone(restored) ?? {
      mode: 'quiet',
      openedMs: 0,
      lastActiveMs: 0,
      segmentMs: Number.NaN,
      settledMs: 0,
      segment: [],
      recent: [],
      before: [],
      keyframes: [],
      clip: [],
      settled: [],
      baseline: undefined,
      dark: false,
      last: undefined,
      frameBytes: 1,
      thinnedFrames: 0,
    };
  }

  /** One while something moves, or has moved until a moment ago. */
  get openWindows(): number {
    return this.state.mode === 'active' ? 1 : 0;
  }

  kept(): ReadonlySet<number> {
    return new Set(this.#wholes().map(({ index }) => index));
  }

  keptSmall(): ReadonlySet<number> {
    return new Set(this.state.clip.map(({ ref }) => ref.index));
  }

  keptPositions(): Position[] {
    return [...this.#wholes(), ...this.state.clip.map(({ ref }) => ref.position)];
  }

  #wholes(): Position[] {
    const { recent, before, keyframes, baseline } = this.state;
    const alone = before.filter(({ ref }) => ref.index !== baseline?.ref.index);
    return [...recent, ...alone, ...keyframes.map((k) => k.frame)].map(({ ref }) => ref.position);
  }

  baseline(): SequenceFrame | undefined {
    return this.state.baseline;
  }

  push(input: WindowInput): ClosedWindow[] {
    switch (input.type) {
      case 'frame':
        return this.#frame(input, measured(input));
      case 'tick':
        return this.#passed(input.elapsedMs);
      case 'pause':
        return this.#pause();
      case 'lost':
        return this.#lose(input.frames);
      case 'end':
        return this.#end();
    }
  }

  #frame({ ref, bytes, smallBytes }: FrameInput, evidence: FrameEvidence): ClosedWindow[] {
    const { state } = this;
    const nowMs = ref.elapsedMs;
    const closed: ClosedWindow[] = [];
    if (state.last !== undefined && (state.last.width !== ref.width || state.last.height !== ref.height)) {
      closed.push(...this.#end());
      this.#forget();
    }
    if (Number.isNaN(state.segmentMs)) {
      state.segmentMs = nowMs;
      state.settledMs = nowMs;
    }
    state.frameBytes = bytes;
    if (evidence.motion === 'unseen') return [...closed, ...this.#unseen(ref, evidence)];
    if (evidence.motion === 'active') {
      if (state.mode === 'quiet') {
        closed.push(...this.#closeQuiet());
        state.mode = 'active';
        state.openedMs = nowMs;
        state.segmentMs = nowMs;
        // The scene from before the dark is the one to compare with; what was seen since may show a change already.
        const scene = state.dark && state.baseline !== undefined ? [state.baseline] : state.recent;
        state.before = scene.map((frame) => ({ ...frame, role: 'before' }));
        state.recent = [];
        state.dark = false;
      }
      state.lastActiveMs = nowMs;
    }
    const frame: SequenceFrame = { ref, evidence };
    state.last = ref;
    state.segment.push(frame);
    state.settled.push(...evidence.settled);
    this.#keepRecent(frame);
    if (state.mode === 'active') {
      const room = this.#room().during;
      const { keyframes, thinned } = chooseKeyframe(state.keyframes, frame, evidence.tracks, room);
      state.keyframes = keyframes;
      state.thinnedFrames += thinned;
      if (smallBytes !== undefined) {
        state.clip = withClipFrame(state.clip, { ref, bytes: smallBytes }, this.#options.maxBytes * CLIP_SHARE);
      }
    }
    closed.push(...this.#passed(nowMs));
    return closed;
  }

  /** The picture does not show the scene: as where pictures are missing, but what is told of this one belongs to its time. */
  #unseen(ref: FrameRef, evidence: FrameEvidence): ClosedWindow[] {
    const { state } = this;
    const closed = state.mode === 'active' || state.recent.length > 0 ? this.#pause() : [];
    if (Number.isNaN(state.segmentMs)) state.segmentMs = ref.elapsedMs;
    // The scene rests, at the soonest, from the next frame on.
    state.settledMs = ref.elapsedMs;
    state.last = ref;
    state.segment.push({ ref, evidence });
    if (ref.elapsedMs - state.segmentMs >= this.#options.quietMs) closed.push(...this.#closeQuiet());
    return closed;
  }

  /** Closes what time alone closes. */
  #passed(nowMs: number): ClosedWindow[] {
    const { state } = this;
    const { postRollMs, maxMs, partMs, quietMs } = this.#options;
    if (state.mode === 'active') {
      if (nowMs - state.lastActiveMs >= postRollMs) return this.#closeActive(false);
      if (nowMs - state.openedMs >= maxMs) return this.#closeActive(true);
      if (nowMs - state.segmentMs >= partMs) return this.#closePart();
      return [];
    }
    if (state.segment.length === 0) return [];
    const settledEveryMs = state.dark ? postRollMs : this.#options.settledEveryMs;
    const isShown = state.baseline !== undefined && state.recent.length > 0;
    if (isShown && nowMs - state.settledMs >= settledEveryMs) return this.#closeSettled();
    if (nowMs - state.segmentMs >= quietMs) return this.#closeQuiet();
    return [];
  }

  #end(): ClosedWindow[] {
    if (this.state.mode === 'active') return this.#closeActive(false);
    const slow = this.state.baseline !== undefined && this.state.segment.length > 0;
    return slow ? this.#closeSettled() : this.#closeQuiet();
  }

  /** Nothing comes for a while: nothing is left open, and no picture but the baseline is needed. */
  #pause(): ClosedWindow[] {
    const { state } = this;
    const closed = this.#end();
    state.segmentMs = Number.NaN;
    state.recent = [];
    state.dark = state.baseline !== undefined;
    return closed;
  }

  /** An activity whose scene before is lost is held against the baseline. */
  #lose(frames: ReadonlySet<number>): ClosedWindow[] {
    const { state } = this;
    const left = (frame: Pick<SequenceFrame, 'ref'>) => !frames.has(frame.ref.index);
    const before = state.before.filter(left);
    if (before.length === 0 && state.before.length > 0 && state.baseline) {
      before.push({ ...state.baseline, role: 'before' });
    }
    state.before = before;
    state.recent = state.recent.filter(left);
    state.keyframes = state.keyframes.filter(({ frame }) => left(frame));
    state.clip = state.clip.filter(left);
    return [];
  }

  /** Pictures of another size cannot be held against those so far: the scene begins anew. */
  #forget(): void {
    const { state } = this;
    state.mode = 'quiet';
    state.segmentMs = Number.NaN;
    state.recent = [];
    state.before = [];
    state.keyframes = [];
    state.clip = [];
    state.baseline = undefined;
    state.dark = false;
  }

  /** How many frames with pixels each purpose may hold within `maxBytes`. */
  #room(): { side: number; during: number } {
    const frames = Math.floor(this.#options.maxBytes / this.state.frameBytes);
    const side = Math.max(1, Math.min(SIDE_FRAMES, Math.floor((frames - 2) / 3)));
    return { side, during: Math.max(1, Math.min(DURING_FRAMES, frames - 2 * side - 1)) };
  }

  #keepRecent(frame: SequenceFrame): void {
    const { state } = this;
    const { side } = this.#room();
    const spacingMs =
      (state.mode === 'active' ? this.#options.postRollMs : this.#options.preRollMs) / (SIDE_FRAMES + 1);
    const newest = state.recent.at(-1);
    if (newest !== undefined && frame.ref.elapsedMs - newest.ref.elapsedMs < spacingMs) return;
    state.recent = [...state.recent, frame].slice(-side);
  }

  #closeActive(goesOn: boolean): ClosedWindow[] {
    const { state } = this;
    // Where things move nothing is compared, so that a frame from before the rest would hide what came to rest there.
    const isBefore = new Set(state.before.map(({ ref }) => ref.index));
    const fresh = state.recent.filter(({ ref }) => !isBefore.has(ref.index));
    const rested = fresh.filter(({ ref }) => ref.elapsedMs > state.lastActiveMs);
    const shown = rested.length > 0 ? rested : fresh;
    const after: SequenceFrame[] = shown.map((frame) => ({ ...frame, role: 'after' }));
    // A part may have told every frame by now; what came to rest is told all the same.
    if (state.segment.length === 0 && after.length > 0 && state.last) state.segment = [{ ref: state.last }];
    const closed = this.#close('activity', [
      ...shownClip(state.clip, 'all'),
      ...state.before,
      ...this.#during(),
      ...after,
    ]);
    state.keyframes = [];
    state.settledMs = state.last?.elapsedMs ?? state.settledMs;
    state.baseline = state.recent.at(-1) ?? state.baseline;
    if (goesOn) {
      state.openedMs = state.settledMs;
      state.before = state.recent.map((frame) => ({ ...frame, role: 'before' }));
    } else {
      state.mode = 'quiet';
      state.before = [];
      state.clip = [];
    }
    return closed;
  }

  #closePart(): ClosedWindow[] {
    const closed = this.#close('part', [...shownClip(this.state.clip, 'latest'), ...this.#during()]);
    this.state.keyframes = [];
    return closed;
  }

  #closeSettled(): ClosedWindow[] {
    const { state } = this;
    const after: SequenceFrame[] = state.recent.map((frame) => ({ ...frame, role: 'after' }));
    const closed = this.#close('settled', after);
    state.dark = false;
    state.baseline = state.recent.at(-1) ?? state.baseline;
    state.settledMs = state.last?.elapsedMs ?? state.settledMs;
    return closed;
  }

  #closeQuiet(): ClosedWindow[] {
    const { state } = this;
    const nuisance = state.segment.some((frame) => (frame.evidence?.nuisances.length ?? 0) > 0);
    const closed = this.#close(nuisance ? 'condition' : 'checkpoint', []);
    // The first rest of a scene is what later scenes are held against.
    state.baseline ??= state.recent.at(-1);
    return closed;
  }

  #during(): SequenceFrame[] {
    return this.state.keyframes.map(({ frame }) => ({ ...frame, role: 'during' as const }));
  }

  /** Closes the segment with the pixels of `shown`; the state afterwards holds no frame of it but those kept. */
  #close(trigger: SequenceTrigger, shown: readonly SequenceFrame[]): ClosedWindow[] {
    const { state } = this;
    const [first] = state.segment;
    const last = state.segment.at(-1);
    if (first === undefined || last === undefined) return [];
    const frames = new Map<number, SequenceFrame>();
    for (const frame of trigger === 'checkpoint' ? [] : state.segment) frames.set(frame.ref.index, frame);
    for (const frame of shown) frames.set(frame.ref.index, { ...frames.get(frame.ref.index), ...frame });
    const closed: ClosedWindow = {
      trigger,
      first: pointOf(first.ref),
      last: pointOf(last.ref),
      frames: [...frames.values()].sort((a, b) => (isAfter(a.ref, b.ref) ? 1 : -1)),
      ...(state.baseline !== undefined && trigger === 'settled' && { baseline: state.baseline }),
      settled: trigger === 'part' ? [] : state.settled,
      thinnedFrames: state.thinnedFrames,
    };
    if (trigger !== 'part') state.settled = [];
    state.thinnedFrames = 0;
    state.segment = [];
    state.segmentMs = last.ref.elapsedMs;
    return [closed];
  }
}

type FrameInput = Extract<WindowInput, { type: 'frame' }>;

function measured({ ref, evidence }: FrameInput): FrameEvidence {
  if (evidence !== undefined) return evidence;
  throw new BlinkstreamError(`frame ${ref.index} of ${ref.source} came to an activity window without being measured`, {
    code: 'WINDOW_WITHOUT_GATE',
    class: 'user',
    stage: 'window',
    hint: 'put gate() before window(activity())',
  });
}
