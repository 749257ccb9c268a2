import { describe, expect, test } from 'vitest';
import { eventOf } from '../../fixtures/events.js';
import { demoTruth, type TrueEvent } from '../../fixtures/truth.js';
import { checkTelling } from '../../src/cli/demo-check.js';
import type { ChangeEvent, FramePoint } from '../../src/records/index.js';

const at = (frame: number): FramePoint => ({ frame, timeMs: frame * 80, elapsedMs: frame * 80 });

const withoutBefore = (event: ChangeEvent) =>
  Object.fromEntries(Object.entries(event).filter(([field]) => field !== 'before')) as Omit<ChangeEvent, 'before'>;

/** An event that tells `one` just as it was drawn. */
const telling = (one: TrueEvent, n: number): ChangeEvent => {
  const there = { region: one.region };
  return {
    ...withoutBefore(eventOf(n)),
    kind: one.kind,
    statement: one.what,
    interval: { first: at(one.firstFrame), last: at(one.lastFrame) },
    ...(one.kind !== 'APPEARED' && { before: { ...there, ...(one.textBefore && { text: one.textBefore }) } }),
    ...(one.kind !== 'DISAPPEARED' && { after: { ...there, ...(one.textAfter && { text: one.textAfter }) } }),
  };
};

const conditions = demoTruth.conditions.map(({ cause }, n) => [
  eventOf(90 + n, { kind: 'CONDITION', condition: cause }),
]);
const lives = (events: readonly ChangeEvent[]) => [...events.map((event) => [event]), ...conditions];
const all = demoTruth.events.map(telling);
const what = demoTruth.events.map((one) => one.what);

test('a true telling has all of it and nothing else', () => {
  expect(checkTelling(demoTruth, lives(all))).toMatchObject({
    told: what.map((what) => ({ what })),
    missed: [],
    madeUp: [],
  });
});

test('a reversal as the end of its change tells that the thing is back', () => {
  const [taken, back] = [1, 6].map((n) => all[n]);
  expect([taken.kind, back.kind]).toEqual(['DISAPPEARED', 'APPEARED']);
  const reversed: ChangeEvent = {
    ...taken,
    revision: 2,
    phase: 'ENDED',
    interval: { first: taken.interval.first, last: back.interval.last },
  };
  const others = all.filter((event) => event !== taken && event !== back);
  const { missed, madeUp } = checkTelling(demoTruth, [[taken, reversed], ...lives(others)]);
  expect({ missed, madeUp }).toEqual({ missed: [], madeUp: [] });
});

describe.each(what.map((name, n) => [n, name] as const))('event %i, %s', (n) => {
  const mutants: [string, (event: ChangeEvent) => ChangeEvent][] = [
    ['left out', () => eventOf(n, { kind: 'CONDITION', condition: 'NOISE' })],
    ['of another kind', (event) => ({ ...event, kind: 'RESIZED' })],
    [
      'two seconds later',
      ({ interval: { last }, ...event }) => ({
        ...event,
        interval: { first: at(last.frame + 25), last: at(last.frame + 30) },
      }),
    ],
    [
      'somewhere else',
      ({ before, after, ...event }) => {
        const region = { x: 500, y: 0, width: 20, height: 20 };
        return {
          ...event,
          ...(before && { before: { ...before, region } }),
          ...(after && { after: { ...after, region } }),
        };
      },
    ],
    ...(demoTruth.events[n].textAfter === undefined
      ? []
      : [
          ['with another word', (event: ChangeEvent) => ({ ...event, after: { ...event.after, text: 'CLOSET' } })] as [
            string,
            (event: ChangeEvent) => ChangeEvent,
          ],
        ]),
  ];

  test.each(mutants)('is missed when it is told %s', (_, mutate) => {
    const events = all.map((event, i) => (i === n ? mutate(event) : event));
    expect(checkTelling(demoTruth, lives(events)).missed).toContain(what[n]);
  });
});

test('what never happened is made up, and a condition that was not told is missed', () => {
  const ghost = telling({ ...demoTruth.events[3], region: { x: 20, y: 300, width: 40, height: 40 } }, 50);
  const { missed, madeUp } = checkTelling(demoTruth, lives([...all, ghost]).slice(0, -1));
  expect(madeUp).toEqual([ghost]);
  expect(missed).toEqual([`the condition ${demoTruth.conditions.at(-1)?.cause}`]);
});
