import { Subject, lastValueFrom } from 'rxjs';
import { expect, test } from 'vitest';
import { eventOf } from '../../fixtures/events.js';
import type { Checkpoint } from '../../src/records/index.js';
import { committing, MOST_WAITING } from '../../src/topology/committing.js';
import type { Step } from '../../src/topology/operators/track.js';

const checkpointOf = (n: number): Checkpoint => ({ states: { n }, positions: {} });
const stepOf = (n: number, isCovered = true): Step => ({
  ...{ events: [eventOf(n)], blobs: [], openPictures: [], contradicted: [] },
  ...(isCovered && { checkpoint: checkpointOf(n) }),
});

/** Writes that wait to be allowed, and what they were given. */
function slowLog() {
  const writes: { readonly events: readonly string[]; readonly n: unknown }[] = [];
  let allow: () => void = () => undefined;
  const steps = new Subject<Step>();
  const rest = lastValueFrom(
    steps.pipe(
      committing((written, { states: { n } }) => {
        writes.push({ events: written.flatMap(({ events }) => events.map(({ eventId }) => eventId)), n });
        return new Promise<void>((resolve) => (allow = resolve));
      }),
    ),
  );
  const written = async (): Promise<void> => {
    allow();
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { steps, writes, written, rest };
}

const idsOf = (...numbers: number[]): string[] => numbers.map((n) => eventOf(n).eventId);

test('of what waits for a slow log no more than a few checkpoints are kept, and every event', async () => {
  const { steps, writes, written, rest } = slowLog();
  const last = 3 * MOST_WAITING;
  for (let n = 0; n <= last; n++) steps.next(stepOf(n));
  steps.complete();
  for (let i = 0; i <= MOST_WAITING; i++) await written();
  expect(await rest).toEqual([]);
  expect(writes.map(({ n }) => n)).toEqual([...Array.from({ length: MOST_WAITING }, (_, n) => n), last]);
  expect(writes.flatMap(({ events }) => events)).toEqual(idsOf(...Array.from({ length: last + 1 }, (_, n) => n)));
});

test('steps that no checkpoint covers wait for one, and come back where there is none', async () => {
  const { steps, writes, written, rest } = slowLog();
  steps.next(stepOf(1, false));
  steps.next(stepOf(2));
  steps.next(stepOf(3, false));
  expect(writes).toEqual([{ events: idsOf(1, 2), n: 2 }]);
  steps.complete();
  await written();
  expect((await rest).flatMap(({ events }) => events.map(({ eventId }) => eventId))).toEqual(idsOf(3));
  expect(writes).toHaveLength(1);
});

test('nothing more is written once the source or a write has failed', async () => {
  const broken = slowLog();
  broken.steps.next(stepOf(1));
  broken.steps.next(stepOf(2));
  broken.steps.error(new Error('the source broke'));
  await expect(broken.rest).rejects.toThrow('the source broke');
  await broken.written();
  expect(broken.writes).toHaveLength(1);

  const steps = new Subject<Step>();
  const full = lastValueFrom(steps.pipe(committing(() => Promise.reject(new Error('the disk is full')))));
  steps.next(stepOf(1));
  await expect(full).rejects.toThrow('the disk is full');
});
