import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serialize } from 'node:v8';
import fc from 'fast-check';
import type { KafkaMessage, Message } from 'kafkajs';
import { afterAll, expect, it } from 'vitest';
import { eventOf } from '../../fixtures/events.js';
import { encodeEventMessage } from '../../src/kafka/event-message.js';
import { Ingest } from '../../src/log/kafka/ingest.js';
import { encodeStateRecord } from '../../src/log/kafka/state-record.js';
import { keyOf } from '../../src/log/keys.js';
import { LmdbTables } from '../../src/log/lmdb-tables.js';

const root = mkdtempSync(join(tmpdir(), 'blinkstream-ingest-'));
let opened = 0;
afterAll(() => rmSync(root, { recursive: true }));

const lanes = ['key/a', 'key/b'] as const;

/** What a lane does: another writer claims it, or a step of so many events. */
interface Doing {
  readonly lane: (typeof lanes)[number];
  readonly does: 'claim' | number;
}

const doings = fc.array(
  fc.record({
    lane: fc.constantFrom(...lanes),
    does: fc.oneof({ weight: 1, arbitrary: fc.constant('claim' as const) }, { weight: 4, arbitrary: fc.nat(3) }),
  }),
  { minLength: 1, maxLength: 12 },
);

const received = ({ key, value, headers }: Message, offset: number): KafkaMessage => ({
  key: Buffer.from(String(key)),
  value: value === null ? null : Buffer.from(value),
  headers: Object.fromEntries(Object.entries(headers ?? {}).map(([name, text]) => [name, Buffer.from(String(text))])),
  offset: String(offset),
  timestamp: '1700000000000',
  attributes: 0,
});

/** The two topics of one partition after all that was done, and what is true once each step is known. */
function written(all: readonly Doing[]) {
  const events: KafkaMessage[] = [];
  const state: KafkaMessage[] = [];
  const steps = new Map<
    string,
    { readonly incarnation: string; readonly ordinal: number; readonly events: string[] }[]
  >();
  const owners = new Map<string, { incarnation: string; term: number; ordinal: number }>();
  let n = 0;
  const add = (list: KafkaMessage[], messages: readonly Message[]): void => {
    for (const message of messages) list.push(received(message, list.length + Math.floor(list.length / 3)));
  };
  for (const { lane, does } of all) {
    const owner = owners.get(lane);
    if (does === 'claim' || owner === undefined) {
      const term = (owner?.term ?? 0) + 1;
      const claim = { incarnation: `${lane} ${term}`, term, released: false };
      owners.set(lane, { ...claim, ordinal: 0 });
      add(state, encodeStateRecord({ type: 'claim', lane, claim }));
      continue;
    }
    owner.ordinal += 1;
    const ids = Array.from({ length: does }, () => {
      const event = eventOf(n++, { source: lane });
      add(events, [encodeEventMessage(event, 'protobuf')]);
      return event.eventId;
    });
    const { incarnation, ordinal } = owner;
    const eventsEnd = ids.length === 0 ? 0 : Number(events[events.length - 1].offset) + 1;
    const bytes = serialize({ states: { ordinal: `${incarnation}/${ordinal}` }, positions: {} });
    add(state, encodeStateRecord({ type: 'checkpoint', lane, key: lane, bytes, blobs: [] }));
    add(
      state,
      encodeStateRecord({ type: 'step', lane, step: { incarnation, ordinal, eventsEnd, contradictedEnd: 0 } }),
    );
    steps.set(lane, [...(steps.get(lane) ?? []), { incarnation, ordinal, events: ids }]);
  }
  return { events, state, steps, owners };
}

const nextOf = (messages: readonly KafkaMessage[], read: number): number =>
  read === 0 ? 0 : Number(messages[read - 1].offset) + 1;

it('has the events of every step that it knows, in whichever order topics are read, and wherever reading begins again', async () => {
  await fc.assert(
    fc.asyncProperty(
      doings,
      fc.array(
        fc.record({
          topic: fc.constantFrom('events' as const, 'state' as const),
          count: fc.integer({ min: 1, max: 5 }),
        }),
      ),
      fc.nat(20),
      async (all, reads, restartAt) => {
        const { events, state, steps, owners } = written(all);
        const topics = { events, state };
        const tables = await LmdbTables.open(join(root, String(opened++)), { noSync: true });
        tables.initialise();
        const fail = (problem: string): never => {
          throw new Error(problem);
        };
        let ingest = new Ingest(tables, fail);
        const read = { events: 0, state: 0 };
        const take = (topic: 'events' | 'state', count: number): void => {
          const messages = topics[topic].slice(read[topic], read[topic] + count);
          read[topic] += messages.length;
          const batch = { partition: 0, messages, next: nextOf(topics[topic], read[topic]) };
          tables.transact(() => ingest[topic](batch));
          for (const [lane, done] of steps) {
            const last = tables.lanes.get(keyOf(lane))?.last;
            const known = done.findIndex((s) => s.incarnation === last?.incarnation && s.ordinal === last.ordinal);
            for (const step of done.slice(0, known + 1)) {
              for (const id of step.events) expect(tables.eventIds.doesExist(keyOf(id))).toBe(true);
            }
          }
        };
        for (const [i, { topic, count }] of reads.entries()) {
          if (i === restartAt) {
            // Another process: what it reads again begins where the tables say.
            ingest = new Ingest(tables, fail);
            const from = (list: 'events' | 'checkpoints') => tables.extent(list, 0).next;
            read.events = events.filter(({ offset }) => Number(offset) < from('events')).length;
            read.state = state.filter(({ offset }) => Number(offset) < from('checkpoints')).length;
          }
          take(topic, count);
        }
        take('state', state.length);
        take('events', events.length);
        expect(tables.extent('events', 0).count).toBe(events.length);
        for (const [lane, owner] of owners) {
          const done = steps.get(lane)?.at(-1);
          const { last, owner: known } = tables.lanes.get(keyOf(lane)) ?? {};
          expect(known?.term).toBe(owner.term);
          expect(last && { incarnation: last.incarnation, ordinal: last.ordinal }).toEqual(
            done && { incarnation: done.incarnation, ordinal: done.ordinal },
          );
        }
        await tables.close();
      },
    ),
    { numRuns: 60 },
  );
});
