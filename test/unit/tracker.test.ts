import { serialize } from 'node:v8';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Tracker, type TrackerState } from '../../src/changes/tracker.js';
import { Schedule, type ChangeEvent, type Finding, type FramePoint, type Region } from '../../src/records/index.js';
import { activityOf, at, conditionOf, during, findingOf, somewhere } from '../support/findings.js';

const open = (state?: TrackerState) => new Tracker({ topology: 'test', source: 'cam 1/a' }, state);
let ordinal = 0;
const push = (tracker: Tracker, lastFrame: number, ...findings: Finding[]): ChangeEvent[] =>
  tracker.push({ findings, last: at(lastFrame), sequenceOrdinal: ordinal++, reasoner: 'fake' });
const steps = (events: readonly ChangeEvent[]) =>
  events.map(({ kind, phase, revision }) => `${kind} ${phase} ${revision}`);

const elsewhere: Region = { x: 100, y: 80, width: 30, height: 20 };

describe('tracker: activities', () => {
  it('go on from sequence to sequence by their track, and end when it says so', () => {
    const tracker = open();
    expect(steps(push(tracker, 20, activityOf(1, 10, 20)))).toEqual(['ACTIVITY STARTED 1']);
    expect(push(tracker, 40, activityOf(1, 20, 40))).toEqual([]);
    const [end, ...further] = push(tracker, 60, activityOf(1, 40, 55, { ongoing: false }));
    expect(further).toEqual([]);
    expect(steps([end])).toEqual(['ACTIVITY ENDED 2']);
    expect(end.interval).toEqual(during(10, 55));
    expect(end.path!.map(({ x }) => x)).toEqual([10, 20, 40]);
    expect(end.measures).toContainEqual({ name: 'duration', unit: 's', after: 1.8 });
  });

  it('of two tracks are two, however near', () => {
    const tracker = open();
    const events = push(tracker, 20, activityOf(1, 10, 20), activityOf(2, 10, 20));
    expect(new Set(events.map(({ changeId }) => changeId)).size).toBe(2);
    const ended = push(tracker, 30, activityOf(2, 20, 30, { ongoing: false }));
    expect(ended.map(({ changeId }) => changeId)).toEqual([events[1].changeId]);
  });

  it('are over in one step where they end in the sequence that shows them first', () => {
    expect(steps(push(open(), 30, activityOf(1, 10, 20, { ongoing: false })))).toEqual(['ACTIVITY ENDED 1']);
  });

  it('end by time-out in event time, with the interval in which they were seen', () => {
    const tracker = open();
    push(tracker, 20, activityOf(1, 10, 20));
    expect(push(tracker, 20 + 50)).toEqual([]);
    const [end] = push(tracker, 20 + 51);
    expect(steps([end])).toEqual(['ACTIVITY ENDED 2']);
    expect(end.interval).toEqual(during(10, 20));
    expect(push(tracker, 200)).toEqual([]);
  });

  it('are told again once a name is found, and keep the surest', () => {
    const tracker = open();
    const unnamed = { label: 'object', description: 'something', confidence: 0 };
    const car = { label: 'car', description: 'a car', confidence: 0.8 };
    const dog = { label: 'dog', description: 'a dog', confidence: 0.4 };
    push(tracker, 20, activityOf(1, 10, 20, { subject: unnamed }));
    expect(steps(push(tracker, 30, activityOf(1, 20, 30, { subject: car })))).toEqual(['ACTIVITY UPDATED 2']);
    expect(push(tracker, 40, activityOf(1, 30, 40, { subject: dog }))).toEqual([]);
    const [end] = tracker.end();
    expect(end).toMatchObject({ phase: 'ENDED', revision: 3, subject: car });
  });

  it('that never end have a path of bounded length', () => {
    const tracker = open();
    for (let i = 1; i < 500; i++) push(tracker, i, activityOf(1, i, i));
    const [end] = tracker.end();
    expect(end.path!.length).toBeLessThanOrEqual(80);
    expect(end.path!.at(-1)!.x).toBe(499);
    expect(end.path![0].x).toBe(1);
  });
});

