import { createHash } from 'node:crypto';
import { getEventListeners } from 'node:events';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { eventOf } from '../../fixtures/events.js';
import type { ChangeLog, Commit, Cursor, EventFilter, LogEntry, ReadFrom, Retention } from '../../src/log/index.js';
import { decodeChangeEvent, encodeChangeEvent } from '../../src/records/convert/change.js';
import type { Blob, ChangeEvent, Checkpoint } from '../../src/records/index.js';
import { changeEvent } from '../support/arbitraries.js';

export interface LogDriver {
  /** A new, empty log; who opened it closes it. */
  open(retention?: Retention): Promise<ChangeLog>;
  /** Disks are slow: how many runs of a property are worth their time. */
  readonly numRuns: number;
}

const sources = ['yard', 'gate', 'dock', 'lane', 'roof'];
const everything: EventFilter = { sources: [], kinds: [], topologies: [] };
const nothingElse: Checkpoint = { states: {}, positions: {} };
const never = new AbortController().signal;
/** Only news wakes such a reader, or a test would pass by waiting for its next sign of life. */
const unhurried = { progressEveryMs: 3_600_000 };

const blobOf = (text: string): Blob => {
  const bytes = Buffer.from(text);
  return { sha256: createHash('sha256').update(bytes).digest('hex'), mediaType: 'image/jpeg', bytes };
};

const stepOf = (events: readonly ChangeEvent[], rest: Partial<Commit> = {}): Commit => ({
  key: 'watch/yard',
  events,
  contradicted: [],
  checkpoint: nothingElse,
  blobs: [],
  ...rest,
});

const naming = (n: number, ...blobs: Blob[]): ChangeEvent =>
  eventOf(n, { pictures: blobs.map((blob) => ({ ...eventOf(n).pictures[0], sha256: blob.sha256 })) });

async function collect(log: ChangeLog, from: Partial<ReadFrom> = {}): Promise<LogEntry[]> {
  const entries: LogEntry[] = [];
  for await (const entry of log.read({ untilEnd: true, signal: never, ...from })) entries.push(entry);
  return entries;
}

const idsOf = (entries: readonly LogEntry[]): string[] =>
  entries.flatMap((entry) => (entry.type === 'event' ? [entry.event.eventId] : []));

const readIds = async (log: ChangeLog, from: Partial<ReadFrom> = {}): Promise<string[]> =>
  idsOf(await collect(log, from));

/** Ids as they must come: any interleaving of sources, the order of each. */
const bySource = (ids: readonly string[], events: readonly ChangeEvent[]): Record<string, string[]> => {
  const sourceOf = new Map(events.map((event) => [event.eventId, event.source]));
  return Object.fromEntries(sources.map((source) => [source, ids.filter((id) => sourceOf.get(id) === source)]));
};

const failsWith = (code: string, message = ''): unknown =>
  expect.objectContaining({ code, message: expect.stringContaining(message) as string });

/** Commits of events of interleaved sources; some events are committed twice, some changes have several events. */
const commits = (): fc.Arbitrary<ChangeEvent[][]> =>
  fc
    .array(
      fc.array(
        fc.record({
          source: fc.constantFrom(...sources),
          again: fc.oneof({ weight: 9, arbitrary: fc.constant(undefined) }, fc.nat()),
        }),
        {
          minLength: 1,
          maxLength: 8,
        },
      ),
      { minLength: 1, maxLength: 8 },
    )
    .map((steps) => {
      const made: ChangeEvent[] = [];
      const revisions = new Map<string, number>();
      return steps.map((step) =>
        step.map(({ source, again }) => {
          if (again !== undefined && made.length > 0) return made[again % made.length];
          const changeId = `${source}-${Math.floor(made.length / 4)}`;
          const revision = (revisions.get(changeId) ?? 0) + 1;
          revisions.set(changeId, revision);
          const kind = made.length % 3 === 0 ? 'MOVED' : 'DISAPPEARED';
          const topology = made.length % 5 === 0 ? 'diff' : 'watch';
          const eventId = `${changeId}.${revision}`;
          const event = eventOf(made.length, { source, changeId, revision, eventId, kind, topology });
          made.push(event);
          return event;
        }),
      );
    });

