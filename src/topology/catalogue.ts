import { trackerDefaults, type TrackerOptions } from '../changes/tracker.js';
import { gateDefaults, type GateOptions } from '../sequences/gate/options.js';
import { activityDefaults, type ActivityOptions } from '../sequences/windows/activity.js';
import { timedDefaults, type SlidingOptions, type TumblingOptions } from '../sequences/windows/timed.js';
import { wholeDefaults, type WholeOptions } from '../sequences/windows/whole.js';
import type { ReasonOperatorOptions } from './operators/reason.js';
import type { ReorderOptions } from './operators/reorder.js';
import { windowDefaults, type WindowOptions } from './operators/window.js';

/** One option of an operator. */
export interface OptionDescription {
  readonly name: string;
  readonly summary: string;
  /** `ms`, `bytes`, `text`, `deviations`. */
  readonly unit: string;
  /** Absent where it must be given. */
  readonly default?: number | string;
}

/** An operator as `docs/operators.md` tells it. */
export interface OperatorDescription {
  /** As it is called in a topology: `window(activity())`. */
  readonly name: string;
  readonly summary: string;
  readonly input: string;
  readonly output: string;
  readonly options: readonly OptionDescription[];
  readonly promises: {
    readonly order: string;
    /** What it holds on to, and what of it lives in the checkpoint. */
    readonly state: string;
    /** When it emits, and what holds it back. */
    readonly delivery: string;
    readonly drops: string;
  };
  /** A whole TypeScript module. */
  readonly example: string;
}

type About<Options> = { readonly [Name in keyof Required<Options>]: readonly [unit: string, summary: string] };

/** Describes every option of `Options`; the compiler refuses one that is left out. Defaults are those that are used. */
function describe<Options>(
  about: About<Options>,
  defaults?: Readonly<Partial<Record<keyof Options, number | string>>>,
): OptionDescription[] {
  return (Object.keys(about) as (keyof Options & string)[]).map((name) => {
    const [unit, summary] = about[name];
    const value = defaults?.[name];
    return { name, unit, summary, ...(value !== undefined && { default: value }) };
  });
}

/** Options of a kind of window, and of `window` itself, which are its second argument. */
const describeWindow = <Options>(...own: Parameters<typeof describe<Options>>): OptionDescription[] => [
  ...describe(...own),
  ...describe<WindowOptions>(
    {
      idleMs: [
        'ms',
        'of `window`, its second argument: a source that gives nothing for so long, by its ticks, lets go of its frames, ' +
          'and a checkpoint goes on behind them',
      ],
    },
    { ...windowDefaults },
  ),
];