describe('tracker: conditions', () => {
  it('of one cause are one, over pauses shorter than their time-out, with the widest range measured', () => {
    const tracker = open();
    const measured = (after: number) => [{ name: 'gain', unit: '', before: 1, after }];
    expect(steps(push(tracker, 20, conditionOf(10, 20, { measures: measured(1.2) })))).toEqual(['CONDITION STARTED 1']);
    expect(push(tracker, 100, conditionOf(90, 100, { measures: measured(1.5) }))).toEqual([]);
    expect(push(tracker, 200, conditionOf(190, 200, { measures: measured(1.1) }))).toEqual([]);
    const [end] = push(tracker, 400);
    expect(end).toMatchObject({ phase: 'ENDED', revision: 2, condition: 'LIGHTING', interval: during(10, 200) });
    expect(end.measures[0].after).toBe(1.5);
  });

  it('of several causes stay apart', () => {
    const events = push(open(), 20, conditionOf(10, 20), conditionOf(10, 20, { condition: 'NOISE' }));
    expect(events.map(({ condition }) => condition)).toEqual(['LIGHTING', 'NOISE']);
  });
});

describe('tracker: lasting changes', () => {
  const gone = (first: number, last: number, part: Partial<Finding> = {}) =>
    findingOf({ kind: 'DISAPPEARED', interval: during(first, last), ...part });
  const came = (first: number, last: number, part: Partial<Finding> = {}) =>
    findingOf({ kind: 'APPEARED', interval: during(first, last), ...part });

  it.each([
    ['is back', gone, came],
    ['is gone again', came, gone],
  ])('are ended by their reversal, which says that it %s', (words, first, second) => {
    const tracker = open();
    const [started] = push(tracker, 20, first(10, 20));
    const [ended, ...further] = push(tracker, 120, second(110, 120));
    expect(further).toEqual([]);
    expect(ended).toMatchObject({ changeId: started.changeId, phase: 'ENDED', revision: 2, interval: during(10, 120) });
    expect(ended.kind).toBe(started.kind);
    expect(ended.statement).toContain(words);
    expect(ended.statement).toContain('4.0 s');
    expect(tracker.state.open).toEqual([]);
  });

  it('are not ended by something elsewhere, of another name or another look', () => {
    const x = [1, 0];
    for (const [before, after] of [
      [{}, { after: { region: elsewhere } }],
      [{}, { subject: { label: 'car', description: 'a car', confidence: 0.9 } }],
      [{ identity: { embedding: x } }, { identity: { embedding: [0, 1] } }],
    ]) {
      const tracker = open();
      push(tracker, 20, gone(10, 20, before));
      expect(steps(push(tracker, 120, came(110, 120, after)))).toEqual(['APPEARED STARTED 1']);
    }
  });

  it('told twice are one', () => {
    const tracker = open();
    expect(push(tracker, 20, came(10, 20), came(12, 22))).toHaveLength(1);
    expect(push(tracker, 40, came(15, 30))).toEqual([]);
    expect(tracker.state.open).toHaveLength(1);
  });

  it('of the same place much later are changes of their own', () => {
    const tracker = open();
    push(tracker, 20, came(10, 20));
    expect(steps(push(tracker, 400, came(390, 400)))).toEqual(['APPEARED STARTED 1']);
  });

  it('end the latest that they reverse', () => {
    const tracker = open();
    push(tracker, 20, came(10, 20));
    const [second] = push(tracker, 400, came(390, 400));
    expect(push(tracker, 500, gone(490, 500)).map(({ changeId }) => changeId)).toEqual([second.changeId]);
  });

  it('of words end when the words are as before', () => {
    const tracker = open();
    const text = (before: string, after: string, first: number) =>
      findingOf({
        kind: 'TEXT_CHANGED',
        before: { region: somewhere, text: before },
        after: { region: somewhere, text: after },
        interval: during(first, first + 5),
      });
    push(tracker, 20, text('OPEN', 'CLOSED', 10));
    const [ended] = push(tracker, 200, text('CLOSED', 'OPEN', 190));
    expect(ended).toMatchObject({ phase: 'ENDED', after: { text: 'OPEN' } });
    expect(ended.statement).toContain('"OPEN" again');
  });

  it('of place end when the thing is back in it', () => {
    const tracker = open();
    const near = { ...somewhere, x: somewhere.x + 10 };
    const moved = (from: Region, to: Region, first: number) =>
      findingOf({ kind: 'MOVED', before: { region: from }, after: { region: to }, interval: during(first, first + 5) });
    push(tracker, 20, moved(somewhere, near, 10));
    const [ended] = push(tracker, 200, moved(near, somewhere, 190));
    expect(ended).toMatchObject({ kind: 'MOVED', phase: 'ENDED', revision: 2 });
  });

  it('stay open at the end of the source, which ends what passes', () => {
    const tracker = open();
    push(tracker, 20, came(10, 20), activityOf(1, 10, 20), conditionOf(10, 20));
    expect(steps(tracker.end())).toEqual(['ACTIVITY ENDED 2', 'CONDITION ENDED 2']);
    expect(tracker.state.open.map(({ finding }) => finding.kind)).toEqual(['APPEARED']);
    expect(tracker.end()).toEqual([]);
  });
});

