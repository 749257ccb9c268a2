import type { ChangeLog, LogEntry, ReadFrom } from '../../log/index.js';

/** A subscription that is open. */
export interface Subscription {
  /** Events that the log holds after the last one sent, those that the filter hides included; undefined: not known yet. */
  readonly behind: () => number | undefined;
}

/** What the subscriptions of a server share. */
export interface Subscriptions {
  readonly open: Set<Subscription>;
  /** Once aborted, a subscription ends with the signal's reason as soon as it has reached the log's end. */
  readonly finishing: AbortSignal;
}

/** Entries of the log for one subscriber, who is known as long as they are read. @throws the reason of `finishing` */
export async function* entriesFor(
  log: ChangeLog,
  from: ReadFrom,
  { open, finishing }: Subscriptions,
): AsyncGenerator<LogEntry, void, undefined> {
  let ask: (() => number) | undefined;
  const subscription: Subscription = { behind: () => ask?.() };
  const finished = new AbortController();
  const finish = (): void => {
    if (finishing.aborted && !subscription.behind()) finished.abort(finishing.reason);
  };
  open.add(subscription);
  // One that waits at the end is not woken by anything else.
  finishing.addEventListener('abort', finish);
  try {
    const signal = AbortSignal.any([from.signal, finished.signal]);
    for await (const entry of log.read({ ...from, onBehind: (given) => (ask = given), signal })) {
      yield entry;
      finish();
    }
    finished.signal.throwIfAborted();
  } finally {
    finishing.removeEventListener('abort', finish);
    open.delete(subscription);
  }
}