/** Every operator of a topology, in the order in which frames meet them. */
export const catalogue: readonly OperatorDescription[] = [
  {
    name: 'frames(source)',
    summary: "Gives the frames of the pipeline's source.",
    input: 'Source',
    output: 'SourceItem',
    options: [],
    promises: {
      order: 'That of the source.',
      state: 'None of its own. A restart reads from the position in the last checkpoint.',
      delivery:
        'On demand: the next frame is read when the one before was handed on and the budget of bytes in flight has ' +
        'room. A frame is leased: its pixels are valid until the emission returns, unless an operator retains them. A live ' +
        'source gives a tick where time passes without a frame; let ticks through, windows close by them and gaps in the ' +
        'signal are told by them.',
      drops: 'Nothing. What a source cannot read stands in its report.',
    },
    example: `import { frames, isTick, type Source } from 'blinkstream';
import { filter } from 'rxjs';

/** Every second frame, and all ticks; what \`filter\` drops is covered by the next checkpoint. */
export const halfOf = (source: Source) =>
  frames(source).pipe(filter((item) => isTick(item) || item.ref.index % 2 === 0));`,
  },
  {
    name: 'reorder(options)',
    summary: 'Brings frames into the order of their event time, within a bound.',
    input: 'SourceItem',
    output: 'SourceItem',
    options: describe<ReorderOptions>({
      allowedLatenessMs: ['ms', 'how far behind the latest event time a frame may come; 0 where a source is in order'],
    }),
    promises: {
      order:
        'By event time; frames of equal time by index, ticks after them. Inside the bound, order of arrival changes nothing.',
      state:
        'Holds the leases of the frames that wait. A checkpoint seeks back to the earliest of them, and holds the count of late ones.',
      delivery: 'A frame is emitted once the latest event time is `allowedLatenessMs` past its own.',
      drops:
        'Frames that come later than the bound: they go to the late output with their coordinates, and are counted.',
    },
    example: `import { frames, reorder, type Source } from 'blinkstream';

export const inOrder = (source: Source) => frames(source).pipe(reorder({ allowedLatenessMs: 2_000 }));`,
  },
  {
    name: 'gate(options)',
    summary: 'Measures each frame cheaply: what moves, what has come to rest, and what only disturbs the picture.',
    input: 'SourceItem',
    output: 'GatedItem',
    options: describe<GateOptions>(
      {
        settleMs: ['ms', 'what has rested this long belongs to the scene'],
        deviations: ['deviations', 'how far beyond the measured noise a cell must be to differ'],
      },
      { ...gateDefaults },
    ),
    promises: {
      order: 'That of its input.',
      state: 'The settled scene, light, noise, tracks and overlays as measured so far; all of it in the checkpoint.',
      delivery:
        'One frame out for one frame in, at once; frames that come encoded are decoded for it. Ticks pass in their place. ' +
        'What is another after a gap is left to the comparison of scenes: it was not seen to move.',
      drops:
        'Nothing. What a run before this one gated is not given again: its pixels go straight to the window, so that a `filter` in between may look at evidence without care.',
    },
    example: `import { frames, gate, type Source } from 'blinkstream';

export const measured = (source: Source) => frames(source).pipe(gate({ settleMs: 1_000 }));`,
  },
  {
    name: 'window(activity(options))',
    summary:
      'Groups frames into spans in which something moves, with the scene before and after; stretches without movement ' +
      'become sequences too, so that conditions are told and slow change is found.',
    input: 'GatedItem',
    output: 'FrameSequence',
    options: describeWindow<ActivityOptions>(
      {
        preRollMs: ['ms', 'scene that is kept from before the activity'],
        postRollMs: ['ms', 'nothing may move for this long before the window closes'],
        partMs: ['ms', 'an activity that goes on is told this often, so that the first word does not wait for its end'],
        maxMs: ['ms', 'after this long the scene is compared although it has not come to rest'],
        quietMs: ['ms', 'a quiet scene gives a sequence this often: its conditions, or only a checkpoint'],
        settledEveryMs: ['ms', 'a quiet scene is held against itself as last settled this often'],
        maxBytes: ['bytes', 'pixels that the window may hold'],
      },
      { ...activityDefaults },
    ),
    promises: {
      order: 'By event time; every frame belongs to exactly one sequence.',
      state:
        'Frames of the open window and the settled scene. Their positions, not their pixels, are in the checkpoint.',
      delivery:
        'A sequence is emitted when it closes, with the state of everything upstream of it. Time comes with frames and ' +
        'ticks: no clock is read. A gap in the signal closes what is open and is a sequence of its own, when it is noticed ' +
        'and when it is over; the scene after it is held against the scene before.',
      drops:
        'Pixels only: of the frames of an activity those that show most are kept, and the rest keeps its measurements. ' +
        'What is given up because the budget is spent is counted in `thinnedFrames`.',
    },
    example: `import { activity, frames, gate, window, type Source } from 'blinkstream';

export const activities = (source: Source) =>
  frames(source).pipe(gate(), window(activity({ postRollMs: 2_000, maxMs: 60_000 })));`,
  },
  {
    name: 'window(whole(options))',
    summary: 'Groups everything that a source gives into one sequence, closed at its end.',
    input: 'SourceItem or GatedItem',
    output: 'FrameSequence',
    options: describeWindow<WholeOptions>(
      { maxBytes: ['bytes', 'pixels or originals that the window may hold'] },
      { ...wholeDefaults },
    ),
    promises: {
      order: 'By event time.',
      state: 'All frames seen, with pixels as far as `maxBytes` goes.',
      delivery: 'One sequence, when the source ends; gaps in the signal before it.',
      drops: 'Pixels only, evenly spaced and counted in `thinnedFrames`; the first frame keeps its own.',
    },
    example: `import { frames, gate, whole, window, type Source } from 'blinkstream';

export const everything = (source: Source) => frames(source).pipe(gate(), window(whole({ maxBytes: 64 * 2 ** 20 })));`,
  },
  {
    name: 'window(pair())',
    summary: 'Two frames of one scene, however far apart: the first that a source gives against the last.',
    input: 'SourceItem or GatedItem',
    output: 'FrameSequence',
    options: describeWindow({}),
    promises: {
      order: 'By event time.',
      state: 'The two frames.',
      delivery: 'One sequence, when the source ends; none where it gave fewer than two frames.',
      drops: 'Every frame between the two.',
    },
    example: `import { frames, pair, reason, window, type Source } from 'blinkstream';

export const compared = (source: Source) =>
  frames(source).pipe(window(pair()), reason({ question: 'What differs between these two pictures?' }));`,
  },
  {
    name: 'window(screenshotPairs())',
    summary: 'Each two frames that follow each other: two screenshots of one place, which are compared as interfaces.',
    input: 'SourceItem or GatedItem',
    output: 'FrameSequence',
    options: describeWindow({}),
    promises: {
      order: 'That of its input.',
      state: 'The first frame of a pair.',
      delivery: 'One sequence a pair, when its second frame comes.',
      drops: 'A last frame without its like.',
    },
    example: `import { frames, reason, screenshotPairs, window, type ScreenshotSource } from 'blinkstream';

export const compared = (source: ScreenshotSource) =>
  frames(source).pipe(window(screenshotPairs()), reason({ question: 'What differs between these two screenshots?' }));`,
  },
  {
    name: 'window(tumbling(options))',
    summary: 'Groups frames into windows of event time, one after the other, with a gate before them or without.',
    input: 'SourceItem or GatedItem',
    output: 'FrameSequence',
    options: describeWindow<TumblingOptions>(
      {
        sizeMs: ['ms', 'length of a window; they begin at multiples of it since the epoch'],
        maxBytes: ['bytes', 'pixels or originals that the open windows may hold together'],
      },
      { ...timedDefaults },
    ),
    promises: {
      order: 'By event time, which frames must come in; every frame belongs to exactly one sequence.',
      state: 'Frames of the open window. Positions of those with pixels, not the pixels, are in the checkpoint.',
      delivery:
        'A sequence is emitted when time has reached the end of its window, by a frame or a tick, or with the end of the ' +
        'source. Boundaries are the same after a crash, and everywhere. A window without frames is not told.',
      drops: 'Pixels only, of frames that are closest to their neighbours in time; counted in `thinnedFrames`.',
    },
    example: `import { frames, reorder, tumbling, window, type Source } from 'blinkstream';

/** A sequence a minute, without looking at any frame. */
export const minutes = (source: Source) =>
  frames(source).pipe(reorder({ allowedLatenessMs: 2_000 }), window(tumbling({ sizeMs: 60_000 })));`,
  },
  {
    name: 'window(sliding(options))',
    summary: 'Groups frames into windows of event time that overlap.',
    input: 'SourceItem or GatedItem',
    output: 'FrameSequence',
    options: describeWindow<SlidingOptions>(
      {
        sizeMs: ['ms', 'length of a window'],
        everyMs: ['ms', 'a window begins at every multiple of this since the epoch; at most `sizeMs`'],
        maxBytes: ['bytes', 'pixels or originals that the open windows may hold together'],
      },
      { ...timedDefaults },
    ),
    promises: {
      order: 'By event time, which frames must come in; every frame belongs to all windows that are open at its time.',
      state: 'Frames of the open windows, each once. Positions of those with pixels are in the checkpoint.',
      delivery: 'As `tumbling`.',
      drops: 'As `tumbling`.',
    },
    example: `import { frames, gate, sliding, window, type Source } from 'blinkstream';

export const lastTenSeconds = (source: Source) =>
  frames(source).pipe(gate(), window(sliding({ sizeMs: 10_000, everyMs: 2_000 })));`,
  },
  {
    name: 'reason(options)',
    summary: 'Has workers turn each sequence into findings: gather evidence, describe it, verify every claim.',
    input: 'FrameSequence',
    output: 'ReasonedSequence',
    options: describe<ReasonOperatorOptions>(
      {
        question: ['text', 'what is asked about each sequence; reasoners that are models read it'],
        reasoner: ['text', 'who describes what was measured'],
      },
      { reasoner: 'measured' },
    ),
    promises: {
      order: 'That of its input, although workers work in parallel.',
      state:
        'Holds the leases of the sequences that workers have not answered. In the checkpoint is only the count of those they failed on.',
      delivery:
        'As many sequences at a time as the workers take; a worker that fails costs one retry, on another where there ' +
        'is one. A gap becomes the condition `SIGNAL_GAP` without one.',
      drops:
        'A sequence that two workers failed on, or ten were killed with: it goes to the dead-letter output with its coordinates, is counted, and ' +
        'its checkpoint goes on. Claims that the measurements contradict are counted and not published.',
    },
    example: `import { activity, frames, gate, reason, window, type Source } from 'blinkstream';

export const findings = (source: Source) =>
  frames(source).pipe(gate(), window(activity()), reason({ question: 'What changed on this shelf?' }));`,
  },
  {
    name: 'track(options)',
    summary: 'Gives findings identity over time, and makes the steps that the runtime commits.',
    input: 'ReasonedSequence',
    output: 'Step',
    options: describe<Omit<TrackerOptions, 'topology' | 'source' | 'schedule'>>(
      {
        activityEndsAfterMs: ['ms', 'an activity that is not seen for this long has ended'],
        conditionEndsAfterMs: ['ms', 'a condition that is not measured for this long has ended'],
      },
      trackerDefaults,
    ),
    promises: {
      order: 'That of its input; the revisions of a change follow each other.',
      state: 'Changes that may still be told again, and the next ordinal for change ids; all of it in the checkpoint.',
      delivery: 'One step a sequence, and one at the end of the source, which ends what still goes on.',
      drops:
        'Changes that lie outside of the hours of a source with a schedule: they are counted. A reversal ends its change ' +
        'instead of being another one.',
    },
    example: `import { activity, frames, gate, reason, topology, track, window, type Source } from 'blinkstream';

export default topology('shelf', ({ source }: { readonly source: Source }) =>
  frames(source).pipe(
    gate(),
    window(activity()),
    reason({ question: 'What changed on this shelf?' }),
    track({ activityEndsAfterMs: 5_000 }),
  ),
);`,
  },
  {
    name: 'group(source)',
    summary: 'Tells each change once, however many screenshots show it, and makes the step that the runtime commits.',
    input: 'ReasonedSequence',
    output: 'Step',
    options: [],
    promises: {
      order: 'That of the screenshots which show a change first; those without a counterpart come before.',
      state: 'All findings with their pictures; nothing in the checkpoint: a run that was stopped begins anew.',
      delivery: 'One step, at the end of the source.',
      drops: 'Nothing.',
    },
    example: `import { frames, group, reason, screenshotPairs, topology, window, type ScreenshotSource } from 'blinkstream';

export default topology('release', ({ source }: { readonly source: ScreenshotSource }) =>
  frames(source).pipe(
    window(screenshotPairs()),
    reason({ question: 'What differs between these two screenshots?' }),
    group(source),
  ),
);`,
  },
];
