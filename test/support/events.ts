import type { ChangeEvent } from '../../src/records/index.js';

/** A plausible change event, number `n` of its source, where `fields` do not say otherwise. */
export const eventOf = (n: number, fields: Partial<ChangeEvent> = {}): ChangeEvent => {
  const first = { frame: n * 10, timeMs: n * 400, elapsedMs: n * 400 };
  const last = { frame: n * 10 + 5, timeMs: n * 400 + 200, elapsedMs: n * 400 + 200 };
  return {
    eventId: `change-${n}.1`,
    changeId: `change-${n}`,
    revision: 1,
    phase: 'STARTED',
    topology: 'watch',
    source: 'yard',
    kind: 'DISAPPEARED',
    statement: `A bottle has gone from the wall (${n}).`,
    subject: { label: 'bottle', description: 'the left of three bottles', confidence: 0.82 },
    interval: { first, last },
    before: { region: { x: 40, y: 60.5, width: 22, height: 71 } },
    measures: [{ name: 'share', unit: '1', before: 0, after: 0.012 }],
    pictures: [
      { role: 'before', sha256: 'ab'.repeat(32), mediaType: 'image/jpeg', width: 640, height: 360, frame: first },
      { role: 'after', sha256: 'cd'.repeat(32), mediaType: 'image/jpeg', width: 640, height: 360, frame: last },
    ],
    verification: {
      verdict: 'SUPPORTED',
      checks: [{ name: 'region', verdict: 'SUPPORTED', detail: '0.93 of the box differs' }],
    },
    sequenceOrdinal: n,
    reasoner: 'measured',
    ...fields,
  };
};