describe('tracker: bounds', () => {
  const far = (i: number): Region => ({ x: i * 100, y: 0, width: 10, height: 10 });

  it('forgets the oldest lasting changes beyond a thousand', () => {
    const tracker = open();
    for (let i = 0; i < 1_010; i++) push(tracker, 20, findingOf({ after: { region: far(i) } }));
    expect(tracker.state.open).toHaveLength(1_000);
    expect(tracker.state.open[0].finding.after!.region).toEqual(far(10));
  });

  it('never forgets what passes: each of many activities ends once', () => {
    const tracker = open();
    const events: ChangeEvent[] = [];
    events.push(...push(tracker, 20, ...Array.from({ length: 1_005 }, (_, i) => activityOf(i, 10, 20))));
    events.push(...push(tracker, 30, findingOf()));
    events.push(...tracker.end());
    const ended = events.filter(({ phase }) => phase === 'ENDED').map(({ changeId }) => changeId);
    expect(new Set(ended).size).toBe(1_005);
    expect(ended).toHaveLength(1_005);
    expect(tracker.state.open.map(({ finding }) => finding.kind)).toEqual(['APPEARED']);
  });
});

/** Random findings of few places, tracks and causes, so that they meet. */
const lives = () =>
  fc.array(
    fc.record({
      gap: fc.integer({ min: 1, max: 60 }),
      findings: fc.array(
        fc.oneof(
          fc.record({
            type: fc.constant('activity' as const),
            id: fc.nat(3),
            ongoing: fc.boolean(),
            named: fc.boolean(),
          }),
          fc.record({
            type: fc.constant('condition' as const),
            cause: fc.constantFrom('LIGHTING' as const, 'NOISE' as const),
          }),
          fc.record({
            type: fc.constant('lasting' as const),
            kind: fc.constantFrom('APPEARED' as const, 'DISAPPEARED' as const),
            place: fc.nat(2),
          }),
        ),
        { maxLength: 4 },
      ),
    }),
    { maxLength: 25 },
  );
type Life = ReturnType<typeof lives> extends fc.Arbitrary<infer T> ? T : never;

function* inputsOf(life: Life) {
  let frame = 0;
  for (const [sequenceOrdinal, { gap, findings }] of life.entries()) {
    const first = frame;
    frame += gap;
    const made = findings.map((one): Finding => {
      if (one.type === 'condition') return conditionOf(first, frame, { condition: one.cause });
      if (one.type === 'activity') {
        const subject = { label: one.named ? 'car' : 'object', description: 'it', confidence: one.named ? 0.7 : 0 };
        return activityOf(one.id, first, frame, { ongoing: one.ongoing, subject });
      }
      const region = { ...somewhere, x: one.place * 60 };
      return findingOf({
        kind: one.kind,
        interval: during(first, frame),
        [one.kind === 'APPEARED' ? 'after' : 'before']: { region },
      });
    });
    yield { findings: made, last: at(frame), sequenceOrdinal, reasoner: 'fake' };
  }
}

