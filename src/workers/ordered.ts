import { Observable, type OperatorFunction } from 'rxjs';

/** Where the result of one item will be, in the place that the item has in the order. */
interface Slot<R> {
  outcome?: { readonly result: R } | { readonly error: unknown };
}

/**
 * Works on up to `concurrency` items at a time and emits the results in the order of the items.
 *
 * Promises: one result an item, in order. An error of `project` or of the source takes its place in that order: what
 * came before it is emitted first, what is running after it is aborted. Unsubscribing aborts everything that runs.
 * Holds: items that wait to be started, without a bound of its own, because the source is throttled by the leases that
 * they hold; and at most `2 * concurrency` items that are running or finished behind a slower one.
 * Drops: nothing while it is subscribed. On an error, or when it is unsubscribed, items that were not started are
 * forgotten; whoever gave them leases takes those back.
 *
 * @param project its signal is aborted when nobody wants the result any more
 * @param concurrency at least 1
 */
export const mapOrdered =
  <T, R>(project: (item: T, signal: AbortSignal) => Promise<R>, concurrency: number): OperatorFunction<T, R> =>
  (source) =>
    new Observable<R>((subscriber) => {
      const abort = new AbortController();
      const waiting: T[] = [];
      const started: Slot<R>[] = [];
      let running = 0;
      let end: (() => void) | undefined;
      let draining = false;

      const start = (item: T): void => {
        const slot: Slot<R> = {};
        started.push(slot);
        running += 1;
        const settle = (outcome: NonNullable<Slot<R>['outcome']>): void => {
          slot.outcome = outcome;
          running -= 1;
          drain();
        };
        // In a `then`, so that a `project` that throws at once fails like one that rejects.
        void Promise.resolve(item)
          .then((given) => project(given, abort.signal))
          .then(
            (result) => settle({ result }),
            (error: unknown) => settle({ error }),
          );
      };

      const drain = (): void => {
        // A subscriber may make the source emit from within `next`: the outer call goes on with what that brought.
        if (draining) return;
        draining = true;
        while (!subscriber.closed) {
          const outcome = started[0]?.outcome;
          if (outcome !== undefined && 'error' in outcome) {
            subscriber.error(outcome.error);
          } else if (outcome !== undefined) {
            started.shift();
            subscriber.next(outcome.result);
          } else if (waiting.length > 0 && running < concurrency && started.length < 2 * concurrency) {
            start(waiting.shift() as T);
          } else {
            if (started.length === 0 && waiting.length === 0) end?.();
            break;
          }
        }
        draining = false;
      };

      subscriber.add(() => {
        waiting.length = 0;
        abort.abort();
      });
      subscriber.add(
        source.subscribe({
          next: (item) => {
            waiting.push(item);
            drain();
          },
          error: (error: unknown) => {
            end = () => subscriber.error(error);
            drain();
          },
          complete: () => {
            end = () => subscriber.complete();
            drain();
          },
        }),
      );
    });