const distinct = (steps: readonly ChangeEvent[][]): ChangeEvent[] => [
  ...new Map(steps.flat().map((event) => [event.eventId, event])).values(),
];

/** What is promised of every log, after etcd's conformance of a watch. */
export function logConformance(name: string, driver: LogDriver): void {
  const { numRuns } = driver;
  const opened: ChangeLog[] = [];
  const open = async (retention?: Retention): Promise<ChangeLog> => {
    const log = await driver.open(retention);
    opened.push(log);
    return log;
  };
  const openWith = async (steps: readonly ChangeEvent[][], retention?: Retention): Promise<ChangeLog> => {
    const log = await open(retention);
    for (const events of steps) await log.commit(stepOf(events));
    return log;
  };

  describe(name, () => {
    afterEach(async () => {
      await Promise.all(opened.splice(0).map((log) => log.close()));
    });

    it('tells that it can be written, until it is closed', async () => {
      const log = await open();
      await log.probe();
      await log.close();
      await expect(log.probe()).rejects.toEqual(failsWith('LOG_CLOSED'));
    });

    describe('commit', () => {
      it('keeps any event as it is, encoded and decoded', async () => {
        const log = await open();
        await fc.assert(
          fc.asyncProperty(changeEvent(), fc.uuid(), async (any, eventId) => {
            const event = { ...any, eventId, changeId: `of ${eventId} ${any.changeId}` };
            await log.commit(stepOf([event]));
            expect(await log.change(event.changeId)).toEqual([decodeChangeEvent(encodeChangeEvent(event))]);
          }),
          { numRuns },
        );
        for (const entry of await collect(log)) {
          if (entry.type === 'event') expect(encodeChangeEvent(entry.event)).toEqual(new Uint8Array(entry.encoded));
        }
      });

      it('takes an id once: the first write wins, in one commit and in another', async () => {
        const log = await open();
        const first = eventOf(1, { statement: 'first' });
        const second = eventOf(1, { statement: 'second' });
        expect(await log.commit(stepOf([first, second, eventOf(2)]))).toEqual({ appended: 2 });
        expect(await log.commit(stepOf([second, eventOf(2), eventOf(3)]))).toEqual({ appended: 1 });
        expect(await readIds(log)).toEqual([1, 2, 3].map((n) => eventOf(n).eventId));
        expect((await log.change(first.changeId)).map(({ statement }) => statement)).toEqual(['first']);
      });

      it('takes ids and keys of any length and with any character', async () => {
        const log = await open();
        const ids = ['\0', 'a\0b', 'x'.repeat(5_000), `${'x'.repeat(5_000)}y`, '𐀀', ' '];
        for (const id of ids) {
          const checkpoint = { states: { id }, positions: {} };
          const event = eventOf(1, { eventId: id, changeId: id, source: id });
          expect(await log.commit(stepOf([event], { key: id, checkpoint }))).toEqual({ appended: 1 });
        }
        for (const id of ids) {
          expect(await log.change(id)).toEqual([eventOf(1, { eventId: id, changeId: id, source: id })]);
          expect((await log.checkpoint(id))?.states).toEqual({ id });
        }
      });

      it('keeps the last checkpoint of each key, typed arrays and all', async () => {
        const log = await open();
        const states = {
          gate: { mean: Float32Array.of(1.5, -2), seen: new Map([['a', new Set([1])]]) },
          none: undefined,
        };
        const positions = { yard: { index: 7, offset: '812' } };
        await log.commit(stepOf([], { key: 'a', checkpoint: nothingElse }));
        await log.commit(stepOf([], { key: 'a', checkpoint: { states, positions } }));
        await log.commit(stepOf([], { key: 'b' }));
        expect(await log.checkpoint('a')).toEqual({ states, positions });
        expect(await log.checkpoint('b')).toEqual(nothingElse);
        expect(await log.checkpoint('c')).toBeUndefined();
        (states.gate.mean as Float32Array)[0] = 9;
        expect((await log.checkpoint('a'))?.states.gate).toMatchObject({ mean: Float32Array.of(1.5, -2) });
      });

      it.each<[string, string, Partial<Commit>]>([
        [
          'a blob that is not what its name says',
          'BLOB_MISMATCH',
          { blobs: [blobOf('a'), { ...blobOf('b'), bytes: Buffer.from('c') }] },
        ],
        ['an event that cannot be encoded', 'PROTO_INVALID', { events: [eventOf(5), eventOf(6, { revision: 0 })] }],
        ['a claim that cannot be encoded', 'PROTO_INVALID', { contradicted: [eventOf(6, { revision: 0 })] }],
        [
          'a state that cannot be stored',
          'CHECKPOINT_INVALID',
          { checkpoint: { states: { f: () => 1 }, positions: {} } },
        ],
      ])('writes nothing of a commit with %s', async (_, code, fault) => {
        const log = await openWith([[eventOf(1)]]);
        const step = stepOf([eventOf(4)], {
          contradicted: [eventOf(7)],
          blobs: [blobOf('a')],
          checkpoint: { states: { new: 1 }, positions: {} },
        });
        await expect(log.commit({ ...step, ...fault })).rejects.toEqual(failsWith(code));
        expect(await readIds(log)).toEqual([eventOf(1).eventId]);
        expect(await log.checkpoint(step.key)).toEqual(nothingElse);
        expect(await log.blobs.has(blobOf('a').sha256)).toBe(false);
        expect(await log.contradicted({ limit: 9 })).toEqual([]);
        expect(await log.commit(step)).toEqual({ appended: 1 });
      });
    });

    describe('read', () => {
      it('gives every event once, each source in order, and then says that this is the end', async () => {
        await fc.assert(
          fc.asyncProperty(commits(), async (steps) => {
            const log = await openWith(steps);
            const all = distinct(steps);
            const entries = await collect(log);
            expect(bySource(idsOf(entries), all)).toEqual(
              bySource(
                all.map(({ eventId }) => eventId),
                all,
              ),
            );
            expect(idsOf(entries)).toHaveLength(all.length);
            expect(entries.at(-1)).toMatchObject({ type: 'progress', caughtUp: true });
            await log.close();
          }),
          { numRuns },
        );
      });

      it('goes on after any cursor with exactly the rest, however often it is cut, with any filter', async () => {
        const filters = fc.record({
          sources: fc.subarray(sources),
          kinds: fc.subarray(['DISAPPEARED', 'MOVED'] as const),
          topologies: fc.subarray(['watch', 'diff']),
        });
        await fc.assert(
          fc.asyncProperty(
            commits(),
            filters,
            fc.array(fc.integer({ min: 1, max: 6 })),
            async (steps, filter, cuts) => {
              const log = await openWith(steps);
              const all = distinct(steps);
              const wanted = all.filter(
                ({ source, kind, topology }) =>
                  (filter.sources.length === 0 || filter.sources.includes(source)) &&
                  (filter.kinds.length === 0 || filter.kinds.some((one) => one === kind)) &&
                  (filter.topologies.length === 0 || filter.topologies.includes(topology)),
              );
              const seen: LogEntry[] = [];
              let cursor: Cursor | undefined;
              for (const cut of [...cuts, Infinity]) {
                let taken = 0;
                const from = { filter, untilEnd: true, signal: never, ...(cursor && { cursor }) };
                for await (const entry of log.read(from)) {
                  seen.push(entry);
                  ({ cursor } = entry);
                  taken += 1;
                  if (taken >= cut) break;
                }
              }
              const ids = idsOf(seen);
              expect(ids).toHaveLength(wanted.length);
              expect(bySource(ids, all)).toEqual(
                bySource(
                  wanted.map(({ eventId }) => eventId),
                  all,
                ),
              );
              await log.close();
            },
          ),
          { numRuns },
        );
      });

      it('keeps what belongs together together: nothing of a commit is there before all of it is', async () => {
        const log = await open();
        const commitSize = 7;
        const commitsMade = 30;
        const seen: LogEntry[] = [];
        const stop = new AbortController();
        const reading = (async () => {
          for await (const entry of log.read({ ...unhurried, signal: stop.signal })) {
            seen.push(entry);
            if (entry.type === 'progress') expect(idsOf(seen).length % commitSize).toBe(0);
            if (idsOf(seen).length === commitSize * commitsMade) stop.abort();
          }
        })();
        for (let i = 0; i < commitsMade; i++) {
          await log.commit(
            stepOf(sources.concat('yard', 'gate').map((source, k) => eventOf(i * commitSize + k, { source }))),
          );
        }
        await reading;
        expect(new Set(idsOf(seen)).size).toBe(commitSize * commitsMade);
      });

      it('says where the end is before it waits, with "latest" first of all, and follows', async () => {
        const log = await openWith([[eventOf(1), eventOf(2)]]);
        const stop = new AbortController();
        const entries = log.read({ start: 'latest', ...unhurried, signal: stop.signal })[Symbol.asyncIterator]();
        const first = await entries.next();
        expect(first.value).toMatchObject({ type: 'progress', caughtUp: true });
        const waiting = entries.next();
        await log.commit(stepOf([eventOf(3)]));
        expect((await waiting).value).toMatchObject({ event: { eventId: eventOf(3).eventId } });
        expect((await entries.next()).value).toMatchObject({ type: 'progress', caughtUp: true });
        const { cursor } = first.value as LogEntry;
        expect(await readIds(log, { cursor })).toEqual([eventOf(3).eventId]);
        stop.abort();
        expect(await entries.next()).toEqual({ done: true, value: undefined });
      });

      it('ends quietly when aborted, at any point, and leaves nothing behind', async () => {
        const log = await openWith([[eventOf(1), eventOf(2)]]);
        const stop = new AbortController();
        const started: AsyncIterator<LogEntry>[] = [];
        for (let taken = 0; taken <= 3; taken++) {
          const entries = log.read({ ...unhurried, signal: stop.signal })[Symbol.asyncIterator]();
          for (let i = 0; i < taken; i++) await entries.next();
          started.push(entries);
        }
        // The last has been told of the end and waits for more.
        const waiting = started[3].next();
        stop.abort();
        const others = started.slice(0, 3).map((entries) => entries.next());
        for (const last of await Promise.all([waiting, ...others])) expect(last.done).toBe(true);
        expect(getEventListeners(stop.signal, 'abort')).toEqual([]);
      });

      it('marks its place while nothing comes, and while what comes is filtered out', async () => {
        const log = await openWith([[eventOf(1)]], { maxEvents: 0 });
        const filter = { ...everything, sources: ['nowhere'] };
        const stop = new AbortController();
        const entries = log.read({ filter, progressEveryMs: 1, signal: stop.signal })[Symbol.asyncIterator]();
        await entries.next();
        for (let n = 2; n < 5; n++) await log.commit(stepOf([eventOf(n)]));
        let last: LogEntry | undefined;
        for (let i = 0; i < 3; i++) {
          const { value } = (await entries.next()) as IteratorYieldResult<LogEntry>;
          expect(value.type).toBe('progress');
          last = value;
        }
        stop.abort();
        await log.prune(Date.now());
        // A cursor that had stayed where it began would have expired with the events that the filter hid.
        expect(await collect(log, { filter, cursor: last?.cursor as Cursor })).toMatchObject([{ caughtUp: true }]);
      });

      it('marks its place within a long stretch that is filtered out', async () => {
        const count = 200;
        const log = await openWith([Array.from({ length: count }, (_, n) => eventOf(n))]);
        const filter = { ...everything, sources: ['nowhere'] };
        const entries = await collect(log, { filter, progressEveryMs: 0 });
        const caughtUp = entries.map((entry) => entry.type === 'progress' && entry.caughtUp);
        expect(caughtUp.slice(0, -1)).not.toContain(true);
        expect(caughtUp.at(-1)).toBe(true);
        expect(entries.length).toBeGreaterThan(2);
      });

      it('tells a reader, whenever it asks, how many events lie ahead of it, those that it will not be given included', async () => {
        const log = await open();
        await log.commit(stepOf([0, 1, 2, 3, 4, 5].map((n) => eventOf(n, { source: n % 2 === 0 ? 'yard' : 'dock' }))));
        const ahead = async (from: Partial<ReadFrom>): Promise<number[]> => {
          const told: number[] = [];
          let behind: (() => number) | undefined;
          const onBehind: ReadFrom['onBehind'] = (ask) => (behind = ask);
          for await (const entry of log.read({ untilEnd: true, signal: never, onBehind, ...from })) {
            if (told.push(behind?.() ?? Number.NaN) === 2) await log.commit(stepOf([eventOf(told.length + 90)]));
            if (entry.type === 'progress' && entry.caughtUp) return told;
          }
          return told;
        };
        // Gaps count too. The one more that comes meanwhile lies ahead as well; at the end there is nothing.
        const all = await ahead({});
        expect(all).toHaveLength(8);
        [5, 4, 4, 3, 2, 1, 0].forEach((events, i) => expect(all[i]).toBeGreaterThanOrEqual(events));
        expect(all[0]).toBeGreaterThan(all[1]);
        expect(all.at(-1)).toBe(0);
        const some = await ahead({ filter: { ...everything, sources: ['dock'] } });
        expect(some.length).toBeLessThan(all.length);
        expect(some.at(-1)).toBe(0);
      });

      it('gives each of many readers everything, at its own pace', async () => {
        const log = await open();
        const count = 200;
        const stop = new AbortController();
        const readers = [1, 7, 50].map(async (pace) => {
          const ids: string[] = [];
          for await (const entry of log.read({ ...unhurried, signal: stop.signal })) {
            if (entry.type === 'event') ids.push(entry.event.eventId);
            if (ids.length === count) return ids;
            if (ids.length % pace === 0) await new Promise((resolve) => setImmediate(resolve));
          }
          return ids;
        });
        for (let n = 0; n < count; n += 10) {
          await log.commit(stepOf(Array.from({ length: 10 }, (_, i) => eventOf(n + i))));
        }
        const expected = Array.from({ length: count }, (_, n) => eventOf(n).eventId);
        for (const ids of await Promise.all(readers)) expect(ids).toEqual(expected);
      });
    });

    describe('cursor', () => {
      const wanting = (source: string): EventFilter => ({ ...everything, sources: [source] });

      it('fault 20: is refused when any bit of it is another', async () => {
        const log = await openWith([[eventOf(1)]]);
        const [{ cursor }] = await collect(log);
        for (let bit = 0; bit < cursor.length * 8; bit++) {
          const forged = Buffer.from(cursor);
          forged[bit >> 3] ^= 1 << (bit & 7);
          await expect(collect(log, { cursor: forged })).rejects.toEqual(failsWith('CURSOR_INVALID'));
        }
        for (const cursor of [Buffer.alloc(0), Buffer.from('x'), Buffer.alloc(4_096)]) {
          await expect(collect(log, { cursor })).rejects.toEqual(failsWith('CURSOR_INVALID'));
        }
        expect(await readIds(log, { cursor })).toEqual([]);
      });

      it('is refused by another log and with another filter, each in its own words', async () => {
        const log = await openWith([[eventOf(1)]]);
        const other = await openWith([[eventOf(1)]]);
        const cursor = await log.earliest(wanting('yard'));
        await expect(collect(other, { cursor, filter: wanting('yard') })).rejects.toEqual(
          failsWith('CURSOR_INVALID', 'another log'),
        );
        await expect(collect(log, { cursor, filter: wanting('gate') })).rejects.toEqual(
          failsWith('CURSOR_INVALID', 'another filter'),
        );
        await expect(collect(log, { cursor })).rejects.toEqual(failsWith('CURSOR_INVALID', 'another filter'));
        expect(await readIds(log, { cursor, filter: wanting('yard') })).toHaveLength(1);
      });

      it('does not mind in which order a filter says its words', async () => {
        const log = await openWith([[eventOf(1)]]);
        const cursor = await log.earliest({ ...everything, sources: ['yard', 'gate'] });
        expect(
          await readIds(log, { cursor, filter: { ...everything, sources: ['gate', 'yard', 'gate'] } }),
        ).toHaveLength(1);
      });
    });

    describe('prune', () => {
      it('keeps the latest events, and refuses a cursor before them by naming the earliest', async () => {
        await fc.assert(
          fc.asyncProperty(commits(), fc.nat({ max: 20 }), async (steps, maxEvents) => {
            const log = await openWith(steps, { maxEvents });
            const all = distinct(steps);
            const before = await collect(log);
            const removed = Math.max(0, all.length - maxEvents);
            expect(await log.prune(Date.now())).toEqual({ removedEvents: removed, removedBlobs: 0 });
            const kept = all.slice(removed);
            const keptIds = kept.map(({ eventId }) => eventId);
            expect(bySource(await readIds(log), all)).toEqual(bySource(keptIds, all));
            expect(await readIds(log, { cursor: await log.earliest() })).toHaveLength(kept.length);
            // Every cursor either goes on without a gap or is refused; what it would have missed decides which.
            for (const [i, { cursor }] of before.entries()) {
              const rest = idsOf(before.slice(i + 1));
              if (rest.every((id) => keptIds.includes(id)))
                expect(await readIds(log, { cursor })).toHaveLength(rest.length);
              else
                await expect(collect(log, { cursor })).rejects.toEqual(
                  failsWith('CURSOR_EXPIRED', 'the earliest kept is'),
                );
            }
            // An index that outlived its event would fail here, and one that went too early would take an id twice.
            for (const event of all) {
              const sameChange = kept.filter(({ changeId }) => changeId === event.changeId);
              expect((await log.change(event.changeId)).map(({ eventId }) => eventId)).toEqual(
                sameChange.map(({ eventId }) => eventId),
              );
            }
            expect(await log.commit(stepOf(kept))).toEqual({ appended: 0 });
            expect(await log.commit(stepOf(all.slice(0, removed)))).toEqual({ appended: removed });
            await log.close();
          }),
          { numRuns },
        );
      });

      it('removes by age at the given time', async () => {
        const log = await openWith([[eventOf(1)], [eventOf(2)]], { maxAgeMs: 60_000 });
        expect(await log.prune(Date.now() + 30_000)).toEqual({ removedEvents: 0, removedBlobs: 0 });
        expect(await log.prune(Date.now() + 90_000)).toEqual({ removedEvents: 2, removedBlobs: 0 });
        expect(await readIds(log)).toEqual([]);
        await log.commit(stepOf([eventOf(3)]));
        expect(await readIds(log)).toEqual([eventOf(3).eventId]);
      });

      it('lets go of a reader that it overtakes, and never lets it skip', async () => {
        const count = 300;
        const log = await openWith([Array.from({ length: count }, (_, n) => eventOf(n))], { maxEvents: 1 });
        const ids: string[] = [];
        const reading = (async () => {
          for await (const entry of log.read({ ...unhurried, signal: never })) {
            if (entry.type === 'event') ids.push(entry.event.eventId);
            if (ids.length === 1) await log.prune(Date.now());
          }
        })();
        await expect(reading).rejects.toEqual(failsWith('CURSOR_EXPIRED'));
        expect(ids).toEqual(Array.from({ length: ids.length }, (_, n) => eventOf(n).eventId));
        expect(ids.length).toBeLessThan(count);
      });
    });

    describe('blobs', () => {
      it('are kept once, as they were', async () => {
        const log = await open();
        const blob = blobOf('picture');
        const empty = blobOf('');
        await log.commit(stepOf([naming(1, blob)], { blobs: [blob, blob, empty] }));
        await log.commit(stepOf([naming(2, blob)], { blobs: [{ ...blob, bytes: new Uint8Array(blob.bytes) }, empty] }));
        const found = await log.blobs.get(blob.sha256);
        expect(found && { ...found, bytes: Buffer.from(found.bytes).toString() }).toEqual({
          ...blob,
          bytes: 'picture',
        });
        expect((await log.blobs.get(empty.sha256))?.bytes).toHaveLength(0);
        expect(await log.blobs.get(blobOf('another').sha256)).toBeUndefined();
        expect(await log.blobs.get('no hash')).toBeUndefined();
        expect(await log.blobs.has('no hash')).toBe(false);
      });

      it('stay while a kept event or the last checkpoint of a key needs them, and go with the last', async () => {
        const names = ['a', 'b', 'c', 'd', 'e'];
        const steps = fc.array(
          fc.record({
            key: fc.constantFrom('one', 'two'),
            named: fc.subarray(names),
            given: fc.subarray(names),
            kept: fc.subarray(names),
            prune: fc.boolean(),
          }),
          { minLength: 1, maxLength: 10 },
        );
        await fc.assert(
          fc.asyncProperty(steps, fc.nat({ max: 4 }), async (made, maxEvents) => {
            const log = await open({ maxEvents });
            const held = new Map<string, Set<string>>();
            let events: string[][] = [];
            const stored = new Set<string>();
            for (const [n, { key, named, given, kept, prune }] of made.entries()) {
              // Whatever an event names is given with it or was before, as the pipeline does.
              const blobs = [...new Set([...named, ...given])];
              // By name alone stays what the commit before, of the same key, had.
              const staying = kept.filter((blob) => held.get(key)?.has(blob) === true);
              const keeps = staying.map((blob) => blobOf(blob).sha256);
              await log.commit(stepOf([naming(n, ...named.map(blobOf))], { key, blobs: blobs.map(blobOf), keeps }));
              held.set(key, new Set([...blobs, ...staying]));
              events.push(named);
              blobs.forEach((blob) => stored.add(blob));
              const sweep = (): number => {
                const needed = new Set([...events.flat(), ...[...held.values()].flatMap((set) => [...set])]);
                return [...stored].filter((blob) => !needed.has(blob) && stored.delete(blob)).length;
              };
              sweep();
              if (prune) {
                events = events.slice(Math.max(0, events.length - maxEvents));
                expect((await log.prune(Date.now())).removedBlobs).toBe(sweep());
              }
              for (const blob of names) expect(await log.blobs.has(blobOf(blob).sha256)).toBe(stored.has(blob));
            }
            await log.close();
          }),
          { numRuns },
        );
      });
    });

    describe('changes', () => {
      const step = (n: number, change: string, revision: number, fields: Partial<ChangeEvent> = {}): ChangeEvent =>
        eventOf(n, { changeId: change, revision, eventId: `${change}.${revision}`, ...fields });

      it('lists the last revision of each in order of first sight, page by page', async () => {
        const log = await openWith([
          [step(1, 'b', 1), step(2, 'a', 1, { source: 'gate' })],
          [step(3, 'c', 1, { source: 'dock' }), step(4, 'b', 2, { kind: 'MOVED' })],
          // Enrichment comes late and out of order.
          [step(5, 'a', 3, { source: 'gate' }), step(6, 'a', 2, { source: 'gate' })],
        ]);
        const ids = (events: readonly ChangeEvent[]): string[] => events.map(({ eventId }) => eventId);
        expect(ids(await log.changes({ limit: 10 }))).toEqual(['b.2', 'a.3', 'c.1']);
        expect(ids(await log.changes({ limit: 2 }))).toEqual(['b.2', 'a.3']);
        expect(ids(await log.changes({ limit: 2, afterChangeId: 'a' }))).toEqual(['c.1']);
        expect(ids(await log.changes({ limit: 2, afterChangeId: 'c' }))).toEqual([]);
        expect(ids(await log.changes({ limit: 9, filter: { ...everything, kinds: ['DISAPPEARED'] } }))).toEqual([
          'a.3',
          'c.1',
        ]);
        expect(ids(await log.change('a'))).toEqual(['a.1', 'a.2', 'a.3']);
        expect(await log.change('x')).toEqual([]);
        await expect(log.changes({ limit: 2, afterChangeId: 'x' })).rejects.toEqual(failsWith('CHANGE_UNKNOWN', 'x'));
      });

      it('finds the few in a long list', async () => {
        const events = Array.from({ length: 700 }, (_, n) => eventOf(n, { source: n % 300 === 0 ? 'gate' : 'yard' }));
        const log = await openWith([events]);
        const found = await log.changes({ limit: 5, filter: { ...everything, sources: ['gate'] } });
        expect(found.map(({ sequenceOrdinal }) => sequenceOrdinal)).toEqual([0, 300, 600]);
      });
    });

    describe('contradicted', () => {
      const claim = (n: number, fields: Partial<ChangeEvent> = {}): ChangeEvent =>
        eventOf(n, { eventId: `claim ${n}`, changeId: `claim of ${n}`, pictures: [], ...fields });
      const claims = (...numbers: number[]): Commit => stepOf([], { contradicted: numbers.map((n) => claim(n)) });
      const kept = async (log: ChangeLog, afterEventId?: string, limit = 99): Promise<string[]> => {
        const found = await log.contradicted({ limit, ...(afterEventId !== undefined && { afterEventId }) });
        return found.map(({ eventId }) => eventId);
      };

      it('keeps any claim as it is, encoded and decoded', async () => {
        await fc.assert(
          fc.asyncProperty(fc.array(changeEvent(), { maxLength: 4 }), async (any) => {
            const log = await open();
            const contradicted = any.map((event, i) => ({ ...event, eventId: `${i}` }));
            await log.commit(stepOf([], { contradicted }));
            expect(await log.contradicted({ limit: 9 })).toEqual(
              contradicted.map((event) => decodeChangeEvent(encodeChangeEvent(event))),
            );
            await log.close();
          }),
          { numRuns },
        );
      });

      it('gives no reader a claim, and makes no change of it', async () => {
        const log = await open();
        expect(await log.commit(stepOf([eventOf(1)], { contradicted: [claim(2), claim(3)] }))).toEqual({ appended: 1 });
        expect(await readIds(log)).toEqual([eventOf(1).eventId]);
        expect(await log.changes({ limit: 9 })).toHaveLength(1);
        expect(await log.change(claim(2).changeId)).toEqual([]);
        // Claims and events are told apart even by the same id.
        await log.commit(stepOf([claim(2)], { contradicted: [eventOf(1)] }));
        expect(await readIds(log)).toEqual([eventOf(1).eventId, claim(2).eventId]);
        expect(await kept(log)).toEqual(['claim 2', 'claim 3', eventOf(1).eventId]);
      });

      it('lists in order of commit, page by page, each claim once', async () => {
        const log = await open();
        for (const step of [claims(5, 3), claims(4), claims(3, 9, 9)]) await log.commit(step);
        expect(await kept(log)).toEqual(['claim 5', 'claim 3', 'claim 4', 'claim 9']);
        expect(await kept(log, undefined, 2)).toEqual(['claim 5', 'claim 3']);
        expect(await kept(log, 'claim 3', 1)).toEqual(['claim 4']);
        expect(await kept(log, 'claim 9')).toEqual([]);
        await expect(kept(log, 'claim 7')).rejects.toEqual(failsWith('CHANGE_UNKNOWN', 'claim 7'));
      });

      it('keeps the latest, whatever events there are', async () => {
        const log = await open({ maxEvents: 3 });
        for (const step of [claims(1, 2), stepOf([eventOf(1)]), claims(3, 4)]) await log.commit(step);
        expect(await log.prune(Date.now())).toEqual({ removedEvents: 0, removedBlobs: 0 });
        expect(await kept(log)).toEqual(['claim 2', 'claim 3', 'claim 4']);
        await log.commit(claims(1, 2, 5));
        await log.prune(Date.now());
        expect(await kept(log)).toEqual(['claim 4', 'claim 1', 'claim 5']);
      });

      it('removes them by age at the given time, however many there are', async () => {
        const log = await open({ maxAgeMs: 60_000 });
        await log.commit(claims(...Array.from({ length: 700 }, (_, n) => n)));
        await log.prune(Date.now() + 30_000);
        expect(await kept(log, undefined, 999)).toHaveLength(700);
        await log.prune(Date.now() + 90_000);
        expect(await kept(log)).toEqual([]);
        await log.commit(claims(1));
        expect(await kept(log)).toEqual(['claim 1']);
      });
    });

    it('answers nothing once it is closed, and a waiting reader is told', async () => {
      const log = await openWith([[eventOf(1)]]);
      const entries = log.read({ ...unhurried, signal: never })[Symbol.asyncIterator]();
      await entries.next();
      await entries.next();
      const waiting = expect(entries.next()).rejects.toEqual(failsWith('LOG_CLOSED'));
      await log.close();
      await waiting;
      const calls = [
        () => log.commit(stepOf([])),
        () => log.checkpoint('k'),
        () => log.earliest(),
        () => log.change('x'),
        () => log.changes({ limit: 1 }),
        () => log.contradicted({ limit: 1 }),
        () => log.blobs.get(blobOf('a').sha256),
        () => log.prune(0),
        () => collect(log),
      ];
      for (const call of calls) await expect(call()).rejects.toEqual(failsWith('LOG_CLOSED'));
      await log.close();
    });
  });
}
