import fc from 'fast-check';
import { EMPTY, NEVER, Subject, concat, concatMap, defer, from, lastValueFrom, throwError, toArray } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { mapOrdered } from '../../src/workers/ordered.js';

/** A `project` whose promises are settled by hand. */
function manual<R>() {
  const calls: { item: number; signal: AbortSignal; resolve: (result: R) => void; reject: (error: Error) => void }[] =
    [];
  const project = (item: number, signal: AbortSignal) =>
    new Promise<R>((resolve, reject) => calls.push({ item, signal, resolve, reject }));
  return { calls, project };
}

const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('mapOrdered', () => {
  it('emits in input order, works on no more than it may, and holds no more than twice that', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: 25 }),
        fc.integer({ min: 1, max: 5 }),
        fc.infiniteStream(fc.nat()),
        async (count, concurrency, choices) => {
          const { calls, project } = manual<string>();
          const seen: string[] = [];
          let completed = false;
          const items = Array.from({ length: count }, (_, i) => i);
          from(items)
            .pipe(mapOrdered(project, concurrency))
            .subscribe({ next: (result) => seen.push(result), complete: () => (completed = true) });
          const open = new Set<number>();
          const taken = new Set<number>();
          for (;;) {
            await settled();
            calls.forEach((_, i) => taken.has(i) || open.add(i));
            expect(open.size).toBeLessThanOrEqual(concurrency);
            expect(calls.length - seen.length).toBeLessThanOrEqual(2 * concurrency);
            if (open.size === 0) break;
            const next = [...open][choices.next().value % open.size];
            open.delete(next);
            taken.add(next);
            calls[next].resolve(`#${calls[next].item}`);
          }
          expect(seen).toEqual(items.map((item) => `#${item}`));
          expect(completed).toBe(true);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('emits what came before an error, then the error, and aborts what runs after it', async () => {
    const { calls, project } = manual<number>();
    const seen: unknown[] = [];
    from([0, 1, 2, 3])
      .pipe(mapOrdered(project, 3))
      .subscribe({
        next: (result) => seen.push(result),
        error: (error: Error) => seen.push(error.message),
      });
    await settled();
    calls[1].reject(new Error('worker gone'));
    await settled();
    expect(seen).toEqual([]);
    calls[0].resolve(10);
    await settled();
    expect(seen).toEqual([10, 'worker gone']);
    expect(calls[2].signal.aborted).toBe(true);
    calls[2].resolve(12);
    await settled();
    expect(seen).toEqual([10, 'worker gone']);
  });

  it('takes a project that throws at once for one that rejects', async () => {
    const failing = from([1]).pipe(
      mapOrdered((): Promise<number> => {
        throw new Error('at once');
      }, 1),
    );
    await expect(lastValueFrom(failing)).rejects.toThrow('at once');
  });

  it('puts an error of the source after the results of what came before it', async () => {
    const seen: unknown[] = [];
    await new Promise<void>((resolve) => {
      concat(
        from([1, 2, 3]),
        throwError(() => new Error('source gone')),
      )
        .pipe(mapOrdered(async (item) => Promise.resolve(item * 10), 2))
        .subscribe({
          next: (result) => seen.push(result),
          error: (error: Error) => {
            seen.push(error.message);
            resolve();
          },
        });
    });
    expect(seen).toEqual([10, 20, 30, 'source gone']);
  });

  it('aborts what runs and starts nothing more when it is unsubscribed', async () => {
    const { calls, project } = manual<number>();
    const seen: number[] = [];
    const subscription = from([0, 1, 2, 3])
      .pipe(mapOrdered(project, 2))
      .subscribe((result) => seen.push(result));
    await settled();
    subscription.unsubscribe();
    expect(calls.map(({ signal }) => signal.aborted)).toEqual([true, true]);
    calls[0].resolve(0);
    await settled();
    expect(calls).toHaveLength(2);
    expect(seen).toEqual([]);
  });

  it('completes with an empty source and waits with one that never ends', async () => {
    const identity = async (item: number) => Promise.resolve(item);
    expect(await lastValueFrom(EMPTY.pipe(mapOrdered(identity, 2), toArray()))).toEqual([]);
    let ended = false;
    NEVER.pipe(mapOrdered(identity, 2)).subscribe({ complete: () => (ended = true) });
    await settled();
    expect(ended).toBe(false);
  });

  it('keeps order when the subscriber makes the source emit from within', async () => {
    const source = new Subject<number>();
    const seen: number[] = [];
    const done = new Promise<void>((resolve) => {
      source.pipe(mapOrdered(async (item) => Promise.resolve(item), 2)).subscribe({
        next: (result) => {
          seen.push(result);
          if (result < 5) source.next(result + 1);
          else source.complete();
        },
        complete: resolve,
      });
    });
    source.next(0);
    await done;
    expect(seen).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it('can be subscribed more than once', async () => {
    const twice = defer(() => from([1, 2])).pipe(mapOrdered(async (item) => Promise.resolve(item), 2));
    const results = from([twice, twice]).pipe(
      concatMap((one) => one),
      toArray(),
    );
    expect(await lastValueFrom(results)).toEqual([1, 2, 1, 2]);
  });
});