describe('tracker: whatever is found', () => {
  it('ids and revisions have no gap, every change starts, or ends at once, and ends at most once', () => {
    fc.assert(
      fc.property(lives(), (life) => {
        const tracker = open();
        const events = [...inputsOf(life)].flatMap((input) => tracker.push(input));
        events.push(...tracker.end());
        const changes = new Map<string, ChangeEvent[]>();
        for (const event of events) changes.set(event.changeId, [...(changes.get(event.changeId) ?? []), event]);
        expect([...changes.keys()]).toEqual([...changes].map((_, i) => `test/cam%201%2Fa/${i + 1}`));
        for (const [changeId, own] of changes) {
          expect(own.map(({ revision }) => revision)).toEqual(own.map((_, i) => i + 1));
          expect(own.map(({ eventId }) => eventId)).toEqual(own.map((_, i) => `${changeId}/${i + 1}`));
          expect(own.findIndex(({ phase }) => phase === 'ENDED')).toBeOneOf([-1, own.length - 1]);
          expect(own[0].phase).toBeOneOf(own.length === 1 ? ['STARTED', 'ENDED'] : ['STARTED']);
          for (const { phase } of own.slice(1, -1)) expect(phase).toBe('UPDATED');
          expect(new Set(own.map(({ kind }) => kind)).size).toBe(1);
          for (const { interval } of own) expect(interval.last.frame).toBeGreaterThanOrEqual(interval.first.frame);
        }
        const stillOpen = new Set(tracker.state.open.map(({ changeId }) => changeId));
        for (const [changeId, own] of changes) expect(stillOpen.has(changeId)).toBe(own.at(-1)!.phase !== 'ENDED');
      }),
    );
  });

  it('keeps looks in a byte a value, and knows a thing by them all the same', () => {
    const look = Array.from({ length: 1_792 }, (_, i) => Math.sin(i) / 30);
    const other = look.map((value, i) => (i % 2 === 0 ? value : -value));
    const of = (kind: 'APPEARED' | 'DISAPPEARED', embedding: number[]) =>
      findingOf({
        kind,
        ...(kind === 'APPEARED' ? { after: { region: somewhere } } : { before: { region: somewhere } }),
        identity: { embedding },
      });
    const tracker = open();
    push(tracker, 10, of('DISAPPEARED', look));
    expect(serialize(tracker.state).byteLength).toBeLessThan(3_000);
    expect(steps(push(tracker, 500, of('APPEARED', other)))).toEqual(['APPEARED STARTED 1']);
    expect(steps(push(tracker, 900, { ...of('APPEARED', look), interval: during(800, 810) }))).toEqual([
      'DISAPPEARED ENDED 2',
    ]);
  });

  it('a snapshot stays as it was, and shares the findings', () => {
    fc.assert(
      fc.property(lives(), fc.nat(), (life, where) => {
        const inputs = [...inputsOf(life)];
        const stop = where % (inputs.length + 1);
        const tracker = open();
        for (const input of inputs.slice(0, stop)) tracker.push(input);
        const snapshot = tracker.snapshot();
        const untouched = structuredClone(snapshot);
        expect(snapshot).toEqual(tracker.state);
        for (const [i, { finding }] of snapshot.open.entries()) expect(finding).toBe(tracker.state.open[i].finding);
        for (const input of inputs.slice(stop)) tracker.push(input);
        tracker.end();
        expect(snapshot).toEqual(untouched);
      }),
    );
  });

  it('the state after any push is enough to go on with the same events, and is not touched', () => {
    fc.assert(
      fc.property(lives(), fc.nat(), (life, where) => {
        const inputs = [...inputsOf(life)];
        const stop = where % (inputs.length + 1);
        const first = open();
        for (const input of inputs.slice(0, stop)) first.push(input);
        const state = structuredClone(first.state);
        const untouched = structuredClone(state);
        const rest = (tracker: Tracker) => [
          ...inputs.slice(stop).flatMap((input) => tracker.push(input)),
          ...tracker.end(),
        ];
        expect(rest(open(state))).toEqual(rest(first));
        expect(state).toEqual(untouched);
      }),
    );
  });
});

