import type { Observer, Subscriber } from 'rxjs';

/**
 * The observer of an operator that subscribes by hand. What its handlers throw becomes the error of the stream; RxJS
 * itself would throw it at the process, past every operator that has leases to release.
 */
export function guarded<T>(
  subscriber: Subscriber<unknown>,
  handlers: { readonly next: (value: T) => void; readonly complete: () => void },
): Observer<T> {
  const guard = (handle: () => void): void => {
    try {
      handle();
    } catch (error) {
      subscriber.error(error);
    }
  };
  return {
    next: (value) => guard(() => handlers.next(value)),
    error: (error: unknown) => subscriber.error(error),
    complete: () => guard(handlers.complete),
  };
}