describe('tracker: hours in which changes are told', () => {
  const hours = Schedule.parse('12:00-13:00', 'UTC');
  const opened = (state?: TrackerState) => new Tracker({ topology: 'test', source: 'cam', schedule: hours }, state);
  /** Moment at so many minutes after 11:00. */
  const minute = (after: number): FramePoint => ({
    frame: after,
    timeMs: Date.UTC(2026, 5, 3, 11, after),
    elapsedMs: after * 60_000,
  });
  const from = (first: number, last: number) => ({ interval: { first: minute(first), last: minute(last) } });
  const pushAt = (tracker: Tracker, last: number, ...findings: Finding[]): string[] =>
    steps(tracker.push({ findings, last: minute(last), sequenceOrdinal: ordinal++, reasoner: 'fake' }));

  it('holds back what begins and ends outside of them, and counts it', () => {
    const tracker = opened();
    expect(pushAt(tracker, 10, findingOf(from(9, 10)), activityOf(1, 0, 0, from(9, 10)))).toEqual([]);
    expect(tracker.state.heldBack).toBe(0);
    expect(pushAt(tracker, 20, findingOf({ kind: 'DISAPPEARED', ...from(19, 20) }))).toEqual([]);
    expect(tracker.state.heldBack).toBe(2);
    expect(tracker.state.open).toEqual([]);
  });

  it('tells what came before and is still there when they begin, and what begins in them', () => {
    const tracker = opened();
    pushAt(tracker, 10, findingOf(from(9, 10)));
    expect(pushAt(tracker, 59)).toEqual([]);
    expect(pushAt(tracker, 60)).toEqual(['APPEARED STARTED 1']);
    expect(pushAt(tracker, 61)).toEqual([]);
    expect(pushAt(tracker, 62, activityOf(1, 0, 0, from(61, 62)))).toEqual(['ACTIVITY STARTED 1']);
    expect(tracker.state.heldBack).toBe(0);
  });

  it('tells what reaches into them, once', () => {
    const tracker = opened();
    expect(pushAt(tracker, 59, activityOf(1, 0, 0, from(58, 59)))).toEqual([]);
    expect(pushAt(tracker, 60, activityOf(1, 0, 0, from(59, 60)))).toEqual(['ACTIVITY STARTED 1']);
    expect(pushAt(tracker, 61, activityOf(1, 0, 0, { ...from(60, 61), ongoing: false }))).toEqual(['ACTIVITY ENDED 2']);
    expect(pushAt(opened(), 61, activityOf(2, 0, 0, { ...from(58, 61), ongoing: false }))).toEqual([
      'ACTIVITY ENDED 1',
    ]);
  });

  it('tells what was told to its end, whenever that is', () => {
    const tracker = opened();
    expect(pushAt(tracker, 70, findingOf(from(69, 70)))).toEqual(['APPEARED STARTED 1']);
    expect(pushAt(tracker, 200, findingOf({ kind: 'DISAPPEARED', ...from(199, 200) }))).toEqual(['APPEARED ENDED 2']);
    expect(tracker.state.heldBack).toBe(0);
  });

  it('counts at the end of the source what was never told', () => {
    const tracker = opened();
    pushAt(tracker, 10, findingOf(from(9, 10)), conditionOf(0, 0, from(9, 10)));
    expect(tracker.end()).toEqual([]);
    expect(tracker.state.heldBack).toBe(2);
  });

  it('goes on from any state as if it had not been interrupted', () => {
    const tracker = opened();
    pushAt(tracker, 10, findingOf(from(9, 10)));
    const restored = opened(structuredClone(tracker.snapshot()));
    expect(pushAt(restored, 60)).toEqual(['APPEARED STARTED 1']);
  });
});

describe('tracker: the number of a crowd', () => {
  const queue = { x: 20, y: 20, width: 80, height: 40 };
  const counted = (before: number, after: number, frame: number, region = queue): Finding =>
    findingOf({
      kind: 'COUNT_CHANGED',
      subject: { label: 'person', description: 'people at the left', confidence: 0.5 },
      interval: during(frame, frame + 5),
      ongoing: after >= 3,
      before: { region },
      after: { region },
      measures: [{ name: 'people', unit: 'count', before, after }],
    });

  it('is one change that is told anew with each number, until there is no crowd', () => {
    const tracker = open();
    const told = [
      ...push(tracker, 20, counted(0, 3, 10)),
      ...push(tracker, 400, counted(3, 6, 380, { ...queue, width: 110 })),
      ...push(tracker, 900, counted(6, 1, 880)),
      ...push(tracker, 1_900, counted(1, 4, 1_880)),
    ];
    expect(steps(told)).toEqual([
      'COUNT_CHANGED STARTED 1',
      'COUNT_CHANGED UPDATED 2',
      'COUNT_CHANGED ENDED 3',
      'COUNT_CHANGED STARTED 1',
    ]);
    expect(told[2].interval).toEqual(during(10, 885));
    expect(told[2].measures).toEqual([{ name: 'people', unit: 'count', before: 6, after: 1 }]);
    expect(new Set(told.map(({ changeId }) => changeId)).size).toBe(2);
  });

  it('of another place is another', () => {
    const tracker = open();
    const there = push(tracker, 20, counted(3, 5, 10));
    const elsewhereToo = push(tracker, 40, counted(3, 5, 30, { ...queue, x: 220 }));
    expect(elsewhereToo[0].changeId).not.toBe(there[0].changeId);
  });
});
